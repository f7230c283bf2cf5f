"""A writer whose producer has failed for good, on producers that are made up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, UnknownTopicOrPartitionError

from cordboard.clock import SystemClock
from cordboard.log.kafka import writer as writing
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.events import ignore
from cordboard.log.kafka.troubles import refused
from cordboard.log.kafka.writer import Placed, Writer
from cordboard.log.port import LogError, LogUnavailable, NewRecord, RecordRefused

RECORD = Placed(0, NewRecord("t", b"k", b"v"))


class Failing:
    """A producer that can send nothing."""

    async def send(self, *_: Any, **__: Any) -> asyncio.Future[Any]:
        raise KafkaConnectionError

    async def stop(self) -> None:
        """Nothing to end."""


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """While there is something in it no producer is made; one thing is taken out by each try."""
    left = [True, True, True]

    async def make(_: Writer) -> Any:
        if left:
            await asyncio.sleep(0.05)
            left.pop()
            raise LogUnavailable("nobody is there")
        return Failing()

    monkeypatch.setattr(Writer, "_new_producer", make)
    monkeypatch.setattr(writing, "RENEW_SECONDS", 0.01)
    return left


async def failed(outage: list[bool]) -> Writer:
    tries = list(outage)
    outage.clear()
    writer = Writer(Connection(bootstrap_servers="127.0.0.1:1"), SystemClock(), ignore)
    await writer.start()
    outage.extend(tries)
    with pytest.raises(LogError):
        await writer.append([RECORD])
    return writer


async def test_a_writer_comes_back_without_being_asked(outage: list[bool]) -> None:
    """
    A process that is not ready is given nothing to write: waiting for a write it would stay so for ever.
    """
    writer = await failed(outage)
    assert not writer.healthy
    async with asyncio.timeout(5):
        while not writer.healthy:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.01)
    assert outage == []
    await writer.close()


async def test_all_who_wait_for_a_producer_share_a_try(outage: list[bool]) -> None:
    """
    Else the hundredth of them would hear after a hundred times as long that the log is away.
    """
    writer = await failed(outage)
    answers = await asyncio.gather(*(writer.append([RECORD]) for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {LogUnavailable}
    assert len(outage) == 2
    await writer.close()


def test_what_is_in_a_record_is_refused_for_ever() -> None:
    """
    Who keeps it for later has to know that there is none; a topic that is not there yet may be, later.
    """
    assert type(refused(MessageSizeTooLargeError(), "a write")) is RecordRefused
    assert type(refused(UnknownTopicOrPartitionError(), "a write")) is LogUnavailable
