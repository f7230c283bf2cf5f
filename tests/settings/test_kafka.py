"""The settings of Kafka: what belongs together, what is refused, and what is never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cordboard.settings import Duties, Role, SettingsError, load, redacted, secrets_of
from tests.settings.starts import refusal, written

CLUSTER = '[log]\nkind = "kafka"\n[kafka]\nbootstrap_servers = "a:9092"\n'
SECURE = f'{CLUSTER}security_protocol = "SASL_SSL"\n'
SCRAM = f'{SECURE}sasl_mechanism = "SCRAM-SHA-512"\n'


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-a-file\n")
    (tmp_path / "pem").write_text("-----BEGIN")


class TestWhatBelongsTogether:
    def test_a_cluster_is_named_and_that_is_enough(self, tmp_path: Path):
        """
        Where the brokers are is all that must be said; spaces between them are nothing.
        """
        text = '[log]\nkind = "kafka"\n[kafka]\nbootstrap_servers = "a:9092, b.example:9093,[::1]:9094"\n'

        kafka = load(written(tmp_path, text), {}).kafka

        assert kafka.bootstrap_servers == "a:9092,b.example:9093,[::1]:9094"
        assert (kafka.client_id, kafka.security_protocol, kafka.session_timeout_seconds) == (
            "cordboard",
            "PLAINTEXT",
            10,
        )
        assert (kafka.create_topics, kafka.replication_factor, kafka.min_insync_replicas) == (True, None, None)
        assert (kafka.sasl_password_reader(), kafka.oauth_token_reader(), kafka.read_key_password()) == (
            None,
            None,
            None,
        )

    def test_what_is_taken_fits_into_records(self, tmp_path: Path):
        """
        A webhook or a line that brokers would refuse is refused at the start; the embedded log takes them.
        """
        large = "[ingress]\nbody_bytes_max = 4194304\n[dispatcher]\nline_bytes_max = 4194304\n"

        body, line = refusal(tmp_path, f"{CLUSTER}{large}")

        assert "ingress.body_bytes_max (CORDBOARD_INGRESS__BODY_BYTES_MAX): must not exceed 3145728" in body
        assert "dispatcher.line_bytes_max (CORDBOARD_DISPATCHER__LINE_BYTES_MAX): must not exceed 2097152" in line
        assert load(written(tmp_path, large), {}).ingress.body_bytes_max == 4194304

    def test_every_way_in(self, tmp_path: Path):
        """
        A certificate of our own, a name and its password, a token: each whole, each accepted.
        """
        for text in (
            f'{CLUSTER}security_protocol = "SSL"\n',
            f'{CLUSTER}security_protocol = "SSL"\nca_file = "pem"\ncertificate_file = "pem"\nkey_file = "pem"\n'
            'key_password = "p"\n',
            f'{SCRAM}sasl_username = "me"\nsasl_password = "p"\n',
            f'{CLUSTER}security_protocol = "SASL_PLAINTEXT"\nsasl_mechanism = "PLAIN"\nsasl_username = "me"\n'
            'sasl_password_file = "secret"\n',
            f'{SECURE}sasl_mechanism = "OAUTHBEARER"\noauth_token_file = "secret"\n',
        ):
            load(written(tmp_path, text), {})

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                '[log]\nkind = "kafka"',
                "kafka.bootstrap_servers (CORDBOARD_KAFKA__BOOTSTRAP_SERVERS): must be set where",
            ),
            ('[kafka]\nbootstrap_servers = "a:9092"', "log.kind (CORDBOARD_LOG__KIND): must be kafka where"),
            ('[kafka]\nbootstrap_servers = "a"', "must be host:port, several of them with commas between"),
            ('[kafka]\nbootstrap_servers = "a:9092,"', "must be host:port"),
            ('[kafka]\nbootstrap_servers = "a:0"', "must be host:port"),
            ('[kafka]\nbootstrap_servers = "PLAINTEXT://a:9092"', "must be host:port"),
            ('[grpc]\nadvertise = "a"', "grpc.advertise (CORDBOARD_GRPC__ADVERTISE): must be host:port"),
            ('[grpc]\nadvertise = "0.0.0.0:50051"', "must be an address of this machine's own"),
            ("[kafka]\nsession_timeout_seconds = 10.5", "less than or equal to 10"),
            (SECURE, "kafka.sasl_mechanism (CORDBOARD_KAFKA__SASL_MECHANISM): must be set where"),
            (
                f'{CLUSTER}sasl_mechanism = "OAUTHBEARER"\noauth_token_file = "secret"',
                "kafka.security_protocol (CORDBOARD_KAFKA__SECURITY_PROTOCOL): is PLAINTEXT, must be SASL_SSL",
            ),
            (f'{CLUSTER}ca_file = "pem"', "is PLAINTEXT, must be SSL or SASL_SSL where kafka.ca_file is set"),
            (f'{SCRAM}sasl_username = "me"', "(or sasl_password_file) must be set where kafka.sasl_mechanism is SCRAM"),
            (f'{SCRAM}sasl_password = "p"', "kafka.sasl_username (CORDBOARD_KAFKA__SASL_USERNAME): must be set where"),
            (f'{SECURE}sasl_mechanism = "OAUTHBEARER"', "kafka.oauth_token_file (CORDBOARD_KAFKA__OAUTH_TOKEN_FILE)"),
            (
                f'{SCRAM}sasl_username = "me"\nsasl_password = "p"\noauth_token_file = "secret"',
                "must be OAUTHBEARER where kafka.oauth_token_file is set",
            ),
            (
                f'{SCRAM}sasl_username = "me"\nsasl_password = "p"\nsasl_password_file = "secret"',
                "must not be set beside sasl_password_file: one of the two",
            ),
            (
                f'{CLUSTER}security_protocol = "SSL"\ncertificate_file = "pem"',
                "kafka.key_file (CORDBOARD_KAFKA__KEY_FILE): must be set where kafka.certificate_file is",
            ),
            (f'{CLUSTER}security_protocol = "SSL"\nkey_file = "pem"', "must be set where kafka.key_file is"),
            (f'{CLUSTER}security_protocol = "SSL"\nkey_password = "p"', "must be set where kafka.key_password is"),
            (f'{CLUSTER}security_protocol = "SSL"\nca_file = "nowhere"', "must name a file that can be read"),
            (
                f"{CLUSTER}replication_factor = 1\nmin_insync_replicas = 2",
                "must not exceed kafka.replication_factor, which is 1",
            ),
            ("[dispatcher]\nstop_seconds = 9", "must be 10 or more: grpc.drain_seconds, and 5 s to leave"),
            ("[worker]\nstop_seconds = 13", "must be 14 or more: worker.drain_seconds 3 times, and 5 s to leave"),
            ("[ingress]\ndrain_seconds = 11", "must be 16 or more: ingress.drain_seconds, and 5 s to leave"),
        ],
    )
    def test_what_is_at_odds(self, tmp_path: Path, text: str, said: str):
        """
        Each is refused alone, by the name of the setting that is at fault, with what would be right.
        """
        (problem,) = refusal(tmp_path, text)

        assert said in problem


class TestRolesAlone:
    def test_a_role_alone_needs_the_log_of_many(self, tmp_path: Path):
        """
        The embedded log belongs to one process, and that is said beside whatever else is missing.
        """
        text = '[accounts.a]\napi_key = "k"\n'

        assert refusal(tmp_path, text, duties=Duties(frozenset({Role.INGRESS}))) == [
            "log.kind (CORDBOARD_LOG__KIND): must be kafka for the ingress alone: the embedded log belongs to one "
            "process, which plays all roles (cordboard serve)",
            "accounts.a.webhook_public_key (CORDBOARD_ACCOUNTS__A__WEBHOOK_PUBLIC_KEY): webhook_public_key must be "
            "set: the ingress needs it",
        ]

    def test_a_worker_needs_the_keys_of_its_pools(self, tmp_path: Path):
        """
        Others' keys are not asked for; a pool that is no account is.
        """
        text = f'{CLUSTER}[accounts.a]\napi_key = "k"\n[accounts.b]\n'
        worker = frozenset({Role.WORKER})

        load(written(tmp_path, text), {}, duties=Duties(worker, frozenset({"a"})))
        assert refusal(tmp_path, text, duties=Duties(worker, frozenset({"b", "c"}))) == [
            "accounts.c (CORDBOARD_ACCOUNTS__C): there is no such account, and so no such pool; accounts: a, b",
            "accounts.b.api_key (CORDBOARD_ACCOUNTS__B__API_KEY): api_key or api_key_file must be set: the worker "
            "needs it",
        ]

    def test_a_dispatcher_needs_no_keys(self, tmp_path: Path):
        """
        It knows accounts by name, and speaks to Telnyx by workers alone.
        """
        load(written(tmp_path, f"{CLUSTER}[accounts.a]\n"), {}, duties=Duties(frozenset({Role.DISPATCHER})))


class TestSecrets:
    SECRET = "S3cret-of-the-cluster"

    def test_no_secret_is_shown_and_the_guard_knows_them_all(self, tmp_path: Path):
        """
        Neither repr nor the table for `cordboard config` holds one; the logs mask those from files too.
        """
        text = (
            f'{SCRAM}sasl_username = "me"\nsasl_password_file = "secret"\ncertificate_file = "pem"\nkey_file = "pem"\n'
            f'key_password = "{self.SECRET}"\n'
        )
        settings = load(written(tmp_path, text), {})

        shown = repr(settings) + json.dumps(redacted(settings))
        assert self.SECRET not in shown
        assert "from-a-file" not in shown
        assert secrets_of(settings) == {self.SECRET, "from-a-file"}

    @pytest.mark.parametrize(
        "text",
        [
            f'{SCRAM}sasl_username = "me"\nsasl_password = ["{SECRET}"]',
            f'{SCRAM}sasl_username = "me"\nsasl_password = "{SECRET} "',
            f'{CLUSTER}sasl_mechanism = "{SECRET}"',
            f'{CLUSTER}session_timeout_seconds = "{SECRET}"',
            f'{CLUSTER}client_id = "{SECRET}!"',
            f'{CLUSTER}sasl_pasword = "{SECRET}"',
            f'kafka = "{SECRET}"',
        ],
    )
    def test_no_secret_in_an_error(self, tmp_path: Path, text: str):
        """
        Wherever a password was put by mistake, the error does not repeat it.
        """
        with pytest.raises(SettingsError) as caught:
            load(written(tmp_path, text), {})

        assert self.SECRET not in f"{caught.value}{caught.value!r}"

    def test_a_rotated_secret_is_taken_up(self, tmp_path: Path):
        """
        Password and token are read anew each time that they are asked for; what is too long is not cut short.
        """
        text = f'{SCRAM}sasl_username = "me"\nsasl_password_file = "secret"\n'
        read = load(written(tmp_path, text), {}).kafka.sasl_password_reader()

        assert read is not None
        assert read() == "from-a-file"
        (tmp_path / "secret").write_text("another\n")
        assert read() == "another"
        (tmp_path / "secret").write_text("x" * 20_000)
        with pytest.raises(ValueError, match="more than"):
            read()
