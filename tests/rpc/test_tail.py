"""The tail hears every partition from when the door opens, and says truly whether it does."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import grpc
import grpc.aio
import pytest

from cordboard import tail as tail_module
from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import LogUnavailable, NewRecord, Reader, Record, TopicPartition, TopicSpec
from cordboard.tail import Tail
from cordboard.v1 import STATE_SUCCEEDED, ExecuteRequest
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from tests.rpc.door import CLOCK, SETTINGS, TOPICS, make_door, speak, until
from tests.rpc.neighbours import street

TOPIC, COUNT = "t.results", 5


class Ailing(MemoryLog):
    """A log that cannot be read, or asked, while it is told so."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.ails = False
        self.asked = 0
        self.made: list[Reader] = []

    async def end(self, at: TopicPartition) -> int:
        self.asked += 1
        if self.ails:
            raise LogUnavailable("no way to the log")
        return await super().end(at)

    def reader(self, positions: Any) -> Reader:
        reader: Any = super().reader(positions)
        read = reader.read

        async def unless_it_ails() -> list[Record]:
            records: list[Record] = [] if self.ails else await read()
            if self.ails:
                raise LogUnavailable("no way to the log")
            return records

        reader.read = unless_it_ails
        self.made.append(reader)
        return reader


@pytest.fixture
def log() -> Ailing:
    return Ailing(MemoryBroker([TopicSpec(TOPIC, COUNT, None)], 1, CLOCK, ()))


async def _say(log: MemoryLog, number: int, value: bytes) -> None:
    await log.append([NewRecord(TOPIC, b"", value, (), number)])


async def test_every_partition_is_heard_from_its_end(log: Ailing) -> None:
    """
    What was there before the start is not told, what comes after it is, whichever partition it comes to.
    """
    for number in range(COUNT):
        await _say(log, number, b"before")
    heard: list[tuple[int, bytes]] = []
    tail = Tail(log, TOPIC, lambda record: heard.append((record.partition, record.value)))
    assert not tail.healthy
    await tail.start()
    assert tail.healthy
    for number in range(COUNT):
        await _say(log, number, b"after")
    await until(lambda: len(heard) == COUNT)
    assert sorted(heard) == [(number, b"after") for number in range(COUNT)]
    await tail.stop()
    assert not tail.healthy


async def test_it_is_deaf_until_the_log_answers_again(log: Ailing, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A new reader alone is no proof that anything is heard; and nothing said meanwhile is missed.
    """
    monkeypatch.setattr(tail_module, "RETRY_SECONDS", 0.001)
    heard: list[bytes] = []
    tail = Tail(log, TOPIC, lambda record: heard.append(record.value))
    await tail.start()
    log.ails = True
    log.made[0].interrupt()
    await until(lambda: not tail.healthy)
    for number in range(COUNT):
        await _say(log, number, b"meanwhile")
        asked = log.asked
        await until(lambda asked=asked: log.asked > asked + 2)
        assert not tail.healthy
    log.ails = False
    await until(lambda: tail.healthy and len(heard) == COUNT)
    await tail.stop()


async def test_no_command_is_taken_before_its_result_can_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While the ends of the results are still asked for, the door is shut; then it is open, and hears another's results.
    """
    async with street(1) as made:
        log = MemoryLog(made.broker)
        may_tell, asked, end = asyncio.Event(), asyncio.Event(), log.end

        async def hesitate(at: TopicPartition) -> int:
            if at == TopicPartition(TOPICS.results, 1):
                asked.set()
                await may_tell.wait()
            return await end(at)

        monkeypatch.setattr(log, "end", hesitate)
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        door = make_door(log, made.processes[0].dispatcher, settings=SETTINGS.model_copy(update={"port": port}))
        opening = asyncio.create_task(door.start())
        await asked.wait()
        assert not door.hears_results
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = stubs.DispatcherServiceStub(channel)
            # Mostly refused at once; a port that nobody has yet may also swallow what is sent there.
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Execute(ExecuteRequest(command=speak("c1")), timeout=5)
            commands = (TopicPartition(TOPICS.commands, number) for number in range(log.partitions(TOPICS.commands)))
            assert [await end(at) for at in commands] == [0] * log.partitions(TOPICS.commands)
            may_tell.set()
            await opening
            assert door.hears_results
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = stubs.DispatcherServiceStub(channel)
            # gRPC remembers that nobody was there, and would not try again at once.
            answer = await stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20, wait_for_ready=True)
            assert answer.result.state == STATE_SUCCEEDED
        await door.stop(0.1)
