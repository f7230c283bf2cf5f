"""The ways to peers, over real sockets: opened once, closed when nobody needs them, quick to come back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cordboard.settings import Grpc
from dispatcher.core.page import Page
from dispatcher.rpc import channels as channels_module
from dispatcher.rpc.answering import Answering, Question, Word, decode_answer, encode
from dispatcher.rpc.channels import Channels, Unreachable, insecure
from tests.rpc.door import Desk

GROUP = "t.dispatcher"
QUESTION = encode(Question(GROUP, "A"))
CONNECT = insecure(Grpc())


class Owning:
    """A peer's own dispatcher. Its answer may be long, or long in coming."""

    def __init__(self, page: Page | None = None) -> None:
        self.page = page
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def find(self, key: str) -> Page | None:
        self.asked.set()
        await self.may_answer.wait()
        return self.page


@asynccontextmanager
async def peer(own: Owning, port: int = 0) -> AsyncIterator[str]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Answering(own, GROUP, 10).handler(),))
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{bound}"
    finally:
        await server.stop(None)


@pytest.fixture
async def channels() -> AsyncIterator[Channels]:
    opened = Channels(CONNECT)
    yield opened
    await opened.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


async def test_a_page_of_any_size_comes_over(channels: Channels) -> None:
    """
    Also one that is larger than what gRPC takes by itself.
    """
    async with peer(Owning(Page(key="A", ended=b"x" * 6 * 1024 * 1024))) as name:
        answer = decode_answer(await channels.ask(name, QUESTION))
        assert (answer.word, len(answer.page) > 6 * 1024 * 1024) == (Word.FOUND, True)


async def test_one_channel_for_all_questions_to_a_peer() -> None:
    """
    It is opened once, by whatever way the process is told to use.
    """
    opened: list[str] = []

    def connect(name: str) -> grpc.aio.Channel:
        opened.append(name)
        return CONNECT(name)

    channels = Channels(connect)
    async with peer(Owning()) as one, peer(Owning()) as two:
        for name in (one, two, one, two):
            assert decode_answer(await channels.ask(name, QUESTION)).word is Word.NONE
        assert opened == [one, two]
        await channels.close()


async def test_a_peer_that_is_gone_is_said_to_be_unreachable(channels: Channels) -> None:
    """
    Nobody listens there: the error names the peer.
    """
    name = f"127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=name):
        await channels.ask(name, QUESTION)


async def test_a_peer_that_does_not_answer_is_given_up(channels: Channels, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It may be frozen: the question ends by itself.
    """
    monkeypatch.setattr(channels_module, "ANSWER_SECONDS_MAX", 0.05)
    own = Owning()
    own.may_answer.clear()
    async with peer(own) as name:
        with pytest.raises(Unreachable, match="DEADLINE_EXCEEDED"):
            await channels.ask(name, QUESTION)


async def test_what_is_no_dispatcher_is_unreachable(channels: Channels) -> None:
    """
    An older version, or something else at that address: no answer is made of that.
    """
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    with pytest.raises(Unreachable, match="UNIMPLEMENTED"):
        await channels.ask(f"127.0.0.1:{port}", QUESTION)
    await server.stop(None)


async def test_a_peer_that_comes_back_is_reached_again(channels: Channels) -> None:
    """
    On the same address, soon, and over the same channel.
    """
    port = free_port()
    async with peer(Owning(), port) as name:
        await channels.ask(name, QUESTION)
    for _ in range(3):
        with pytest.raises(Unreachable):
            await channels.ask(name, QUESTION)
    async with peer(Owning(), port), asyncio.timeout(20):
        while True:
            try:
                await channels.ask(name, QUESTION)
            except Unreachable:
                await asyncio.sleep(0.01)
            else:
                break
    assert len(channels) == 1


async def test_those_who_are_gone_are_let_go(channels: Channels) -> None:
    """
    What they were asked before is still answered; a new question opens a new channel.
    """
    slow = Owning()
    async with peer(slow) as gone, peer(Owning()) as stays:
        await channels.ask(stays, QUESTION)
        slow.may_answer.clear()
        waiting = asyncio.create_task(channels.ask(gone, QUESTION))
        await slow.asked.wait()
        channels.keep({stays})
        assert len(channels) == 1
        slow.may_answer.set()
        assert decode_answer(await waiting).word is Word.NONE
        await channels.ask(gone, QUESTION)
        assert len(channels) == 2


async def test_the_door_answers_its_peers_and_tells_nobody_else_how(desk: Desk) -> None:
    """
    The method is on the door's port, and not in what reflection lists.
    """
    channels = Channels(CONNECT)
    answer = await channels.ask(desk.target, QUESTION)
    assert decode_answer(answer).word is Word.NONE
    await channels.close()
    stub = reflection_pb2_grpc.ServerReflectionStub(desk.channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    listed = await call.read()
    assert not [one.name for one in listed.list_services_response.service if "Peers" in one.name]
    call.cancel()
