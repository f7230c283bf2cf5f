"""The client's results and events straight from Kafka, shared by a group."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from cordboard.client import Told
from cordboard.client.kafka import GroupFeed, events_from_kafka, results_from_kafka
from tests.clients.desk import KafkaDesk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def results_of(desk: KafkaDesk, group: str, count: int) -> list[Told]:
    """As many results as a group is told next."""
    async with results_from_kafka(desk.servers, group, prefix=desk.prefix) as feed, asyncio.timeout(60):
        return [await anext(feed) for _ in range(count)]


async def test_results_and_events_are_typed(desk: KafkaDesk):
    """
    As a watch tells them, with what Telnyx said.
    """
    async with asyncio.timeout(100):
        call = desk.client.call(desk.call())
        action = await call.speak(payload="hello", voice="female")
        await action.completed()
        async with results_from_kafka(desk.servers, str(uuid4()), prefix=desk.prefix) as feed:
            told = await found(feed, action.command_id)
        assert (told.kind, told.result.call_control_id) == ("result", call.id)

        async with events_from_kafka(desk.servers, str(uuid4()), prefix=desk.prefix) as events:
            async for event in events:
                if event.command_id == action.command_id and event.type == "call.speak.ended":
                    break
        assert (event.call_control_id, event.account, event.payload["status"]) == (call.id, "main", "completed")
        assert event.message.occur_time.seconds


async def found(feed: GroupFeed[Told], command_id: str) -> Told:
    async for told in feed:
        if told.result.command_id == command_id:
            return told
    raise AssertionError("the feed ended")


async def test_a_group_goes_on_behind_what_was_dealt_with(desk: KafkaDesk):
    """
    Each once, through several lives of its members; what a member was given last and did not deal with comes again.
    """
    group, call = str(uuid4()), desk.client.call(desk.call())
    sent = [(await call.send_dtmf(digits="1")).command_id for _ in range(6)]
    await desk.ended(*sent)
    everything = len({one.header("ce_id") for one in desk.ear.of(desk.topics.results) if "completed" not in kind(one)})

    first = await results_of(desk, group, 2)
    lost: list[Told] = []
    with pytest.raises(RuntimeError, match="in the middle"):
        await breaking_off(desk, group, lost)
    rest = await results_of(desk, group, everything - 2)

    told = [one.result.command_id for one in (*first, *rest)]
    assert lost[0].result.command_id in told
    assert len(told) == len(set(told)) == everything
    assert set(sent) <= set(told)


async def breaking_off(desk: KafkaDesk, group: str, lost: list[Told]) -> None:
    """A member that fails while it deals with something."""
    async with results_from_kafka(desk.servers, group, prefix=desk.prefix) as feed, asyncio.timeout(60):
        lost.append(await anext(feed))
        raise RuntimeError("in the middle")


def kind(heard: object) -> str:
    return str(heard.header("ce_type"))  # type: ignore[attr-defined]  # a record that was heard
