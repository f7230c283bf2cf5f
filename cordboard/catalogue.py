"""The actions, read from the contract's options: protos/ declares them, nothing repeats them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import orjson
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from cordboard.body import sender_body, wire_name, wire_options
from cordboard.v1 import PLACEMENT_LAST, ActionOptions, Command, Custom, Placement, RepeatClass, options_pb2
from cordboard.v1 import Clears as ClearsOption
from cordboard.v1 import Completion as CompletionOptions
from cordboard.v1 import Lane as LaneOption
from cordboard.v1 import Match as MatchOption
from cordboard.work import Lane, Repeat

_EXPIRE_SECONDS: Final = 30
GRACE_MS: Final = 30_000  # Beyond the time that an action's own fields give it.
_LONGEST_MS: Final = 24 * 3_600_000  # As long as a sender may ask for.
_DIGITS_MAX: Final = 10
_UNITS_MS: Final = {"_secs": 1_000, "_millis": 1}


@dataclass(frozen=True, slots=True)
class TimeField:
    """A field of the request that bounds how long its effect takes: its value, or else `default_ms`."""

    wire_name: str
    unit_ms: int
    default_ms: int


@dataclass(frozen=True, slots=True)
class Endless:
    """How an action is asked to go on for ever: it is in effect as soon as it has started."""

    wire_name: str
    value: str


@dataclass(frozen=True, slots=True)
class Match:
    """What a command says in its body, and its events in their payloads; see `cordboard.marks`."""

    wire_names: tuple[str, ...]
    payload: tuple[str, ...]
    assumed: object  # What is meant where an event says nothing; None: anything.
    default: object  # What is meant where a command says nothing; None: anything.
    exact: bool  # An event that says otherwise is another command's.


@dataclass(frozen=True, slots=True)
class GoesOn:
    """The events that end what is in effect before it is over, if any; it goes on only with the field `where_set`."""

    until: frozenset[str]
    where_set: str


@dataclass(frozen=True, slots=True)
class Clears:
    """What an action takes away that no event tells of: commands of `actions` that differ in no exact match."""

    wire_name: str  # The field that says so; "": it always does.
    value: str
    default: object  # Of the field, where it is not set.
    actions: frozenset[str]


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
    times: TimeField | None  # How many times over the time fields, or without any the default, may run; unit 1.
    endless: Endless | None
    matches: tuple[Match, ...]
    started_by: frozenset[str]
    progress: frozenset[str]
    goes_on: GoesOn | None
    clears: Clears | None
    ends_another: bool
    ends_one: bool
    failed_statuses: frozenset[str]
    joins_field: str  # The field that names the call whose session its new legs join.
    progress_of_new_leg: frozenset[str]

    @property
    def events(self) -> frozenset[str]:
        """All events of its call that can be its own."""
        until = self.goes_on.until if self.goes_on else frozenset()
        return self.completed_by | self.failed_by | self.started_by | self.progress | until


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
    names_without_command_id: frozenset[str]  # Of custom, which has many.


def _lane(option: LaneOption.ValueType) -> Lane:
    return Lane(LaneOption.Name(option).removeprefix("LANE_").lower())


def _repeat(option: RepeatClass.ValueType) -> Repeat:
    return Repeat(RepeatClass.Name(option).removeprefix("REPEAT_CLASS_").lower())


def _default(message: Descriptor, name: str) -> Any:
    """What Telnyx takes for a field that is not set; None where that is not known, or the field is not typed."""
    given = (wire_options(field).default_json for field in message.fields if wire_name(field) == name)
    return next((orjson.loads(default) for default in given if default), None)


def _time_field(message: Descriptor, name: str, unit_ms: int) -> TimeField:
    return TimeField(name, unit_ms, _default(message, name) * unit_ms)


def _times(message: Descriptor, name: str) -> TimeField:
    return TimeField(name, 1, _default(message, name) or 1)


def _time_fields(message: Descriptor, names: list[str]) -> Iterator[TimeField]:
    for name in names:
        unit_ms = next(unit_ms for suffix, unit_ms in _UNITS_MS.items() if name.endswith(suffix))
        yield _time_field(message, name, unit_ms)


def _match(message: Descriptor, option: MatchOption) -> Match:
    assumed = orjson.loads(option.assumed_json) if option.assumed_json else None
    defaults = (_default(message, name) for name in option.fields)
    default = next((one for one in defaults if one is not None), assumed)
    return Match(tuple(option.fields), tuple(option.payload), assumed, default, option.exact)


def _clears(message: Descriptor, option: ClearsOption) -> Clears:
    default = _default(message, option.field) if option.field else None
    return Clears(option.field, option.value, default, frozenset(option.actions))


def _completion(message: Descriptor, options: CompletionOptions) -> Completion:
    endless, goes_on = options.endless, options.goes_on
    return Completion(
        at_acceptance=options.at_acceptance,
        completed_by=frozenset(options.completed_by),
        failed_by=frozenset(options.failed_by),
        failed_by_new_leg=frozenset(options.failed_by_new_leg),
        ends_call=options.ends_call,
        outlives_call=options.outlives_call,
        base_ms=options.default_seconds * 1_000 + GRACE_MS,
        time_fields=tuple(_time_fields(message, list(options.time_fields))),
        times=_times(message, options.times_field) if options.times_field else None,
        endless=Endless(endless.field, endless.value) if endless.field else None,
        matches=tuple(_match(message, match) for match in options.matches),
        started_by=frozenset(options.started_by),
        progress=frozenset(options.progress),
        goes_on=GoesOn(frozenset(goes_on.until), goes_on.where_set) if options.HasField("goes_on") else None,
        clears=_clears(message, options.clears) if options.HasField("clears") else None,
        ends_another=options.ends_another,
        ends_one=options.ends_one,
        failed_statuses=frozenset(options.failed_statuses),
        joins_field=options.joins_field,
        progress_of_new_leg=frozenset(options.progress_of_new_leg),
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
        names_without_command_id=frozenset(options.names_without_command_id),
    )


CATALOGUE: Final[Mapping[str, Action]] = MappingProxyType(
    {
        field.name: _action(field, field.message_type)
        for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields
        if field.message_type is not None  # All are messages; the types know it only so.
    }
)


def action_of(command: Command) -> Action:
    """What a command asks for; a custom action as its sender describes it. Raises KeyError where it asks for none."""
    action = CATALOGUE[command.WhichOneof("action") or ""]
    return _described(action, command.custom) if command.HasField("custom") else action


def _described(action: Action, custom: Custom) -> Action:
    nameless = custom.without_command_id or custom.name in action.names_without_command_id
    # What Telnyx cannot know again is never blindly sent twice.
    known = Repeat.UNSENT if nameless else action.repeat
    return replace(action, takes_command_id=not nameless, repeat=_repeat(custom.repeat) if custom.repeat else known)


def completion_ms(command: Command) -> int:
    """How long to wait for the event that completes a command, in milliseconds, from when Telnyx accepted it."""
    if command.HasField("completion_timeout"):
        return command.completion_timeout.ToMilliseconds()
    completion = action_of(command).completion
    if not (completion.time_fields or completion.times):
        return completion.base_ms
    body = sender_body(command)
    times = max(_value(body, completion.times), 1) if completion.times else 1
    if not completion.time_fields:
        return min(GRACE_MS + (completion.base_ms - GRACE_MS) * times, _LONGEST_MS)
    bound_ms = sum(_value(body, field) for field in completion.time_fields)
    return min(completion.base_ms + bound_ms * times, _LONGEST_MS)


def is_endless(command: Command) -> bool:
    """Whether what a command starts goes on for ever, and is therefore in effect as soon as it has started."""
    endless = action_of(command).completion.endless
    return endless is not None and sender_body(command).get(endless.wire_name) == endless.value


def goes_on(command: Command) -> bool:
    """Whether what a command starts is over only some time after it was completed."""
    rule = action_of(command).completion.goes_on
    return rule is not None and (not rule.where_set or bool(sender_body(command).get(rule.where_set)))


def clears(command: Command) -> bool:
    """Whether a command takes away what others started, without an event that tells of it."""
    rule = action_of(command).completion.clears
    if rule is None or not rule.wire_name:
        return rule is not None
    return bool(sender_body(command).get(rule.wire_name, rule.default) == rule.value)


def joined_call(command: Command) -> str:
    """The call whose session the new legs of a command join; "" where that is a new one."""
    field = action_of(command).completion.joins_field
    call = sender_body(command).get(field) if field else None
    return call if isinstance(call, str) else ""


def _value(body: Mapping[str, object], field: TimeField) -> int:
    value = body.get(field.wire_name)
    if isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS_MAX:
        value = int(value)  # A number of times may come in words.
    return max(int(value * field.unit_ms), 0) if isinstance(value, int | float) else field.default_ms
