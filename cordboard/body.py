"""What a sender set of a request, as Telnyx's JSON names it: snake_case, numbers as numbers, and only what was set.

Field by field this is far cheaper than proto3's JSON mapping, which would also write 64-bit integers as strings and
names in camelCase. How each message is written is worked out once, from the descriptors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value

from cordboard.v1 import Command, WireOptions, options_pb2

_INTEGERS: Final = 2**63  # JSON writers keep integers exact up to here; beyond, a double is what it was.

Body = dict[str, Any]
_Writer = Callable[[Any], Any]


def wire_options(field: FieldDescriptor) -> WireOptions:
    """What the contract says about a field of a request's body."""
    return field.GetOptions().Extensions[options_pb2.wire]


def wire_name(field: FieldDescriptor) -> str:
    """A field's name in Telnyx's JSON."""
    return wire_options(field).name or field.name


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is an object whose members the sender names; all such fields have strings for keys."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def value_of(field: FieldDescriptor) -> FieldDescriptor:
    """What a field holds: of such an object the type of its members, else the field itself."""
    kind = field.message_type
    return kind.fields_by_name["value"] if kind is not None and is_map(field) else field


def is_untyped(field: FieldDescriptor) -> bool:
    """Whether only the sender knows the types of what a field holds."""
    kind = value_of(field).message_type
    return kind is not None and kind.full_name in _UNTYPED


def written(field: FieldDescriptor, value: Any) -> Any:
    """A field's value as the body holds it."""
    write = _writer(field)
    return value if write is None else write(value)


def sender_body(command: Command) -> Body:
    """The body as the sender gave it: the action's fields, client_state, `extra` or `custom.body`; no command_id.

    Raises KeyError where the command has no action. A field named in several places takes its value from the last;
    `cordboard.validation` refuses such commands before.
    """
    name = command.WhichOneof("action") or ""
    action = getattr(command, name) if name else None
    body = from_struct(command.custom.body) if name == "custom" else _PLANS[name](action)
    if command.client_state:
        body["client_state"] = command.client_state
    if command.HasField("extra"):
        body.update(from_struct(command.extra))
    return body


def typed_names(command: Command) -> frozenset[str]:
    """The names, in Telnyx's JSON, that this command sets by typed fields (of a custom one: in its body)."""
    name = command.WhichOneof("action") or ""
    state = {"client_state"} if command.client_state else set()
    if name == "custom":
        return frozenset(state | set(command.custom.body.fields))
    return frozenset(state | {wire_name(field) for field, _ in getattr(command, name).ListFields()})


def from_struct(struct: Struct) -> Body:
    """A Struct as plain values; a whole number becomes an int again, which a Struct cannot tell from a double."""
    return {name: from_value(value) for name, value in struct.fields.items()}


def from_value(value: Value) -> Any:
    """A Value as a plain one, as in a Struct."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < _INTEGERS else number
    return None if kind in (None, "null_value") else getattr(value, kind)


def _as_list(write: _Writer | None) -> _Writer:
    def write_all(values: Iterable[Any]) -> list[Any]:
        return list(values) if write is None else [write(value) for value in values]

    return write_all


def _as_object(write: _Writer | None) -> _Writer:
    def write_all(values: Mapping[str, Any]) -> Body:
        return dict(values) if write is None else {name: write(value) for name, value in values.items()}

    return write_all


def _writer(field: FieldDescriptor) -> _Writer | None:
    """How to write a field's value; None: as it is."""
    if is_map(field):
        return _as_object(_one(value_of(field)))
    return _as_list(_one(field)) if field.is_repeated else _one(field)


def _one(field: FieldDescriptor) -> _Writer | None:
    """How to write one of a field's values."""
    if field.message_type is None:
        return None
    return _UNTYPED.get(field.message_type.full_name) or _plan(field.message_type)


def _plan(message: Descriptor) -> _Writer:
    """How to write a message: only the fields that are set, which ListFields knows (a set 0, false or "" is set)."""
    fields: Mapping[int, tuple[str, _Writer | None]] = {
        field.number: (wire_name(field), _writer(field)) for field in message.fields
    }

    def write(value: Message) -> Body:
        body: Body = {}
        for field, content in value.ListFields():
            name, writer = fields[field.number]
            body[name] = content if writer is None else writer(content)
        return body

    return write


# What protobuf itself has for values of which only the sender knows the type.
_UNTYPED: Final[Mapping[str, _Writer]] = {
    Struct.DESCRIPTOR.full_name: from_struct,
    Value.DESCRIPTOR.full_name: from_value,
}

_PLANS: Final[Mapping[str, _Writer]] = {
    field.name: _plan(field.message_type)
    for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields
    if field.message_type is not None and field.name != "custom"
}
