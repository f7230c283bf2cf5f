"""Whatever fields a valid command sets, the sandbox, written by another hand, has nothing against its body."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordboard.body import is_map, is_untyped, sender_body
from cordboard.validation import violations
from sandbox.core.bodies import SCHEMAS
from sandbox.core.call import Call
from sandbox.core.exchange import Exchange
from sandbox.core.life import Habits
from sandbox.core.problems import Refused
from tests.contract.newer import EVERY, smallest
from tests.contract.samples import MINIMAL, Sample

# A slow machine is no failure.
unhurried = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
PARKED: Final = frozenset({"answer", "reject"})
Pool = dict[tuple[str, str], list[Any]]


def gather(pool: Pool, message: Message) -> None:
    """All values that some sample has, by message and field."""
    for field, value in message.ListFields():
        pool[message.DESCRIPTOR.full_name, field.name].append(value)
        if field.message_type and not is_map(field) and not is_untyped(field):
            for item in value if field.is_repeated else [value]:
                gather(pool, item)


def pool_of_samples() -> Pool:
    pool: Pool = defaultdict(list)
    for sample in EVERY:
        gather(pool, sample.action)
    return pool


POOL: Final = pool_of_samples()


def fill(message: Message, field: FieldDescriptor, value: Any) -> None:
    """Set one field; what a map or a message holds already gives way."""
    message.ClearField(field.name)
    message.MergeFrom(type(message)(**{field.name: value}))


@st.composite
def subsets(draw: st.DrawFn, start: Message) -> Message:
    """A message with any of its fields beside those it has, each with a value of some sample, nested ones likewise."""
    fields = [field for field in start.DESCRIPTOR.fields if POOL[start.DESCRIPTOR.full_name, field.name]]
    for field in draw(st.lists(st.sampled_from(fields), unique_by=lambda field: field.number)) if fields else []:
        value = draw(st.sampled_from(POOL[start.DESCRIPTOR.full_name, field.name]))
        nested = field.message_type and not field.is_repeated and not is_untyped(field)
        fill(start, field, draw(subsets(type(value)())) if nested else value)
    return start


@st.composite
def commands(draw: st.DrawFn) -> Sample:
    """A valid command of any action: where fields exclude or lack each other, some are taken out again."""
    name = draw(st.sampled_from([sample.name for sample in MINIMAL]))
    action = draw(subsets(smallest(name)))
    needed = smallest(name)
    while violations(Sample(name, action).command(), 0):
        spare = [field.name for field, _ in action.ListFields() if not is_needed(needed, field)]
        if not spare:
            return Sample(name, needed)
        action.ClearField(draw(st.sampled_from(spare)))
    return Sample(name, action)


def is_needed(needed: Message, field: FieldDescriptor) -> bool:
    """Whether the smallest command has it."""
    return any(other.number == field.number for other, _ in needed.ListFields())


def call_for(exchange: Exchange, action: str) -> Call:
    call = exchange.incoming(from_="+18005550100", to="+18005550101", connection_id="7")
    if action not in PARKED:
        exchange.command(call, "answer", {})
    return call


def refusals(exchange: Exchange, action: str, body: dict[str, Any]) -> set[str]:
    """The kinds of codes with which a fitting call refuses the command."""
    try:
        if action == "dial":
            exchange.dial(body)
        else:
            exchange.command(call_for(exchange, action), action, body)
    except Refused as refused:
        return {problem.code[:2] for problem in refused.problems}
    return set()


@unhurried
@given(commands())
def test_every_valid_command_has_a_body_that_the_sandbox_takes(sample: Sample) -> None:
    """
    All 28 actions, older and newer fields in any company: only the state of a call can be against it.
    """
    body = sender_body(sample.command())
    exchange = Exchange(Habits(), random.Random(1), str)

    if sample.name != "playback_start" or body.keys() & {"audio_url", "media_name", "playback_content"}:
        SCHEMAS[sample.name].check(body)  # No field is required to play, but the sandbox insists on some source.
    assert refusals(exchange, sample.name, body) <= {"90", "99"}
    exchange.advance(1_000.0)


def test_the_values_cover_every_field() -> None:
    """
    Nothing is left out of the subsets because no sample sets it.
    """
    missing = [
        f"{sample.name}.{field.name}"
        for sample in MINIMAL
        for field in sample.action.DESCRIPTOR.fields
        if not POOL[sample.action.DESCRIPTOR.full_name, field.name]
    ]

    assert missing == []
