"""What protects a client's connection: TLS, by its own authorities if need be, and a token that travels in it only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from brokers.certificates import Certificates, make_certificates
from cordboard import Client, Tls
from cordboard.access import Access
from cordboard.client import CommandRefused
from cordboard.client.tokens import is_near
from cordboard.v1 import CallView, GetCallResponse
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from tests.rpc.door import CLOCK, desk_at, hangup, speak
from tests.rpc.identities import access, digest, identity
from tests.tls.made import Made


class Door(stubs.DispatcherServiceServicer):
    """Answers one question, and keeps who asked."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    async def GetCall(self, request: Any, context: Any) -> GetCallResponse:  # noqa: N802 - named as in the contract
        metadata = dict(context.invocation_metadata())
        self.shown.append(str(metadata.get("authorization", "")))
        return GetCallResponse(call=CallView(call_control_id=request.call_control_id))


@asynccontextmanager
async def door(certificates: Certificates) -> AsyncIterator[tuple[Door, str]]:
    servicer, server = Door(), grpc.aio.server()
    stubs.add_DispatcherServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call] # generated
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair_in(certificates)]))
    await server.start()
    try:
        yield servicer, f"localhost:{port}"
    finally:
        await server.stop(0)


def pair_in(certificates: Certificates) -> tuple[bytes, bytes]:
    """A server's key and certificate, which are in one file."""
    both = certificates.broker_file.read_bytes()
    at = both.index(b"-----BEGIN CERTIFICATE")
    return both[:at], both[at:]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


async def test_a_token_is_shown_with_each_call(certificates: Certificates):
    """
    Over TLS, by an authority of one's own.
    """
    authority = certificates.authority_file
    async with door(certificates) as (servicer, target), Client(target, ca_file=authority, token="secret") as client:
        view = await client.call("A").view()

    assert view.call_control_id == "A"
    assert servicer.shown == ["Bearer secret"]


async def test_who_is_vouched_for_by_others_is_not_trusted(certificates: Certificates):
    """
    Nothing is sent, and the token not either.
    """
    async with door(certificates) as (servicer, target), Client(target, tls=True, token="secret") as client:
        with pytest.raises(grpc.aio.AioRpcError):
            await client.get_call("A", timeout=2)

    assert servicer.shown == []


async def test_a_certificate_is_shown_to_who_asks_for_one(tmp_path: Path):
    """
    By a server that is reached by another name than its certificate's.
    """
    made = Made(tmp_path / "made", "elsewhere.example")
    servicer, server = Door(), grpc.aio.server()
    stubs.add_DispatcherServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call] # generated
    pair = (made.server_key.read_bytes(), made.server.read_bytes())
    port = server.add_secure_port("localhost:0", grpc.ssl_server_credentials([pair], made.ca.read_bytes(), True))
    await server.start()
    certificate_file, key_file = made.issue("client")
    tls = Tls(made.ca, certificate_file, key_file, "elsewhere.example")
    async with Client(f"localhost:{port}", tls=tls, token="secret") as client:
        assert (await client.call("A").view()).call_control_id == "A"
    await server.stop(0)

    assert servicer.shown == ["Bearer secret"]


def test_a_certificate_has_its_key():
    """
    Half of it is told at once, whichever half it is.
    """
    with pytest.raises(ValueError, match="key_file must be set where certificate_file is"):
        Tls(certificate_file="a.pem")
    with pytest.raises(ValueError, match="certificate_file must be set where key_file is"):
        Tls(key_file="a.key")


async def test_a_token_is_read_anew_with_each_call(certificates: Certificates, tmp_path: Path):
    """
    From its file, or from whatever gives it.
    """
    file, authority, words = tmp_path / "token", certificates.authority_file, iter("cd")
    async with door(certificates) as (servicer, target):
        async with Client(target, ca_file=authority, token_file=file) as client:
            for word in "ab":
                file.write_text(f"{word}\n")
                await client.get_call("A")
        async with Client(target, ca_file=authority, token=lambda: next(words)) as client:
            await client.get_call("A")
            await client.get_call("A")

    assert servicer.shown == [f"Bearer {word}" for word in "abcd"]


@pytest.mark.parametrize("target", ["dispatcher:50051", "dns:///dispatcher:50051", "10.0.0.1:50051", "[fd00::1]:1"])
def test_a_token_never_travels_in_the_clear(target: str):
    """
    It is refused before anything is connected, unless it is said that something else encrypts.
    """
    with pytest.raises(ValueError, match="token must not be set without TLS"):
        Client(target, token="secret")
    with pytest.raises(ValueError, match="token must not be set beside token_file"):
        Client(target, token="secret", token_file="token")


@pytest.mark.parametrize(
    "target", ["localhost:1", "127.0.0.1:1", "dns:///127.8.0.1:1", "[::1]:1", "ipv4:127.0.0.1:1", "unix:/run/x"]
)
def test_on_this_machine_a_token_needs_no_encryption(target: str):
    """
    What is sent there passes no network.
    """
    assert is_near(target)


async def test_a_token_that_cannot_be_sent_says_so(certificates: Certificates):
    """
    Rather than gRPC in its own words; and the error does not repeat it.
    """
    async with Client("localhost:1", token="two words") as client:
        with pytest.raises(ValueError, match="token must be one word of printable ASCII characters"):
            await client.get_call("A")


class TestIdentities:
    """At a real door that knows identities."""

    async def test_a_client_goes_on_with_a_new_token(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """
        Its stream and its watch were opened with the old one, which is nobody's any more.
        """
        monkeypatch.setattr("cordboard.access.access._LOOK_MS", 0)
        known, token = tmp_path / "identities.toml", tmp_path / "token"

        def rotate(word: str) -> None:
            table = '[identities.ivr]\naccounts = ["*"]\ntoken_sha256 = ["{}"]\n'
            known.write_text(table.format(digest(word)))
            token.write_text(word)

        rotate("one")
        async with (
            desk_at(tmp_path, access=Access(CLOCK, {}, known)) as desk,
            Client(desk.target, token_file=token) as client,
            client.watch() as watch,
        ):
            await watch.positioned()
            assert (await (await client.send(hangup("h1"))).result()).source == "ivr"
            rotate("two")
            assert (await (await client.send(hangup("h2"))).result()).source == "ivr"
            heard = ""
            while heard != "h2":  # What had no last word on the old stream is told again.
                heard = (await anext(watch)).result.command_id

    async def test_a_token_of_nobody_is_refused(self, tmp_path: Path):
        """
        As one exception, on a stream as elsewhere; nothing is tried again.
        """
        async with (
            desk_at(tmp_path, access=access(ivr=identity("t-ivr", actions=("hangup",)))) as desk,
            Client(desk.target, token="t-nobody") as nobody,
            Client(desk.target, token="t-ivr") as ivr,
        ):
            for client, reason in ((nobody, "UNAUTHENTICATED"), (ivr, "NOT_PERMITTED")):
                for send in (client.send, client.submit):
                    with pytest.raises(CommandRefused) as refused:
                        await send(speak("c1"))
                    assert refused.value.reason == reason
                    assert refused.value.code.name == reason.replace("NOT_PERMITTED", "PERMISSION_DENIED")
