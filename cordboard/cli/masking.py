"""A request as people may see it: what the contract marks as secret is masked, and what is sensitive on request."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from cordboard.body import from_struct, from_value, is_map, value_of, wire_name, wire_options

MASK: Final = "***"


def shown(message: Message, *, sensitive: bool) -> dict[str, Any]:
    """The fields that are set, by Telnyx's names; `sensitive` masks texts and digits too."""
    if isinstance(message, Struct):  # No type says what is in it.
        return dict.fromkeys(message.fields, MASK) if sensitive else from_struct(message)
    return {wire_name(field): _value(field, value, sensitive) for field, value in message.ListFields()}


def _value(field: FieldDescriptor, value: Any, sensitive: bool) -> Any:
    options = wire_options(field)
    if options.secret or (options.sensitive and sensitive):
        return MASK
    if is_map(field):
        return {name: _one(value_of(field), item, sensitive) for name, item in value.items()}
    return [_one(field, item, sensitive) for item in value] if field.is_repeated else _one(field, value, sensitive)


def _one(field: FieldDescriptor, value: Any, sensitive: bool) -> Any:
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.message_type is None:
        return value
    if isinstance(value, Value):
        return MASK if sensitive else from_value(value)
    return shown(value, sensitive=sensitive)
