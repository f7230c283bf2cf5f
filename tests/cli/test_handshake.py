"""What keeps a handshake from coming about, in sentences: whose certificate, and what to give instead."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cordboard.cli.connection import dispatcher
from cordboard.cli.exits import Failure, Status
from cordboard.cli.handshake import trouble_with
from cordboard.cli.target import Target
from cordboard.tls.renewing import Renewing
from dispatcher.rpc.encryption import Encrypted
from tests.tls.made import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


@contextlib.asynccontextmanager
async def door(made: Made | None, *, asks: bool = True) -> AsyncIterator[str]:
    """A gRPC server that does not know what it is asked; its address. `made` None: in the clear."""
    server = grpc.aio.server()
    if made is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", Encrypted(Renewing(made.files(asks=asks))).credentials())
    await server.start()
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(0)


def target(address: str, made: Made, pair: tuple[Path, Path] | None = None, **more: str) -> Target:
    certificate, key = pair or (None, None)
    return Target(address, made.ca, certificate, key, **more)


async def test_nothing_is_wrong_where_one_is_let_in(made: Made):
    """
    With a certificate or without, over TLS or in the clear: whatever it was that went wrong, it was not that.
    """
    pair = made.issue("client")
    async with door(made) as asks, door(made, asks=False) as open_door, door(None) as clear:
        assert await trouble_with(target(asks, made, pair)) is None
        assert await trouble_with(target(open_door, made)) is None
        assert await trouble_with(Target(clear)) is None


async def test_nobody_is_there():
    """
    That is said by whoever asked: nothing listens, nobody has that name, or it is an address of another kind.
    """
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    for address in (f"127.0.0.1:{port}", "nobody.invalid:1", "unix:/nowhere"):
        assert await trouble_with(Target(address)) is None


async def test_one_side_speaks_tls(made: Made):
    """
    And the other one must, or must not.
    """
    async with door(made, asks=False) as encrypted, door(made) as asks, door(None) as clear:
        for address in (encrypted, asks):
            assert "speaks TLS: give the certificates" in str(await trouble_with(Target(address)))
        assert "speaks no TLS: leave out --tls-ca" in str(await trouble_with(target(clear, made)))


async def test_what_is_wrong_with_the_server(made: Made):
    """
    Another authority, another name, a certificate that has expired meanwhile.
    """
    other = Made(made.folder / "other")
    async with door(made) as address:
        assert "nobody in --tls-ca vouches for" in str(await trouble_with(target(address, other)))
        named = target(address, made, server_name="elsewhere.example")
        assert "for another name: if it is the right one, give that by --tls-name" in str(await trouble_with(named))

    made.expired("server", "localhost")
    server = grpc.aio.server()
    pair = ((made.server_key.read_bytes(), made.server.read_bytes()),)
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    await server.start()
    assert "has expired: it must be renewed" in str(await trouble_with(target(f"localhost:{port}", made)))
    await server.stop(0)


async def test_what_is_wrong_with_us(made: Made):
    """
    No certificate, or one that nobody there knows.
    """
    other = Made(made.folder / "other")
    async with door(made) as address:
        assert "asks for a certificate: give --tls-certificate" in str(await trouble_with(target(address, made)))
        strange = target(address, made, other.issue("strange"))
        assert "does not know who vouches for the certificate of --tls-c" in str(await trouble_with(strange))


async def test_a_command_ends_with_that_sentence(made: Made):
    """
    And with the status of what cannot be reached; files that cannot be used are a mistake in the command.
    """
    late, pair = made.expired("late"), made.issue("client")
    async with door(made) as address:
        for given, said, status in (
            (Target(address), f"{address} speaks TLS", Status.UNREACHABLE),
            (Target(address, made.folder / "nowhere"), "nowhere cannot be read: No such file", Status.USAGE),
            (target(address, made, late), "--tls-certificate .* must not have ended, which it did at", Status.USAGE),
            (
                target(address, made, (pair[0], late[1])),
                "--tls-key .* must hold the key of the certificate",
                Status.USAGE,
            ),
            (Target(address, made.ca, made.ca), "--tls-key must be set where --tls-certificate is", Status.USAGE),
        ):
            with pytest.raises(Failure, match=said) as caught:
                async with dispatcher(given) as client:
                    await client.get_call("A", timeout=5)
            assert caught.value.status is status


async def test_with_the_right_ones_it_is_reached(made: Made):
    """
    What the client is given is what the options say.
    """
    pair = made.issue("client")
    async with door(made) as address, dispatcher(target(address, made, pair)) as client:
        assert client._channel is not None
        stub = health_pb2_grpc.HealthStub(client._channel)
        with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
            await asyncio.wait_for(stub.Check(health_pb2.HealthCheckRequest()), 20)
