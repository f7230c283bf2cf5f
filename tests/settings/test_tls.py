"""The table [tls]: files that belong together, and certificates that can be served."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.settings import Duties, Role, load, redacted
from tests.settings.starts import refusal, written
from tests.tls.made import Made

DISPATCHER = Duties(frozenset({Role.DISPATCHER}))
KAFKA = '[log]\nkind = "kafka"\n[kafka]\nbootstrap_servers = "a:9092"\n[accounts.a]\n'


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """In the folder that relative names start from."""
    return Made(tmp_path, "one.example", "dispatchers.example")


def test_whole_as_it_may_be(tmp_path: Path, made: Made):
    """
    The doors', the operations port's, the public port's.
    """
    text = (
        '[tls]\ncertificate_file = "server.pem"\nkey_file = "server.key"\nclient_ca_file = "ca.pem"\n'
        'peer_ca_file = "ca.pem"\npeer_name = "dispatchers.example"\noperations = true\n'
        'public_certificate_file = "server.pem"\npublic_key_file = "server.key"\n'
    )

    tls = load(written(tmp_path, text), {}).tls

    assert tls.files is not None
    assert tls.public_files is not None
    assert (tls.files.client_ca, tls.public_files.client_ca, tls.operations) == (Path("ca.pem"), None, True)


def test_off_unless_set(tmp_path: Path):
    """
    Nothing is read then.
    """
    tls = load(written(tmp_path, ""), {}).tls

    assert (tls.files, tls.public_files, tls.operations) == (None, None, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'certificate_file = "server.pem"',
            "tls.key_file (CORDBOARD_TLS__KEY_FILE): must be set where tls.certificate",
        ),
        (
            'key_file = "server.key"',
            "tls.certificate_file (CORDBOARD_TLS__CERTIFICATE_FILE): must be set where tls.key",
        ),
        ('client_ca_file = "ca.pem"', "must be set where tls.client_ca_file is"),
        ("operations = true", "must be set where tls.operations is"),
        ('peer_name = "a"', "must be set where tls.peer_name is"),
        ('public_key_file = "server.key"', "must be set where tls.public_key_file is"),
        ('public_certificate_file = "server.pem"', "tls.public_key_file (CORDBOARD_TLS__PUBLIC_KEY_FILE): must be set"),
        ('certificate_file = "nowhere"\nkey_file = "server.key"', "must name a file that can be read: No such file"),
        ('certificate_file = "late.pem"\nkey_file = "late.key"', "must not have ended, which it did at"),
        ('certificate_file = "late.pem"\nkey_file = "server.key"', "tls.certificate_file"),
        (
            'certificate_file = "server.pem"\nkey_file = "late.key"',
            "tls.key_file (CORDBOARD_TLS__KEY_FILE): must hold the key of the certificate",
        ),
        (
            'public_certificate_file = "late.pem"\npublic_key_file = "late.key"',
            "tls.public_certificate_file (CORDBOARD_TLS__PUBLIC_CERTIFICATE_FILE): must not have ended",
        ),
        (
            'certificate_file = "server.pem"\nkey_file = "server.key"\nclient_ca_file = "server.key"',
            "tls.client_ca_file (CORDBOARD_TLS__CLIENT_CA_FILE): must hold certificates in PEM",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, made: Made, text: str, said: str):
    """
    By the setting that is at fault, with what would be right.
    """
    made.expired("late", "late.example")

    (problem,) = refusal(tmp_path, f"[tls]\n{text}\n")

    assert said in problem


class TestDispatchersReachEachOther:
    OWN = '[tls]\ncertificate_file = "server.pem"\nkey_file = "server.key"\n'

    def test_by_an_address_in_the_certificate(self, tmp_path: Path, made: Made):
        """
        What others reach it by is what they verify.
        """
        load(written(tmp_path, f'{KAFKA}{self.OWN}[grpc]\nadvertise = "one.example:1"\n'), {}, duties=DISPATCHER)
        (problem,) = refusal(tmp_path, f'{KAFKA}{self.OWN}[grpc]\nadvertise = "10.0.0.1:1"\n', duties=DISPATCHER)

        assert "grpc.advertise (CORDBOARD_GRPC__ADVERTISE): (or tls.peer_name) must be a name in the cert" in problem
        assert "dispatchers.example, one.example" in problem

    def test_by_a_name_that_all_of_them_have(self, tmp_path: Path, made: Made):
        """
        Whatever their addresses are; it must be in the certificate.
        """
        place = '[grpc]\nadvertise = "10.0.0.1:1"\n'
        named = f'{self.OWN}peer_name = "dispatchers.example"\n{place}'
        load(written(tmp_path, KAFKA + named), {}, duties=DISPATCHER)
        (problem,) = refusal(tmp_path, f'{KAFKA}{self.OWN}peer_name = "other"\n{place}', duties=DISPATCHER)

        assert "tls.peer_name (CORDBOARD_TLS__PEER_NAME): must be a DNS name in the certificate" in problem

    def test_nobody_asks_a_process_that_is_no_dispatcher_or_alone(self, tmp_path: Path, made: Made):
        """
        So nothing is demanded of its names.
        """
        place = '[grpc]\nadvertise = "10.0.0.1:1"\n'
        load(written(tmp_path, f"{KAFKA}{self.OWN}{place}"), {}, duties=Duties(frozenset({Role.WORKER}), frozenset()))
        load(written(tmp_path, f"{self.OWN}{place}"), {})


def test_the_options_of_the_command_line_are_no_settings(tmp_path: Path):
    """
    They may be exported where a process is started, too.
    """
    variables = {f"CORDBOARD_TLS_{one}": "x" for one in ("CA", "CERTIFICATE", "KEY", "NAME")}

    assert redacted(load(written(tmp_path, ""), variables)) == redacted(load(written(tmp_path, ""), {}))
