"""Whether a command may be taken: every field that is wrong at once, by the contract's rules and those that need more.

What is wrong whatever the state of its call is found here, before acceptance; what depends on the call is a result.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import protovalidate
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct

from cordboard.body import from_struct, is_map, is_untyped, typed_names, value_of, written
from cordboard.catalogue import CATALOGUE
from cordboard.v1 import Command

_NANOS: Final = 1_000_000_000
PAST_RULE: Final = "expire_time.past"  # The one rule that a command breaks by waiting.
COMMAND_BYTES_MAX: Final = 128 * 1024
EXPIRE_AHEAD_MS_MAX: Final = 12 * 3_600_000
ITEMS_MAX: Final = 256  # In one list: to look at as many as fit into a command would take a process's every second.
INNER_ITEMS_MAX: Final = 1_024  # In all lists inside one field together, for the same reason.

_OF_THE_COMMAND: Final = ("command_id", "client_state")  # Fields of a body that have their place in the command.
_SHOWN_MAX: Final = 40  # Characters of a wrong value that a sentence repeats.
_FINITE: Final = "must hold only numbers that JSON can write, not NaN or Infinity"
_SENTENCES: Final = {  # Where protovalidate's own say less than could be said.
    "value is required": "must be set",
    "exactly one field is required in oneof": "must be set: to exactly one of the contract's actions",
    "value must be one of the defined enum values": "must be one of the contract's values",
}

_validator: Final = protovalidate.Validator()  # Compiles each message's rules once.
_REMEMBERED_MAX: Final = 8_192


class Violation(NamedTuple):
    """A field that is wrong: its path (such as speak.payload), a sentence for people, and the rule for programs."""

    field: str
    description: str
    rule: str


def too_large(command: Command) -> bool:
    """Whether a command is larger than any that is taken."""
    return command.ByteSize() > COMMAND_BYTES_MAX


def violations(command: Command, now_ms: int) -> list[Violation]:
    """Everything that is wrong with a command that came at `now_ms` (Unix milliseconds); nothing: it may be taken.

    The sentences repeat no text, digits or numbers that people are called by: they may be logged.
    """
    if crowded := list(_crowded(command)):
        return crowded
    found = _passed.violations(command)
    found.extend(_times(command))
    if command.HasField("expire_time"):
        found.extend(_expiry(command, now_ms))
    if command.HasField("extra"):
        found.extend(_extra(command))
    if command.HasField("custom"):
        found.extend(_custom(command))
    return found


def contract_violations(message: Message) -> list[Violation]:
    """What is wrong with any message of the contract by its own rules alone; for the service's other requests."""
    return [_of_the_contract(violation) for violation in _validator.collect_violations(message)]


class _Passed:
    """The latest commands that kept all rules: whoever looks at one again, as the owner does after the door, knows."""

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}

    def violations(self, command: Command) -> list[Violation]:
        """What breaks the contract's rules or cannot be written, which depends on nothing but the command."""
        digest = hashlib.blake2b(command.SerializeToString(), digest_size=16).digest()
        if digest in self._digests:
            return []
        found = contract_violations(command)
        action = command.WhichOneof("action") or "custom"
        if action != "custom":  # Whose body is looked at by name.
            found.extend(_infinite(action, getattr(command, action)))
        if not found:
            self._digests[digest] = None
            if len(self._digests) > _REMEMBERED_MAX:
                del self._digests[next(iter(self._digests))]
        return found


_passed: Final = _Passed()


def _of_the_contract(violation: protovalidate.Violation) -> Violation:
    proto = violation.proto
    # Rules about a message as a whole start with the name of the field that is wrong.
    field = _path(proto.field.elements) if proto.field else proto.rule_id.partition(".")[0]
    text = _SENTENCES.get(proto.message, proto.message)
    sentence = f"{field} {text}" if text.startswith("must ") else f"{field}: {text}"
    return Violation(field, sentence + _shown(violation.field_value, proto.rule_id), proto.rule_id)


def _path(elements: Iterable[Any]) -> str:
    """A path as google.rpc.BadRequest writes it: dial.custom_headers[0].value."""
    path = ""
    for element in elements:
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{element.subscript.value}]"
    return path


def _shown(value: object, rule: str) -> str:
    """What was wrong, where that can be no secret: a number, or a word that is not on a list."""
    if rule == "string.in" or (isinstance(value, int | float) and not isinstance(value, bool)):
        return f", but is {repr(value)[:_SHOWN_MAX]}"
    return ""


