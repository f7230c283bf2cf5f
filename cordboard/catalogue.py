"""The actions, read from the contract's options: protos/ declares them, nothing repeats them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from cordboard.body import sender_body, wire_name, wire_options
from cordboard.v1 import PLACEMENT_LAST, ActionOptions, Command, Placement, RepeatClass, options_pb2
from cordboard.v1 import Completion as CompletionOptions
from cordboard.v1 import Lane as LaneOption
from cordboard.work import Lane, Repeat

_EXPIRE_SECONDS: Final = 30
_GRACE_MS: Final = 30_000  # Beyond the time that an action's own fields give it.
_LONGEST_MS: Final = 24 * 3_600_000  # As long as a sender may ask for.
_UNITS_MS: Final = {"_secs": 1_000, "_millis": 1}


@dataclass(frozen=True, slots=True)
class TimeField:
    """A field of the request that bounds how long its effect takes: its value, or else `default_ms`."""

    wire_name: str
    unit_ms: int
    default_ms: int


@dataclass(frozen=True, slots=True)
class Endless:
    """How an action is asked to go on for ever, and the events by which it is in effect then."""

    wire_name: str
    value: str
    completed_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Completion:
    """When an action that Telnyx accepted is in effect. Event types are Telnyx's, such as call.answered."""

    at_acceptance: bool
    completed_by: frozenset[str]
    failed_by: frozenset[str]
    failed_by_new_leg: frozenset[str]
    ends_call: bool
    outlives_call: bool
    base_ms: int
    time_fields: tuple[TimeField, ...]
    times: TimeField | None  # How many times over the time fields may run; unit 1.
    endless: Endless | None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done to a call. `expire_seconds` None: worth sending for as long as the call may live."""

    name: str
    number: int
    method: str
    path: str
    lane: Lane
    repeat: Repeat
    placement: Placement.ValueType
    expire_seconds: int | None
    takes_command_id: bool
    completion: Completion


def _lane(option: LaneOption.ValueType) -> Lane:
    return Lane(LaneOption.Name(option).removeprefix("LANE_").lower())


def _repeat(option: RepeatClass.ValueType) -> Repeat:
    return Repeat(RepeatClass.Name(option).removeprefix("REPEAT_CLASS_").lower())


def _time_field(message: Descriptor, name: str, unit_ms: int) -> TimeField:
    field = next(field for field in message.fields if wire_name(field) == name)
    return TimeField(name, unit_ms, orjson.loads(wire_options(field).default_json) * unit_ms)


def _time_fields(message: Descriptor, names: list[str]) -> Iterator[TimeField]:
    for name in names:
        unit_ms = next(unit_ms for suffix, unit_ms in _UNITS_MS.items() if name.endswith(suffix))
        yield _time_field(message, name, unit_ms)


def _completion(message: Descriptor, options: CompletionOptions) -> Completion:
    endless = options.endless
    return Completion(
        at_acceptance=options.at_acceptance,
        completed_by=frozenset(options.completed_by),
        failed_by=frozenset(options.failed_by),
        failed_by_new_leg=frozenset(options.failed_by_new_leg),
        ends_call=options.ends_call,
        outlives_call=options.outlives_call,
        base_ms=options.default_seconds * 1_000 + _GRACE_MS,
        time_fields=tuple(_time_fields(message, list(options.time_fields))),
        times=_time_field(message, options.times_field, 1) if options.times_field else None,
        endless=Endless(endless.field, endless.value, frozenset(endless.completed_by)) if endless.field else None,
    )


def _action(field: FieldDescriptor, message: Descriptor) -> Action:
    options: ActionOptions = message.GetOptions().Extensions[options_pb2.action]
    return Action(
        name=field.name,
        number=field.number,
        method=options.method,
        path=options.path,
        lane=_lane(options.lane),
        repeat=_repeat(options.repeat),
        placement=options.placement or PLACEMENT_LAST,
        expire_seconds=None if options.never_expires else options.expire_seconds or _EXPIRE_SECONDS,
        takes_command_id=not options.without_command_id,
        completion=_completion(message, options.completion),
    )


CATALOGUE: Final[Mapping[str, Action]] = MappingProxyType(
    {
        field.name: _action(field, field.message_type)
        for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields
        if field.message_type is not None  # All are messages; the types know it only so.
    }
)


def action_of(command: Command) -> Action:
    """The action that a command asks for. Raises KeyError where it asks for none."""
    return CATALOGUE[command.WhichOneof("action") or ""]


def completion_ms(command: Command) -> int:
    """How long to wait for the event that completes a command, in milliseconds, from when Telnyx accepted it."""
    if command.HasField("completion_timeout"):
        return command.completion_timeout.ToMilliseconds()
    completion = action_of(command).completion
    if not completion.time_fields:
        return completion.base_ms
    body = sender_body(command)
    bound_ms = sum(_value(body, field) for field in completion.time_fields)
    times = max(_value(body, completion.times), 1) if completion.times else 1
    return min(completion.base_ms + bound_ms * times, _LONGEST_MS)


def is_endless(command: Command) -> bool:
    """Whether what a command starts goes on for ever, and is therefore in effect as soon as it has started."""
    endless = action_of(command).completion.endless
    return endless is not None and sender_body(command).get(endless.wire_name) == endless.value


def _value(body: Mapping[str, object], field: TimeField) -> int:
    value = body.get(field.wire_name)
    return max(int(value * field.unit_ms), 0) if isinstance(value, int | float) else field.default_ms
