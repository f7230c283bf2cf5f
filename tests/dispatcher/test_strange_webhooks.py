"""Webhooks and commands that say strange things: none vanishes, and none spoils what comes after it."""

from __future__ import annotations

import json

import pytest

from cordboard.cloudevents import header
from cordboard.log.port import NewRecord
from cordboard.v1 import Command, CommandResult, Reason
from cordboard.webhook import parse
from dispatcher.ingress.records import Delivery, records_of
from tests.dispatcher.harness import TOPICS, HandClock, connect, make_broker, staged


def webhook(event_id: str, occurred_at: str, **payload: str) -> NewRecord:
    """The record that the ingress writes."""
    data = {"id": event_id, "event_type": "call.answered", "occurred_at": occurred_at, "payload": payload}
    body = json.dumps({"data": data}).encode()
    (record,) = records_of(parse(body), Delivery("main", body, "a-signature", "1700000000"), TOPICS.webhooks)
    return record


@pytest.mark.parametrize("name", ["dial:main/x", "leg:x", "session:x", "event:x"])
async def test_a_call_named_like_another_page_is_none(name: str) -> None:
    """
    Nothing of another page is addressed by it; the webhook is handed on as one that names no call.
    """
    clock = HandClock()
    async with staged(connect(make_broker(clock)), clock) as stage:
        await stage.log.append([webhook("strange", "2023-11-14T22:13:20Z", call_control_id=name)])
        await stage.applied()
        events = await stage.all_of(TOPICS.events)

    assert [header(one.headers, "ce_id") for one in events] == ["strange"]
    assert header(events[0].headers, "ce_subject") == ""
    assert name.encode() in events[0].value


async def test_an_event_of_years_to_come_makes_nothing_late() -> None:
    """
    It counts as having happened when the log took it, or a little later.
    """
    clock = HandClock()
    async with staged(connect(make_broker(clock)), clock) as stage:
        await stage.log.append([webhook("strange", "9999-12-31T23:59:59Z", call_control_id="A")])
        await stage.applied()
        clock.time_ms += 10_000
        await stage.log.append([webhook("next", "", call_control_id="A")])
        await stage.applied()
        events = await stage.all_of(TOPICS.events)

    assert [header(one.headers, "ce_id") for one in events] == ["strange", "next"]
    assert [header(one.headers, "ce_late") for one in events] == ["", ""]


@pytest.mark.parametrize("name", ["dial:main/x", "leg:x", "session:x", "event:x"])
async def test_a_command_for_a_call_named_like_another_page_is_refused(name: str) -> None:
    """
    Whoever writes it straight to the topic; at the doors the same rule of the contract refuses it.
    """
    clock = HandClock()
    command = Command(command_id="c", call_control_id=name, account="main", hangup={})
    async with staged(connect(make_broker(clock)), clock) as stage:
        await stage.log.append([NewRecord(TOPICS.commands, name.encode(), command.SerializeToString())])
        await stage.applied()
        (told,) = await stage.all_of(TOPICS.results)

    result = CommandResult.FromString(told.value)
    assert (Reason.Name(result.reason), result.violations[0].field) == ("REASON_INVALID_COMMAND", "call_control_id")
