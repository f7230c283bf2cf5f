"""A request as people may see it: what the contract marks as secret is masked, and what is sensitive on request.

Numbers are masked but for their ends where they are not to be seen in full: so that a person who knows a number finds
its calls, and nobody who does not learns it. What no type describes (`extra`, the body of custom) is masked by the
names that the contract gives such fields elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from cordboard.body import from_struct, from_value, is_map, value_of, wire_name, wire_options
from cordboard.v1 import Command, WireOptions

MASK: Final = "***"
_ENDS: Final = (2, 4)  # Of a number: what is seen of its beginning and of its end.
_NUMBER: Final = re.compile(r"\+\d{7,15}(?!\d)")
_ADDRESS: Final = re.compile(r"(sips?:)([^@\s;>]+)@", re.IGNORECASE)


def shown(message: Message, *, sensitive: bool, numbers: bool = True) -> dict[str, Any]:
    """The fields that are set, by Telnyx's names; `sensitive` masks texts and digits too.

    `numbers`: whether numbers are shown in full.
    """
    if isinstance(message, Struct):  # No type says what is in it.
        return dict.fromkeys(message.fields, MASK) if sensitive else masked(from_struct(message), numbers=numbers)
    return {wire_name(field): _value(field, value, sensitive, numbers) for field, value in message.ListFields()}


def masked_number(text: str) -> str:
    """A number but for its ends, an address without its user; anything else is masked whole."""
    if _NUMBER.fullmatch(text):
        first, last = _ENDS
        return text[:first] + "*" * (len(text) - first - last) + text[-last:]
    if found := _ADDRESS.match(text):
        user = masked_number(found[2]) if _NUMBER.fullmatch(found[2]) else MASK
        return f"{found[1]}{user}{text[found.end() - 1 :]}"
    return text if text in {"", MASK} else MASK


def without_numbers(text: str) -> str:
    """A sentence whose numbers and addresses are masked."""
    text = _ADDRESS.sub(lambda found: f"{found[1]}{MASK}@", text)
    return _NUMBER.sub(lambda found: masked_number(found[0]), text)


def masked(value: Any, *, numbers: bool) -> Any:
    """Plain JSON with what its names say to be secret or a number masked."""
    if isinstance(value, dict):
        return {name: _named(name, one, numbers) for name, one in value.items()}
    if isinstance(value, list):
        return [masked(one, numbers=numbers) for one in value]
    return value if numbers or not isinstance(value, str) else without_numbers(value)


def _named(name: str, value: Any, numbers: bool) -> Any:
    options = _options_by_name().get(name)
    if options is not None and options.secret:
        return MASK
    if options is not None and options.number and not numbers:
        return _each_number(value)
    return masked(value, numbers=numbers)


def _each_number(value: Any) -> Any:
    if isinstance(value, list):
        return [_each_number(one) for one in value]
    return masked_number(value) if isinstance(value, str) else MASK


def _value(field: FieldDescriptor, value: Any, sensitive: bool, numbers: bool) -> Any:
    options = wire_options(field)
    if options.secret or (options.sensitive and sensitive):
        return MASK
    if options.number and not numbers:
        return _each_number(list(value) if field.is_repeated else value)
    if is_map(field):
        return {name: _one(value_of(field), item, sensitive, numbers) for name, item in value.items()}
    if field.is_repeated:
        return [_one(field, item, sensitive, numbers) for item in value]
    return _one(field, value, sensitive, numbers)


def _one(field: FieldDescriptor, value: Any, sensitive: bool, numbers: bool) -> Any:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.message_type is None:
        return value if numbers or not isinstance(value, str) else without_numbers(value)
    if isinstance(value, Value):
        return MASK if sensitive else masked(from_value(value), numbers=numbers)
    return shown(value, sensitive=sensitive, numbers=numbers)


@cache
def _options_by_name() -> dict[str, WireOptions]:
    """What the contract says of the fields that hold secrets or numbers, by their names in Telnyx's JSON."""
    declared = ((wire_name(field), wire_options(field)) for field in _fields(Command.DESCRIPTOR, set()))
    return {name: options for name, options in declared if options.secret or options.number}


def _fields(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        if field.message_type is not None:
            yield from _fields(field.message_type, seen)
