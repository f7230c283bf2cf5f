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
from cordboard.v1 import CallView, GetCallResponse
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
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


def test_a_token_never_travels_in_the_clear():
    """
    It is refused before anything is connected.
    """
    with pytest.raises(ValueError, match="token must not be set without tls or ca_file"):
        Client("localhost:1", token="secret")
