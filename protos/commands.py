"""Makes the client's methods, one for each action of the contract, so that editors complete what each takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from buf.validate import validate_pb2

COMMAND: Final = ".cordboard.v1.Command"
_SCALARS: Final = {
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_DOUBLE: "float",
    FieldDescriptorProto.TYPE_FLOAT: "float",
    FieldDescriptorProto.TYPE_INT32: "int",
    FieldDescriptorProto.TYPE_INT64: "int",
    FieldDescriptorProto.TYPE_STRING: "str",
}
_UNTYPED: Final = {".google.protobuf.Struct": "Mapping[str, Any]", ".google.protobuf.Value": "Any"}

_HEAD: Final = '''\
"""The client's methods, one for each action of the contract, made from protos/cordboard/v1 by `make proto`.

What a method takes are the fields of its action, named as there; what is not given is not sent. `options` are those
of every command.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from cordboard.v1 import {messages}

A = TypeVar("A")


class CommandOptions(TypedDict, total=False):
    """What every command may be sent with."""

    command_id: str
    """Its name, if it is chosen before: who sends the same again after a restart has it done once."""
    expire_time: datetime
    """When it is no longer worth sending; unless given, after the action's own time."""
    after_completed: bool
    """Whether what the command before it started must be in effect first."""
    requires: str
    """The id of an earlier command of the call that must have succeeded."""
    placement: Placement.ValueType
    """Where it enters the call's line."""
    group: str
    """A name shared by commands that may have to be cancelled together."""
    completion_timeout: float
    """How long (seconds) its completion is awaited."""
    sensitive: bool
    """Whether texts and digits are masked wherever people look."""
    client_state: str
    """The state, in Base64, that Telnyx repeats in every later webhook of the call."""
    extra: Mapping[str, Any]
    """Fields of Telnyx's body that have no type here yet."""
'''


def write_commands(files: descriptor_pb2.FileDescriptorSet, place: Path) -> None:
    """Write the module from descriptors that have their comments."""
    contract = _Contract(files)
    of_calls = [one for one in contract.actions if one.name != "dial"]
    of_none = [one for one in contract.actions if one.name == "dial"]
    classes = [
        *_class("CallCommands", "The commands of a call.", of_calls, contract),
        *_class("DialCommands", "The command that makes a call.", of_none, contract),
    ]
    head = _HEAD.replace("{messages}", ", ".join(sorted({*contract.used, "Placement"})))
    place.write_text("\n".join([*head.splitlines(), *classes, ""]))


class _Contract:
    """What the contract says of its actions."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        ours = [file for file in files.file if file.package == "cordboard.v1"]
        self.messages: dict[str, DescriptorProto] = {}
        self.comments: dict[str, str] = {}
        for file in ours:
            self._read(file)
        command = self.messages[COMMAND]
        self.actions = [field for field in command.field if field.HasField("oneof_index")]
        self.used: set[str] = set()  # Names of the contract that stand in hints.

    def hint(self, message: DescriptorProto, field: FieldDescriptorProto) -> str:
        """A field's type, as Python writes it."""
        nested = {f"{one.name}": one for one in message.nested_type}
        entry = nested.get(field.type_name.rpartition(".")[2])
        if entry is not None and entry.options.map_entry:
            return f"Mapping[str, {self._kind(entry.field[1])}]"
        kind = self._kind(field)
        return f"Iterable[{kind}]" if field.label == FieldDescriptorProto.LABEL_REPEATED else kind

    def _kind(self, field: FieldDescriptorProto) -> str:
        """The type of one of a field's values."""
        if field.type in _SCALARS:
            return _SCALARS[field.type]
        if field.type_name in _UNTYPED:
            return _UNTYPED[field.type_name]
        name = field.type_name.removeprefix(".cordboard.v1.")
        if field.type == FieldDescriptorProto.TYPE_ENUM:
            self.used.add(name)
            return f"{name}.ValueType"
        self.used.add(name)
        return name

    def _read(self, file: FileDescriptorProto) -> None:
        comments = {tuple(one.path): " ".join(one.leading_comments.split()) for one in file.source_code_info.location}
        for number, message in enumerate(file.message_type):
            name = f".{file.package}.{message.name}"
            self.messages[name] = message
            self.comments[name] = comments.get((4, number), "")
            for place, field in enumerate(message.field):
                self.comments[f"{name}.{field.name}"] = comments.get((4, number, 2, place), "")


def _class(name: str, said: str, actions: list[FieldDescriptorProto], contract: _Contract) -> Iterator[str]:
    yield from ("", "", f"class {name}(ABC, Generic[A]):", f'    """{said}"""', "")
    yield "    @abstractmethod"
    yield "    async def _send(self, action: str, fields: Mapping[str, Any], options: CommandOptions) -> A:"
    yield '        """Send a command; a field that is None is not set."""'
    for action in actions:
        yield ""
        yield from _method(action, contract)


def _method(action: FieldDescriptorProto, contract: _Contract) -> Iterator[str]:
    message = contract.messages[action.type_name]
    hints = {field.name: contract.hint(message, field) for field in message.field}
    required = [field.name for field in message.field if _is_required(field)]
    others = [name for name in hints if name not in required]
    yield f"    async def {action.name}("
    yield "        self,"
    if hints:
        yield "        *,"
    yield from (f"        {name}: {hints[name]}," for name in required)
    yield from (f"        {name}: {hints[name]} | None = None," for name in others)
    yield "        **options: Unpack[CommandOptions],"
    yield "    ) -> A:"
    yield from _docstring(action, [*required, *others], contract.comments)
    yield f"        fields: Mapping[str, Any] = {{{', '.join(f'{name!r}: {name}' for name in hints)}}}".replace(
        "'", '"'
    )
    yield f'        return await self._send("{action.name}", fields, options)'


def _docstring(action: FieldDescriptorProto, names: list[str], comments: Mapping[str, str]) -> Iterator[str]:
    said = comments[action.type_name].replace("\\", "\\\\")
    if not names:
        yield f'        """{said}"""'
        return
    yield f'        """{said}'
    yield ""
    for name in names:
        comment = comments[f"{action.type_name}.{name}"].replace("\\", "\\\\")
        yield f"        {name}: {comment}"
    yield '        """'


def _is_required(field: FieldDescriptorProto) -> bool:
    return bool(field.options.Extensions[validate_pb2.field].required)
