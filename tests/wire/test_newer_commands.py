"""The examples of docs/newer-commands.md are true: valid here, taken by the sandbox, which tells what they say."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from cordboard import v1
from cordboard.validation import violations
from sandbox.core import newer
from sandbox.core.exchange import Exchange
from sandbox.core.life import Habits
from tests.contract.samples import CALL, OTHER_CALL, UUID
from tests.wire.test_wire import Wire, code_of, exactly
from workers.core.outcome import Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[2] / "docs" / "newer-commands.md").read_text()
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
BEFORE: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "ai_assistant_join": [("ai_assistant_start", {})],
    "ai_assistant_add_messages": [("ai_assistant_start", {})],
    "ai_assistant_stop": [("ai_assistant_start", {})],
    "conversation_relay_stop": [("conversation_relay_start", {})],
    "send_sip_info": [("bridge", {"call_control_id": OTHER_CALL})],
    "siprec_stop": [("siprec_start", {})],
}
NOT_YET = {"siprec_start": {"siprec.failed", "siprec.stopped"}}
US, THEM = "+18005550101", "+18005550100"
ENDS = {"ai_assistant_start": "ai_assistant_stop", "conversation_relay_start": "conversation_relay_stop"}


def example(name: str, conversation: str = "") -> v1.Command:
    """The section's command, its placeholders filled in."""
    (text,) = re.findall(r"```json\n(.*?)```", SECTIONS[name], flags=re.DOTALL)
    given = json.loads(text.replace("CONVERSATION", conversation).replace('"CALL"', f'"{OTHER_CALL}"'))
    command = json_format.ParseDict(given, v1.Command())
    command.command_id, command.call_control_id = UUID, CALL
    return command


def events_of(name: str) -> set[str]:
    """The events that a section names; a stop's are those of its start."""
    _, _, said = SECTIONS[name].partition("Events:")
    if "those of its start" in said:
        return events_of(name.replace("_stop", "_start"))
    return set(re.findall(r"`((?:call|siprec)\.[\w.]+)`", said))


async def fit(wire: Wire, name: str) -> None:
    """Calls in the state for which the command is meant."""
    await wire.answered(OTHER_CALL)
    if name == "switch_supervisor_role":
        await wire.supervising(CALL, OTHER_CALL)
    else:
        await wire.answered(CALL)
    await wire.prepare(CALL, BEFORE.get(name, []))


async def test_every_newer_command_has_an_example() -> None:
    """
    The thirteen, and the one that only the vendor's client has; as many as the sandbox knows.
    """
    assert set(SECTIONS) == set(newer.SCHEMAS)
    assert len(set(SECTIONS) - {"pay"}) == 13


@pytest.mark.parametrize("name", SECTIONS)
async def test_an_example_is_taken_and_tells_what_it_says(wire: Wire, name: str) -> None:
    """
    Valid here, accepted there, under its name and with its body; command_id goes along where Telnyx has one.
    """
    await fit(wire, name)
    conversation = await wire.conversation(CALL) if name == "ai_assistant_join" else ""
    command = example(name, conversation)
    assert violations(command, 0) == []

    _, reply = await wire.send(command)

    arrived = await wire.latest()
    body = {} if name in newer.WITHOUT_ID else {"command_id": UUID}
    sent = json_format.MessageToDict(command.custom.body)
    assert isinstance(reply, Answer)
    assert (reply.status, code_of(reply)) == (200, None)
    assert (arrived["method"], arrived["path"]) == ("POST", f"/calls/{CALL}/actions/{name}")
    assert exactly(arrived["body"]) == exactly({**whole(sent), **body})


@pytest.mark.parametrize("name", SECTIONS)
async def test_the_events_are_those_that_the_page_names(name: str) -> None:
    """
    All that come, in the minute after it or by its end; a session that begins has not failed.
    """
    exchange = Exchange(Habits(), random.Random(1), str)
    call, other = (exchange.incoming(from_=THEM, to=US, connection_id="7") for _ in range(2))
    for leg in (call, other):
        exchange.command(leg, "answer", {})
    call.supervisor_role = "barge"
    for action, body in BEFORE.get(name, []):
        exchange.command(call, action, {**body, **({"call_control_id": other.id} if action == "bridge" else {})})
    exchange.take_events()

    conversation = call.sessions.conversing() if name == "ai_assistant_join" else ""
    exchange.command(call, name, whole(json_format.MessageToDict(example(name, conversation).custom.body)))
    if name in ENDS:
        exchange.command(call, ENDS[name], {})
    exchange.advance(60)

    assert {event.event_type for event in exchange.take_events()} == events_of(name) - NOT_YET.get(name, set())


def whole(value: Any) -> Any:
    """What protobuf's JSON writes as 1.0, as it was given."""
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("name", sorted(newer.WITHOUT_ID))
async def test_the_page_says_which_have_no_command_id(name: str) -> None:
    """
    As the contract and the sandbox have it.
    """
    assert "has no `command_id`" in SECTIONS[name]
