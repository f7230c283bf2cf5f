"""The gRPC port over TLS: who is let in, what is renewed while it serves, and dispatchers that ask each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cordboard.tls.names import Names
from cordboard.tls.renewing import Renewing
from cordboard.v1 import GetCallRequest, SubmitRequest
from dispatcher.rpc.answering import METHOD, SERVICE, Answering, Question, Word, decode_answer, encode
from dispatcher.rpc.certificate import names_of_caller
from dispatcher.rpc.channels import Channels, Unreachable
from dispatcher.rpc.encryption import Encrypted
from dispatcher.rpc.listeners import Listeners
from tests.rpc.door import SETTINGS, error_of, speak, until
from tests.rpc.neighbours import Street
from tests.tls.made import Made, serial, serial_shown

GROUP = "t.dispatcher"
QUESTION = encode(Question(GROUP, "A"))
Pair = tuple[Path, Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


def encrypted(made: Made, *, asks: bool = True, peer_name: str | None = None) -> Encrypted:
    return Encrypted(Renewing(made.files(asks=asks)), peer_name)


def credentials(made: Made, pair: Pair | None = None) -> grpc.ChannelCredentials:
    certificate, key = (None, None) if pair is None else (pair[0].read_bytes(), pair[1].read_bytes())
    return grpc.ssl_channel_credentials(made.ca.read_bytes(), key, certificate)


class Nothing:
    """Knows no page."""

    async def find(self, key: str) -> None:
        return None


class Whoami(grpc.GenericRpcHandler):
    """Keeps the names of who calls."""

    def __init__(self) -> None:
        self.known: list[Names | None] = []

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method != "/test/whoami":
            return None

        async def serve(_: bytes, context: Any) -> bytes:
            self.known.append(names_of_caller(context))
            return b""

        return grpc.unary_unary_rpc_method_handler(serve)


@contextlib.asynccontextmanager
async def port_of(way: Encrypted) -> AsyncIterator[tuple[int, Whoami]]:
    """Listeners as the door has them, that answer peers and say who called."""
    who = Whoami()

    def make(option: tuple[str, int]) -> grpc.aio.Server:
        server = grpc.aio.server(options=[option])
        server.add_generic_rpc_handlers((who, Answering(Nothing(), GROUP, 10, way.is_peer).handler()))
        return server

    listeners = Listeners(make, way.credentials)
    port = listeners.bind("127.0.0.1", 0)
    await listeners.start()
    try:
        yield port, who
    finally:
        await listeners.stop(0)


async def call(port: int, way: grpc.ChannelCredentials, method: str = "/test/whoami", said: bytes = b"") -> bytes:
    async with grpc.aio.secure_channel(f"localhost:{port}", way) as channel:
        asked: Any = channel.unary_unary(method)
        answer: bytes = await asked(said, timeout=20)
        return answer


class TestWhoIsLetIn:
    async def test_with_a_certificate_and_by_its_names(self, made: Made):
        """
        The subject, and all kinds of alternative names.
        """
        pair = made.issue("billing", "billing.example", "spiffe://here/billing")
        async with port_of(encrypted(made)) as (port, who):
            await call(port, credentials(made, pair))

        assert who.known == [Names("billing", ("billing.example",), ("spiffe://here/billing",))]

    async def test_without_one_where_none_is_asked_for(self, made: Made):
        """
        It is encrypted then, and nobody is known.
        """
        async with port_of(encrypted(made, asks=False)) as (port, who):
            await call(port, credentials(made))

        assert who.known == [None]

    async def test_nobody_else(self, made: Made):
        """
        Neither without a certificate, nor with one that has expired, or of another authority; nor in the clear.
        """
        other = Made(made.folder / "other")
        async with port_of(encrypted(made)) as (port, who):
            for pair in (None, made.expired("late"), other.issue("stranger")):
                with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
                    await call(port, credentials(made, pair))
            async with grpc.aio.insecure_channel(f"localhost:{port}") as channel:
                with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
                    await channel.unary_unary("/test/whoami")(b"", timeout=20)

        assert who.known == []

    async def test_a_server_that_nobody_vouches_for_is_not_believed(self, made: Made):
        """
        Another authority, or another name.
        """
        other = Made(made.folder / "other")
        made.issue("server", "elsewhere.example")
        async with port_of(encrypted(made, asks=False)) as (port, who):
            for trusted in (other, made):
                with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
                    await call(port, credentials(trusted))

        assert who.known == []


class TestRenewal:
    async def test_every_listener_shows_the_new_one_and_old_connections_live_on(self, made: Made):
        """
        The kernel spreads connections over eight servers; each asks for itself.
        """
        pair = made.issue("client")
        trusting = made.client_context(pair)
        trusting.set_alpn_protocols(["h2"])
        async with (
            port_of(encrypted(made)) as (port, who),
            grpc.aio.secure_channel(f"localhost:{port}", credentials(made, pair)) as channel,
        ):
            asked: Any = channel.unary_unary("/test/whoami")
            await asked(b"", timeout=20)
            assert await serial_shown(port, trusting) == (before := serial(made.server))
            made.issue("server", "localhost")
            assert {await serial_shown(port, trusting) for _ in range(40)} == {serial(made.server)} != {before}
            await asked(b"", timeout=20)

        assert len(who.known) == 2

    async def test_what_cannot_be_served_leaves_what_was_there(self, made: Made):
        """
        An expired certificate is refused, and whoever comes is served by the one of before.
        """
        before = serial(made.server)
        trusting = made.client_context()
        trusting.set_alpn_protocols(["h2"])
        async with port_of(encrypted(made, asks=False)) as (port, _):
            made.expired("server", "localhost")
            assert {await serial_shown(port, trusting) for _ in range(10)} == {before}

    async def test_an_authority_that_was_taken_away_lets_nobody_in(self, made: Made):
        """
        Whom it vouched for is refused from the next handshake on.
        """
        former = made.client_context()
        pair, other = made.issue("client"), Made(made.folder / "other")
        trusted = made.ca.read_bytes()
        async with port_of(encrypted(made)) as (port, who):
            await call(port, credentials(made, pair))
            made.ca.write_bytes(other.ca.read_bytes())
            for known, shown in ((False, pair), (True, other.issue("client"))):
                way = grpc.ssl_channel_credentials(trusted, shown[1].read_bytes(), shown[0].read_bytes())
                with contextlib.nullcontext() if known else pytest.raises(grpc.aio.AioRpcError):
                    await call(port, way)
        assert former
        assert len(who.known) == 2


class TestPeers:
    async def test_pages_are_told_to_dispatchers_alone(self, made: Made):
        """
        A client with a certificate of its own may call, and not ask that.
        """
        way = encrypted(made)
        async with port_of(way) as (port, _):
            with pytest.raises(grpc.aio.AioRpcError, match="pages are told to dispatchers alone") as caught:
                await call(port, credentials(made, made.issue("client")), f"/{SERVICE}/{METHOD}", QUESTION)
            channels = Channels(way.connect(SETTINGS), way.shown)
            answer = await channels.ask(f"localhost:{port}", QUESTION)
            await channels.close()

        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert decode_answer(answer).word is Word.NONE

    async def test_by_a_name_that_dispatchers_alone_have(self, made: Made):
        """
        Each has a certificate of its own, and is reached by an address that none of them names.
        """
        here, there = Made(made.folder), Made(made.folder / "there")
        there.ca.write_bytes(here.ca.read_bytes())
        there.authority = here.authority
        here.issue("server", "one.example", "dispatchers.example")
        there.issue("server", "two.example", "dispatchers.example")
        client = here.issue("client", "client.example")
        ways = [encrypted(one, peer_name="dispatchers.example") for one in (here, there)]
        async with port_of(ways[0]) as (port, _):
            channels = Channels(ways[1].connect(SETTINGS), ways[1].shown)
            answer = await channels.ask(f"127.0.0.1:{port}", QUESTION)
            await channels.close()
            own = here.client_context(client)
            assert own
            key, certificate = client[1].read_bytes(), client[0].read_bytes()
            option = (("grpc.ssl_target_name_override", "one.example"),)
            shown = grpc.ssl_channel_credentials(here.ca.read_bytes(), key, certificate)
            async with grpc.aio.secure_channel(f"127.0.0.1:{port}", shown, option) as channel:
                asked: Any = channel.unary_unary(f"/{SERVICE}/{METHOD}")
                with pytest.raises(grpc.aio.AioRpcError, match="dispatchers alone"):
                    await asked(QUESTION, timeout=20)

        assert decode_answer(answer).word is Word.NONE

    async def test_who_is_no_dispatcher_is_not_believed_as_one(self, made: Made):
        """
        Whoever sits at a dispatcher's address shows a certificate, too: without the name it is asked nothing.
        """
        impostor = made.issue("server", "localhost")
        way = encrypted(made, peer_name="dispatchers.example")
        async with port_of(way) as (port, _):
            channels = Channels(way.connect(SETTINGS), way.shown)
            with pytest.raises(Unreachable, match="UNAVAILABLE"):
                await channels.ask(f"localhost:{port}", QUESTION)
            await channels.close()
        assert impostor

    async def test_renewed_certificates_are_shown_to_peers(self, made: Made):
        """
        Channels that were opened with the former ones are opened anew.
        """
        way = encrypted(made)
        async with port_of(way) as (port, _):
            channels = Channels(way.connect(SETTINGS), way.shown)
            await channels.ask(f"localhost:{port}", QUESTION)
            # From now on another authority: who still shows or trusts the former is let in nowhere.
            made.authority = Made(made.folder / "new").authority
            made.ca.write_bytes(made.authority.issued.certificate)
            made.issue("server", "localhost")
            answer = await channels.ask(f"localhost:{port}", QUESTION)
            await channels.close()

        assert decode_answer(answer).word is Word.NONE


async def test_a_handshake_that_does_not_come_is_cut_off(made: Made):
    """
    Nobody holds a connection by saying nothing.
    """
    street, hasty = Street(), SETTINGS.model_copy(update={"handshake_seconds_max": 0.1})
    try:
        here = await street.started(credentials=credentials(made), encryption=encrypted(made), settings=hasty)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(here.name.rpartition(":")[2]))
        assert await reader.read() == b""
        writer.close()
    finally:
        for process in street.processes:
            await process.stop()


async def test_two_dispatchers_over_tls(made: Made):
    """
    A door that does not own a call asks its owner; a client is answered by both.
    """
    street, pair = Street(), made.issue("client")
    working = asyncio.create_task(street.hands.run())
    shown = credentials(made, pair)
    try:
        here, there = [await street.started(credentials=shown, encryption=encrypted(made)) for _ in range(2)]
        await street.spread(here, there)
        await here.stub.Submit(SubmitRequest(command=speak("c1", there.call())), timeout=20)
        await until(lambda: street.hands.works)
        view = await here.stub.GetCall(GetCallRequest(call_control_id=there.call()), timeout=20)
        assert view.call.call_control_id == there.call()
        assert (here.forwarded("found"), here.forwarded("unreachable")) == (1, 0)

        assert here.channel is not None
        health = health_pb2_grpc.HealthStub(here.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest(), timeout=20)).status
        asked: Any = here.channel.unary_unary(f"/{SERVICE}/{METHOD}")
        with pytest.raises(grpc.aio.AioRpcError, match="dispatchers alone"):
            await asked(QUESTION, timeout=20)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        for process in street.processes:
            await process.stop()


async def test_peers_with_other_authorities_say_why(made: Made):
    """
    Each is served by its own; the question fails, and the caller is told to come again.
    """
    street, other = Street(), Made(made.folder / "other")
    try:
        here = await street.started(credentials=credentials(made, made.issue("client")), encryption=encrypted(made))
        there = await street.started(credentials=credentials(other, other.issue("client")), encryption=encrypted(other))
        await street.spread(here, there)
        error = await error_of(here.stub.GetCall(GetCallRequest(call_control_id=there.call()), timeout=20))
        assert error.info.reason == "OWNER_UNREACHABLE"
    finally:
        for process in street.processes:
            await process.stop()
