"""From words on a command line to a typed action: names and types come from the contract's descriptors.

A field is given as `--name value` or `--name=value`, hyphens and underscores being one; `--a.b value` goes into a
message; a repeated field is given repeatedly; messages, lists and objects may also be given as JSON.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from cordboard.body import is_map, is_untyped, wire_name
from cordboard.cli.exits import Failure, Status
from cordboard.v1 import Command

_ACTIONS: Final = {field.name: field for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields}
_YES: Final = frozenset({"true", "yes", "1"})
_NO: Final = frozenset({"false", "no", "0"})
_WHOLE: Final = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    }
)
_FRACTIONAL: Final = frozenset({FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})

Given = dict[str, Any]


def action_named(word: str) -> str:
    """The action's name in the contract. Raises Failure with the nearest names."""
    name = word.replace("-", "_")
    if name not in _ACTIONS:
        raise _wrong(f"there is no action {word!r}{_nearest(name, _ACTIONS)}; all of them: {', '.join(_ACTIONS)}")
    return name


def fill(command: Command, action: str, words: Sequence[str], body: str | None) -> None:
    """Set the command's action from `--field value` words and from a JSON object; the words win. Raises Failure."""
    message = getattr(command, action)
    message.SetInParent()  # Also where it has no fields: it is the action that is asked for.
    given = _object(body) if body is not None else {}
    for path, text in _pairs(words):
        _put(given, message.DESCRIPTOR, path, text)
    try:
        json_format.ParseDict(given, message)
    except json_format.ParseError as error:
        raise _wrong(f"{action}: {error}") from None


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Each field with its value; None where none followed, as with `--overlay`."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            raise _wrong(f"{word!r} stands alone: a field is --name value, and values with spaces need quotes")
        name, equals, value = word[2:].partition("=")
        if equals:
            yield name, value
        else:
            yield name, rest.pop(0) if rest and not rest[0].startswith("--") else None


def _put(given: Given, message: Descriptor, path: str, text: str | None) -> None:
    names = path.replace("-", "_").split(".")
    for name in names[:-1]:
        field = _field(message, name)
        if is_map(field) or is_untyped(field):
            raise _wrong(f"--{path}: {name} has names of your own, not the contract's; give the whole field as JSON")
        if field.message_type is None or field.is_repeated:
            raise _wrong(f"--{path}: {name} is not a message, so nothing is in it; give the whole field as JSON")
        given, message = given.setdefault(field.name, {}), field.message_type
        if not isinstance(given, dict):
            raise _wrong(f"--{path}: {name} is given as something else by --json")
    field = _field(message, names[-1])
    value = _value(field, text, path)
    if is_map(field):
        if not isinstance(value, dict):
            raise _wrong(f"--{path} must be a JSON object")
        held = given.setdefault(field.name, {})
        if not isinstance(held, dict):
            raise _wrong(f"--{path}: it is given as something else by --json")
        held.update(value)
    elif field.is_repeated:
        given.setdefault(field.name, []).extend(value if isinstance(value, list) else [value])
    else:
        given[field.name] = value


def _field(message: Descriptor, name: str) -> FieldDescriptor:
    """A field by its name in the contract, in JSON or on the wire, in this order."""
    for known in (lambda one: one.name, lambda one: one.json_name, wire_name):
        if found := [one for one in message.fields if known(one) == name]:
            return found[0]
    names = [field.name for field in message.fields]
    has = f"it has {', '.join(names)}" if names else "it has none"
    raise _wrong(f"{message.name} has no field {name!r}{_nearest(name, names)}; {has}")


def _value(field: FieldDescriptor, text: str | None, path: str) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _flag(text, path)
    if text is None:
        raise _wrong(f"--{path} needs a value; one that starts with -- is written --{path}=--value")
    if field.message_type is not None:
        return _json(text, path)
    kind, name = (int, "a whole number") if field.cpp_type in _WHOLE else (float, "a number")
    if field.cpp_type in _WHOLE | _FRACTIONAL:
        try:
            return kind(text)
        except ValueError:
            raise _wrong(f"--{path} must be {name}, but is {text!r}") from None
    return text


def _flag(text: str | None, path: str) -> bool:
    word = "true" if text is None else text.lower()
    if word not in _YES | _NO:
        raise _wrong(f"--{path} must be true or false, but is {text!r}")
    return word in _YES


def _json(text: str, path: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _wrong(f"--{path} must be JSON: {error}") from None


def _object(text: str) -> Given:
    value = _json(text, "json")
    if not isinstance(value, dict):
        raise _wrong("--json must be a JSON object with the action's fields")
    return value


def _nearest(name: str, known: Iterator[str] | Sequence[str] | dict[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _wrong(message: str) -> Failure:
    return Failure(message, Status.USAGE)
