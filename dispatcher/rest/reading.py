"""From Telnyx's JSON to a typed command: the opposite of `cordboard.body`, by the same names of the contract.

What the contract does not know passes as `extra`. So does a whole field in which something stands that it does not
know: its type has no room for that, and what is sent on must be what was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct, Value

from cordboard.body import is_map, is_untyped, value_of, wire_name
from cordboard.v1 import Command
from dispatcher.rest.meanings import Problem, malformed
from dispatcher.rest.routes import CUSTOM, Route

SOURCE: Final = "rest"  # In the results, for who asks how a command came.
_OF_THE_COMMAND: Final = frozenset({"command_id", "client_state"})
_INTEGERS: Final = {FieldDescriptor.CPPTYPE_INT32: 2**31, FieldDescriptor.CPPTYPE_INT64: 2**63}
_NUMBERS: Final = {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}

Body = Mapping[str, Any]


class Unreadable(Exception):
    """A body that is no command's, with all that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = problems


class _Misfit(Exception):
    """A value that has not the type of its field."""

    def __init__(self, pointer: str, wanted: str) -> None:
        super().__init__(pointer)
        self.problem = malformed(pointer, f"The value must be {wanted}.")


class _Unknown(Exception):
    """Something inside of a field that the contract does not know."""


def command_of(route: Route, body: Body, command_id: str, account: str) -> Command:
    """The command that a request asks for. Raises Unreadable; whether it may be taken is not looked at here."""
    command = Command(
        command_id=command_id,
        call_control_id=route.call,
        account=account,
        source=SOURCE,
        client_state=_client_state(body),
    )
    fields = {name: value for name, value in body.items() if name not in _OF_THE_COMMAND}
    try:
        if route.action == CUSTOM:
            command.custom.name = route.name
            json_format.ParseDict(fields, command.custom.body)
        else:
            _fill(command, route.action, fields)
        # A structure can be built deeper than anybody can read it.
        return Command.FromString(command.SerializeToString())
    except (DecodeError, json_format.ParseError, RecursionError):
        raise Unreadable(malformed("", "The body is nested too deeply.")) from None


def _client_state(body: Body) -> str:
    state = body.get("client_state")
    if state is not None and not isinstance(state, str):
        raise Unreadable(malformed("/client_state", "The value must be a string."))
    return state or ""


def _fill(command: Command, action: str, fields: Body) -> None:
    message = getattr(command, action)
    message.SetInParent()
    problems, extra = [], {}
    for name, value in fields.items():
        try:
            _member(message, name, value, f"/{name}")
        except _Unknown:
            extra[name] = value
        except _Misfit as misfit:
            problems.append(misfit.problem)
    if problems:
        raise Unreadable(*problems)
    if extra:
        json_format.ParseDict(extra, command.extra)


@cache
def _fields(message: Descriptor) -> Mapping[str, tuple[FieldDescriptor, ...]]:
    """The fields of a message by their names in the JSON: one for each of the forms that a value may have."""
    found: dict[str, tuple[FieldDescriptor, ...]] = {}
    for field in message.fields:
        found[wire_name(field)] = (*found.get(wire_name(field), ()), field)
    return found


def _member(message: Message, name: str, value: Any, pointer: str) -> None:
    """Set what a body calls `name`. Raises _Misfit, or _Unknown with the field as it was."""
    forms = _fields(message.DESCRIPTOR).get(name)
    if forms is None:
        raise _Unknown
    if value is None:
        return  # To Telnyx it is the same as nothing.
    if not value and _holds_many(forms[0]) and _fits(forms[0], value):
        raise _Unknown  # Which a typed field cannot tell from nothing.
    for field in forms:
        if _fits(field, value):
            try:
                _set(message, field, value, pointer)
            except _Unknown:
                message.ClearField(field.name)
                raise
            return
    raise _Misfit(pointer, " or ".join(_wanted(field) for field in forms))


def _set(message: Message, field: FieldDescriptor, value: Any, pointer: str) -> None:
    if is_map(field):
        place = getattr(message, field.name)
        for key, item in value.items():
            _put(value_of(field), item, f"{pointer}/{key}", place, key)
    elif field.is_repeated:
        place = getattr(message, field.name)
        for number, item in enumerate(value):
            _append(field, item, f"{pointer}/{number}", place)
    elif field.message_type is not None:
        _message(getattr(message, field.name), value, pointer)
    else:
        setattr(message, field.name, _scalar(field, value))


def _put(field: FieldDescriptor, item: Any, pointer: str, place: Any, key: str) -> None:
    _must_fit(field, item, pointer)
    if field.message_type is not None:
        _message(place[key], item, pointer)
    else:
        place[key] = _scalar(field, item)


def _append(field: FieldDescriptor, item: Any, pointer: str, place: Any) -> None:
    _must_fit(field, item, pointer, alone=True)
    if field.message_type is not None:
        _message(place.add(), item, pointer)
    else:
        place.append(_scalar(field, item))


def _message(message: Message, value: Any, pointer: str) -> None:
    message.SetInParent()
    if isinstance(message, Struct | Value):
        json_format.ParseDict(value, message)
        return
    for name, item in value.items():
        _member(message, name, item, f"{pointer}/{name}")


def _scalar(field: FieldDescriptor, value: Any) -> Any:
    return int(value) if field.cpp_type in _INTEGERS else value


def _must_fit(field: FieldDescriptor, value: Any, pointer: str, *, alone: bool = False) -> None:
    if not (_fits_alone(field, value) if alone else _fits(field, value)):
        raise _Misfit(pointer, _wanted_alone(field) if alone else _wanted(field))


def _holds_many(field: FieldDescriptor) -> bool:
    return field.is_repeated or is_map(field)


def _fits(field: FieldDescriptor, value: Any) -> bool:
    """Whether a JSON value has the type of a field."""
    if is_map(field):
        return isinstance(value, dict)
    return isinstance(value, list) if field.is_repeated else _fits_alone(field, value)


def _fits_alone(field: FieldDescriptor, value: Any) -> bool:
    """Whether it has the type of one of the field's values."""
    if field.message_type is not None:
        return isinstance(value, dict) or (is_untyped(field) and field.message_type.name == "Value")
    if field.cpp_type in _INTEGERS:
        limit = _INTEGERS[field.cpp_type]
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool) and -limit <= value < limit
    if field.cpp_type in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, bool if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else str)


def _wanted(field: FieldDescriptor) -> str:
    if is_map(field):
        return "an object"
    return "an array" if field.is_repeated else _wanted_alone(field)


def _wanted_alone(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        return "an object"
    if field.cpp_type in _INTEGERS:
        return "an integer"
    if field.cpp_type in _NUMBERS:
        return "a number"
    return "a boolean" if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else "a string"
