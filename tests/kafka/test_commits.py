"""What a group has committed, asked while its coordinator is moving."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.errors import GroupLoadInProgressError, NotCoordinatorForGroupError, UnknownError
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import demands
from cordboard.log.kafka.events import ignore
from cordboard.log.kafka.seat import KafkaSeat
from cordboard.log.kafka.topics import ensure
from cordboard.log.port import LogUnavailable
from cordboard.topics import Topics


class _Listener:
    """It takes what it is given."""

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Nothing is to be done."""

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Nothing is to be done."""


@pytest.fixture
async def seat(kafka_servers: str, kafka_prefix: str) -> AsyncIterator[KafkaSeat]:
    """The only one of its group, for a topic of two partitions."""
    topics, connection = Topics(kafka_prefix), Connection(bootstrap_servers=kafka_servers)
    wanted = demands(topics.specs(["main"], 2), ledger=topics.ledger, partitions=2, inputs=topics.inputs)
    await ensure(connection, wanted)
    seat = KafkaSeat(connection, f"{kafka_prefix}.group", topics.commands, _Listener(), 10_000, ignore)
    await seat.take()
    yield seat
    await seat.leave()


def answering(seat: KafkaSeat, *answers: OffsetFetchResponse_v3) -> list[OffsetFetchResponse_v3]:
    """Have the coordinator give these answers first, when it is asked what was committed."""
    waiting, client = list(answers), seat._consumer._client  # type: ignore[union-attr]  # it is seated
    ask = client.send

    async def send(node_id: int, request: Any, **how: Any) -> Any:
        if waiting and isinstance(request, OffsetFetchRequest):
            return waiting.pop(0)
        return await ask(node_id, request, **how)

    client.send = send
    return waiting


def as_a_whole(error: type[Exception]) -> OffsetFetchResponse_v3:
    """An answer that speaks of no partition, only of what went wrong."""
    return OffsetFetchResponse_v3(0, [], error.errno)  # type: ignore[attr-defined]  # each of Kafka's has one


async def test_what_was_committed_is_told(seat: KafkaSeat) -> None:
    """
    By partition; None where nothing ever was.
    """
    await seat.commit({0: 7})

    assert await seat.committed(0) == 7
    assert await seat.committed(1) is None


@pytest.mark.parametrize("error", [NotCoordinatorForGroupError, GroupLoadInProgressError])
async def test_a_coordinator_that_moves_is_asked_again(seat: KafkaSeat, error: type[Exception]) -> None:
    """
    It says so for the answer as a whole, and of the partitions nothing: that is not as if nothing were committed.
    """
    await seat.commit({0: 7})
    waiting = answering(seat, as_a_whole(error), as_a_whole(error))

    assert await seat.committed(0) == 7
    assert waiting == []


@pytest.mark.parametrize("answer", [as_a_whole(UnknownError), OffsetFetchResponse_v3(0, [], 0)])
async def test_an_answer_that_says_nothing_is_no_answer(seat: KafkaSeat, answer: OffsetFetchResponse_v3) -> None:
    """
    Whoever took it for "nothing committed" would begin with the oldest record, and send all of it again.
    """
    await seat.commit({0: 7})
    answering(seat, answer)

    with pytest.raises(LogUnavailable):
        await seat.committed(0)
