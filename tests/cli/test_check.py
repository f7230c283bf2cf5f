"""`cordboard check`: every kind of mistake made in earnest, found by the real command, with what to do about it."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from brokers.certificates import make_certificates
from cordboard.cli.check import check as check_all
from cordboard.cli.choices import Output
from cordboard.cli.screen import Screen
from cordboard.clock import SystemClock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import demands
from cordboard.log.kafka.topics import ensure
from cordboard.topics import Topics
from tests.cli.processes import Cordboard, Dev, own_port

KEY = "KEY-of-somebody"
PUBLIC_KEY = "MCowBQYDK2VwAyEA"  # Too short on purpose: what is no key is named.
ACCOUNT = "CORDBOARD_ACCOUNTS__MAIN__"
Found = dict[str, list[dict[str, str]]]


@contextmanager
def answering(status: int = 404, body: bytes = b"{}", **headers: str) -> Iterator[str]:
    """Something that answers HTTP in a way of its own; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.send_response_only(status)
            for name, value in {"date": formatdate(usegmt=True), **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - the names are the standard library's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Found]]:
    """What the command does, in this process, with ports that are free; what it finds, by subject."""
    monkeypatch.chdir(tmp_path)

    def run(**variables: Any) -> tuple[int, Found]:
        ports = {f"CORDBOARD_{name}__PORT": "0" for name in ("GRPC", "REST", "INGRESS", "OPERATIONS")}
        stream = io.StringIO()
        with monkeypatch.context() as given:
            for name, value in (ports | variables).items():
                given.setenv(name, str(value))
            status = asyncio.run(check_all(None, Screen(Output.JSON, stream), SystemClock()))
        assert KEY not in stream.getvalue()
        found: Found = {}
        for line in stream.getvalue().splitlines():
            finding = json.loads(line)
            found.setdefault(finding["subject"], []).append(finding)
        return status, found

    return run


Check = Callable[..., tuple[int, Found]]


def grades(found: Found, subject: str) -> list[str]:
    return [one["grade"] for one in found[subject]]


def error_of(found: Found, subject: str) -> str:
    """The sentence and the remedy of what must be the only finding of a subject."""
    (one,) = found[subject]
    assert one["grade"] == "error", one
    assert one["remedy"], one
    return f"{one['sentence']} {one['remedy']}"


def of_dev(dev: Dev, **more: Any) -> dict[str, Any]:
    """The settings of an account behind the sandbox of a running desk."""
    key = httpx.get(f"{dev.sandbox}/sandbox/public-key").json()["public_key"]
    usual = {"API_KEY": "sandbox", "BASE_URL": f"{dev.sandbox}/v2", "WEBHOOK_PUBLIC_KEY": key}
    return {f"{ACCOUNT}{name}": value for name, value in (usual | more).items()}


class TestSettings:
    def test_each_mistake_is_named_with_what_would_be_right(self, check: Check) -> None:
        """
        All of them, by their fields; nothing else is looked at with settings that are wrong.
        """
        code, found = check(
            CORDBOARD_LOG__PARTITIONS="many",
            CORDBOARD_GRPC__ADVERTISE="0.0.0.0:1",
            **{f"{ACCOUNT}WEBHOOK_PUBLIC_KEY": PUBLIC_KEY},
        )

        assert code == 1
        assert "valid integer" in error_of(found, "log.partitions")
        assert "nobody can be reached at 0.0.0.0" in error_of(found, "grpc.advertise")
        assert "accounts.main.webhook_public_key" in found
        assert len(found) == 3

    def test_what_a_role_would_miss_is_said(self, check: Check) -> None:
        """
        On the embedded log one process plays all roles, so it is an error.
        """
        code, found = check(**{f"{ACCOUNT}BASE_URL": "http://127.0.0.1:1"})

        assert code == 1
        assert "the worker needs it" in error_of(found, "accounts.main.api_key")
        assert "the ingress needs it" in error_of(found, "accounts.main.webhook_public_key")

    def test_people_read_it_too(self, cordboard: Cordboard) -> None:
        """
        A word, a subject, a sentence; what to do below it; and how many.
        """
        shown = cordboard("check", "--output=text").stdout

        assert "error    accounts: at least one account must be set" in shown
        assert shown.splitlines()[-1].startswith("1 error")


class TestTelnyx:
    def test_all_in_order(self, dev: Dev, check: Check) -> None:
        """
        The sandbox takes the key, and its webhooks reach the ingress of the desk.
        """
        public = dev.places["webhooks"].partition("/webhooks")[0]
        variables = {name.replace("MAIN", "DEV"): value for name, value in of_dev(dev, PUBLIC_URL=public).items()}
        code, found = check(**variables, CORDBOARD_ACCOUNTS__DEV__DIAL_URL_SECRET="a-secret-that-is-long-enough")

        assert code == 0, found
        assert grades(found, "accounts.dev.api_key") == ["ok"]
        # It is reached, but loopback is nothing that Telnyx could reach.
        assert grades(found, "accounts.dev.public_url") == ["ok", "warning"]

    def test_a_wrong_key(self, start: Callable[..., Dev], check: Check) -> None:
        """
        401, explained, and the key told nowhere.
        """
        dev = start()
        assert httpx.put(f"{dev.sandbox}/sandbox/settings", json={"api_keys": ["another"]}).is_success
        code, found = check(**of_dev(dev, API_KEY=KEY))

        assert code == 1
        assert "refuses it (401)" in error_of(found, "accounts.main.api_key")

    @pytest.mark.parametrize(
        ("status", "subject", "said"),
        [
            (403, "accounts.main.api_key", "does not permit it (403)"),
            (404, "accounts.main.base_url", "is not Telnyx's API"),
            (301, "accounts.main.base_url", "is not Telnyx's API"),
        ],
    )
    def test_what_answers_otherwise(self, check: Check, status: int, subject: str, said: str) -> None:
        """
        Each answer has its sentence.
        """
        with answering(status) as url:
            code, found = check(**{f"{ACCOUNT}API_KEY": KEY, f"{ACCOUNT}BASE_URL": f"{url}/v2"})

        assert code == 1
        assert said in error_of(found, subject)

    def test_nobody_there(self, check: Check) -> None:
        """
        A closed port, and a name that nobody has.
        """
        _, found = check(**{f"{ACCOUNT}API_KEY": KEY, f"{ACCOUNT}BASE_URL": "http://127.0.0.1:1/v2"})
        assert "nobody listens there" in error_of(found, "accounts.main.base_url")
        _, found = check(**{f"{ACCOUNT}API_KEY": KEY, f"{ACCOUNT}BASE_URL": "http://nobody.invalid/v2"})
        assert "its name is not known" in error_of(found, "accounts.main.base_url")

    @pytest.mark.parametrize(
        ("seconds", "grade"), [(0, "ok"), (60, "warning"), (-60, "warning"), (3_600, "error"), (-900, "error")]
    )
    def test_a_clock_that_is_off(self, check: Check, seconds: int, grade: str) -> None:
        """
        By Telnyx's Date: a minute may be borne, what is beyond the age of signatures cannot.
        """
        with answering(404, date=formatdate(time.time() + seconds, usegmt=True)) as url:
            _, found = check(**{f"{ACCOUNT}API_KEY": KEY, f"{ACCOUNT}BASE_URL": f"{url}/v2"})

        (clock,) = found["clock, by accounts.main"]
        assert clock["grade"] == grade
        assert ("behind" if seconds > 0 else "before" if seconds else "in step") in clock["sentence"]


class TestAddresses:
    def public(self, check: Check, url: str) -> list[dict[str, str]]:
        secret = "a-secret-that-is-long-enough"
        return check(**{f"{ACCOUNT}PUBLIC_URL": url, f"{ACCOUNT}DIAL_URL_SECRET": secret})[1][
            "accounts.main.public_url"
        ]

    def test_an_ingress_of_others(self, dev: Dev, check: Check) -> None:
        """
        It is ours, and does not know the account.
        """
        found = self.public(check, dev.places["webhooks"].partition("/webhooks")[0])

        assert "does not know the account main" in found[0]["sentence"]

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (302, "a redirection"),
            (403, "asks for credentials"),
            (404, "is no ingress of ours"),
            (502, "something before the ingress"),
        ],
    )
    def test_what_is_no_ingress(self, check: Check, status: int, said: str) -> None:
        """
        A proxy, a login, another program: each by its answer.
        """
        with answering(status) as url:
            found = self.public(check, url)

        assert found[0]["grade"] == "error"
        assert said in found[0]["sentence"]

    def test_nobody_there(self, check: Check) -> None:
        """
        The public address leads nowhere, and so does the one to which events are forwarded.
        """
        assert "nobody listens there" in self.public(check, "http://127.0.0.1:1")[0]["sentence"]
        code, found = check(**{f"{ACCOUNT}FORWARD_URL": "http://127.0.0.1:1/in?token=hidden"})
        assert code == 1
        assert "127.0.0.1:1 cannot be reached" in error_of(found, "accounts.main.forward_url")
        assert "hidden" not in json.dumps(found)

    def test_a_service_that_takes_events(self, check: Check) -> None:
        """
        Connected to, and sent nothing.
        """
        with answering() as url:
            _, found = check(**{f"{ACCOUNT}FORWARD_URL": url})

        assert grades(found, "accounts.main.forward_url") == ["ok"]