def _crowded(command: Command) -> Iterator[Violation]:
    """The fields of the action that hold more than is looked at, in their own list or in those inside of it."""
    action = command.WhichOneof("action")
    for field, value in getattr(command, action).ListFields() if action else ():
        name = f"{action}.{field.name}"
        if field.is_repeated and len(value) > ITEMS_MAX:
            yield Violation(name, f"{name} must have at most {ITEMS_MAX} items, but has {len(value)}", "list.items")
        elif (inside := _items_inside(field, value)) > INNER_ITEMS_MAX:
            sentence = f"{name} must have at most {INNER_ITEMS_MAX} items in the lists inside of it, but has {inside}"
            yield Violation(name, sentence, "list.items")


def _items_inside(field: FieldDescriptor, value: Any) -> int:
    if is_map(field) and is_untyped(field):
        return _items(written(field, value).values())
    return sum(
        (len(content) if inner.is_repeated else 0) + _items_inside(inner, content)
        for _, message in _messages(field, value)
        for inner, content in message.ListFields()
    )


def _items(values: Iterable[object]) -> int:
    """How many items the lists and objects among plain values hold, and those inside of them."""
    inside = [
        value.values() if isinstance(value, dict) else value for value in values if isinstance(value, dict | list)
    ]
    return sum(len(one) + _items(one) for one in inside)


def _messages(field: FieldDescriptor, value: Any) -> Iterable[tuple[str, Message]]:
    """The typed messages in a field, each with where it stands there."""
    if value_of(field).message_type is None or is_untyped(field):
        return ()
    if is_map(field):
        return ((f"[{name}]", one) for name, one in value.items())
    return ((f"[{at}]", one) for at, one in enumerate(value)) if field.is_repeated else (("", value),)


def _times(command: Command) -> Iterator[Violation]:
    """Protobuf carries any numbers in its times; only those that are times can be worked with."""
    if not 0 <= command.expire_time.nanos < _NANOS:
        sentence = f"expire_time.nanos must be from 0 to 999999999, but is {command.expire_time.nanos}"
        yield Violation("expire_time", sentence, "timestamp.invalid")
    if not -_NANOS < command.completion_timeout.nanos < _NANOS:
        sentence = f"completion_timeout.nanos must be below 999999999, but is {command.completion_timeout.nanos}"
        yield Violation("completion_timeout", sentence, "duration.invalid")


def _expiry(command: Command, now_ms: int) -> Iterator[Violation]:
    expire_ms = command.expire_time.seconds * 1_000 + command.expire_time.nanos // 1_000_000
    ahead_ms = expire_ms - now_ms
    if ahead_ms <= 0:
        sentence = f"expire_time must be in the future, but was {-ahead_ms / 1000:.1f} s before the command came"
        yield Violation("expire_time", sentence, PAST_RULE)
    elif ahead_ms > EXPIRE_AHEAD_MS_MAX:
        sentence = f"expire_time must be at most 12 hours ahead, but is {ahead_ms / 3_600_000:.1f} hours"
        yield Violation("expire_time", sentence, "expire_time.ahead")


def _extra(command: Command) -> Iterator[Violation]:
    yield from _struct("extra", command.extra)
    if command.WhichOneof("action") is None:
        return
    for name in sorted(typed_names(command) & set(command.extra.fields) - set(_OF_THE_COMMAND)):
        sentence = f"extra.{name} must be absent, because the command sets the same field by its type"
        yield Violation(f"extra.{name}", sentence, "extra.typed")


def _custom(command: Command) -> Iterator[Violation]:
    yield from _struct("custom.body", command.custom.body)
    if command.custom.name in CATALOGUE:
        sentence = "custom.name must not be an action of the contract: use that action, and extra for what it lacks"
        yield Violation("custom.name", sentence, "custom.typed")


def _infinite(prefix: str, message: Message) -> Iterator[Violation]:
    """The fields without a type, wherever they stand, that hold a number which JSON does not have."""
    for field, value in message.ListFields():
        name = f"{prefix}.{field.name}"
        if is_untyped(field) and not _is_finite(written(field, value)):
            yield Violation(name, f"{name} {_FINITE}", "body.finite")
        for place, inner in _messages(field, value):
            yield from _infinite(name + place, inner)


def _struct(field: str, struct: Struct) -> Iterator[Violation]:
    """What is wrong with body fields that have no type."""
    for name in _OF_THE_COMMAND:
        if name in struct.fields:
            sentence = f"{field}.{name} must be absent: {name} is a field of the command itself"
            yield Violation(f"{field}.{name}", sentence, "body.own_field")
    for name, value in sorted(from_struct(struct).items()):
        if not _is_finite(value):
            yield Violation(f"{field}.{name}", f"{field}.{name} {_FINITE}", "body.finite")


def _is_finite(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)