class TestStorage:
    def test_folders_that_cannot_be(self, check: Check, tmp_path: Path) -> None:
        """
        Below a file nothing can be made: the log, the spool, the recorder's tables.
        """
        (tmp_path / "file").write_text("")
        below = tmp_path / "file" / "folder"
        code, found = check(
            CORDBOARD_LOG__PATH=below / "log.sqlite3",
            CORDBOARD_INGRESS__SPOOL=below,
            CORDBOARD_RECORDER__KIND="sqlite",
            CORDBOARD_RECORDER__PATH=below / "tables.sqlite3",
        )

        assert code == 1
        for subject in ("log.path", "ingress.spool", "recorder.path"):
            assert "is a file, and must be a folder" in error_of(found, subject)

    def test_room_that_is_not_there(self, check: Check, tmp_path: Path) -> None:
        """
        A spool that may grow beyond the disk is a warning. (No disk of a test has 64 GiB less than that: it is full.)
        """
        small = Path("/dev/shm")  # noqa: S108 - a file system of its own, and a small one
        if not small.is_dir():
            pytest.skip("this machine has no small file system")
        _, found = check(
            CORDBOARD_INGRESS__SPOOL=small / tmp_path.name, CORDBOARD_INGRESS__SPOOL_BYTES_MAX=64 * 1024**3
        )

        (spool,) = found["ingress.spool"]
        assert (spool["grade"], "may be needed" in spool["sentence"]) == ("warning", True)

    def test_tables_that_are_none(self, check: Check, tmp_path: Path) -> None:
        """
        A file that is no database, and a database that is not there.
        """
        path = tmp_path / "tables.sqlite3"
        path.write_text("This is no database, but a text of some length, as somebody may have put here by mistake." * 9)
        _, found = check(CORDBOARD_RECORDER__KIND="sqlite", CORDBOARD_RECORDER__PATH=path)
        assert grades(found, "recorder.path") == ["ok", "error"]

        url = "postgresql://cordboard:hidden@127.0.0.1:1/cordboard"
        _, found = check(CORDBOARD_RECORDER__KIND="postgresql", CORDBOARD_RECORDER__URL=url)
        assert "the tables cannot be read" in error_of(found, "recorder.url")
        assert "hidden" not in json.dumps(found)

    def test_tables_that_are_there(self, check: Check, postgresql: Any) -> None:
        """
        An empty database will do: the recorder makes its tables.
        """
        _, found = check(CORDBOARD_RECORDER__KIND="postgresql", CORDBOARD_RECORDER__URL=postgresql.url)

        assert grades(found, "recorder.url") == ["ok"], found["recorder.url"]


class TestPorts:
    def test_ours_and_others(self, dev: Dev, check: Check) -> None:
        """
        Those of a running desk are known as ours; taken by another program they are errors, each with its setting.
        """
        places = {name: dev.places[name].rstrip("/v2").rpartition(":")[2] for name in ("grpc", "rest", "operations")}
        _, found = check(**{f"CORDBOARD_{name.upper()}__PORT": port for name, port in places.items()})
        assert [grades(found, f"{name}.port") for name in places] == [["ok"]] * 3
        assert "served by a process of Cordboard" in found["grpc.port"][0]["sentence"]

        with answering() as url:
            taken = url.rpartition(":")[2]
            for name in ("rest", "ingress", "operations"):
                _, found = check(**{f"CORDBOARD_{name.upper()}__PORT": taken})
                assert "is taken by another program" in error_of(found, f"{name}.port")
            _, found = check(CORDBOARD_GRPC__PORT=taken)
            assert grades(found, "grpc.port") == ["warning"]

    def test_an_address_that_is_not_ours(self, check: Check) -> None:
        """
        Nobody can listen on another machine's.
        """
        _, found = check(CORDBOARD_GRPC__HOST="192.0.2.1", CORDBOARD_GRPC__PORT=own_port())

        assert "grpc.host must be an address of this machine" in error_of(found, "grpc.port")


class TestKafka:
    @pytest.fixture
    def kafka(self, check: Check, kafka_servers: str, kafka_prefix: str) -> Check:
        def run(**variables: Any) -> tuple[int, Found]:
            usual = {
                "CORDBOARD_LOG__KIND": "kafka",
                "CORDBOARD_LOG__TOPIC_PREFIX": kafka_prefix,
                "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": kafka_servers,
                f"{ACCOUNT}BASE_URL": "http://127.0.0.1:1",
            }
            return check(**(usual | variables))

        return run

    def test_topics_that_are_missing_and_all_in_order(
        self, kafka: Check, kafka_servers: str, kafka_prefix: str
    ) -> None:
        """
        Named with the command that makes them; when it has, a record is written, and the brokers have our time.
        """
        code, found = kafka()
        assert code == 1
        assert grades(found, "kafka") == ["ok"]
        assert f"{kafka_prefix}.commands" in error_of(found, "kafka topics")
        assert "cordboard topics --create" in error_of(found, "kafka topics")
        # On Kafka each machine may have the settings of its own roles.
        assert grades(found, "accounts.main.api_key") == ["warning"]
        assert grades(found, "grpc.advertise") == ["warning"]

        names = Topics(kafka_prefix)
        wanted = demands(names.specs(["main"], 4), ledger=names.ledger, partitions=4, inputs=names.inputs)
        asyncio.run(ensure(Connection(bootstrap_servers=kafka_servers), wanted))
        code, found = kafka()
        assert code == 0, found
        assert [grades(found, name) for name in ("kafka topics", "kafka writes", "clock")] == [["ok"]] * 3
        # With other settings the same topics are wrong, each by itself.
        code, found = kafka(CORDBOARD_LOG__PARTITIONS=8)
        assert code == 1
        assert "must have 8" in error_of(found, f"topic {kafka_prefix}.commands")

    def test_brokers_that_are_not_there_or_do_not_let_us_in(self, kafka: Check, tmp_path: Path) -> None:
        """
        A closed port; and TLS where none is spoken.
        """
        _, found = kafka(CORDBOARD_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")
        assert "127.0.0.1:1 cannot be reached" in error_of(found, "kafka.bootstrap_servers")
        authority = make_certificates(tmp_path / "made").authority_file
        _, found = kafka(CORDBOARD_KAFKA__SECURITY_PROTOCOL="SSL", CORDBOARD_KAFKA__CA_FILE=authority)
        assert "hangs up on us" in error_of(found, "kafka") or "is not trusted" in error_of(found, "kafka")


class TestCertificates:
    @pytest.mark.parametrize(("days", "grade"), [(100, "ok"), (3, "warning"), (-1, "error")])
    def test_their_end(self, check: Check, tmp_path: Path, days: int, grade: str) -> None:
        """
        Good, about to end, ended.
        """
        file, key = tmp_path / "own.pem", tmp_path / "own.key"
        file.write_bytes(certificate(days))
        key.write_text("looked at by nobody here")
        _, found = check(
            CORDBOARD_LOG__KIND="kafka",
            CORDBOARD_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1",
            CORDBOARD_KAFKA__SECURITY_PROTOCOL="SSL",
            CORDBOARD_KAFKA__CERTIFICATE_FILE=file,
            CORDBOARD_KAFKA__KEY_FILE=key,
            **{f"{ACCOUNT}BASE_URL": "http://127.0.0.1:1"},
        )

        assert grades(found, "kafka.certificate_file") == [grade]


def certificate(days: int) -> bytes:
    """One that ends so many days from now."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=end - timedelta(days=200),
        not_valid_after=end,
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_the_socket_is_let_go(check: Check) -> None:
    """
    Looking at a port leaves it free.
    """
    port = own_port()
    check(CORDBOARD_GRPC__PORT=port)
    socket.create_server(("127.0.0.1", port)).close()
