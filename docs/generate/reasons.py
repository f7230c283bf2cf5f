"""What the contract says of each reason, read from the comments in its protos: with which state or error, and when."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import grpc
from google.protobuf import descriptor_pb2

from cordboard.v1 import CompletionState, Reason, State
from protos.generate import ROOT, write_image

RESULT_PROTO: Final = "cordboard/v1/result.proto"
NONE: Final = "UNSPECIFIED"  # No reason is needed.
STATES: Final = tuple(name.removeprefix("STATE_") for name in State.keys())[1:]  # noqa: SIM118 - not a mapping
COMPLETIONS: Final = tuple(name.removeprefix("COMPLETION_STATE_") for name in CompletionState.keys())[1:]  # noqa: SIM118 - as above
CODES: Final = frozenset(code.name for code in grpc.StatusCode)
# "FAILED (90015, 404): Telnyx knows no such call." is one saying; a comment may hold several.
_PLACE: Final = r"[A-Z][A-Z_]+(?: \([^)]*\))?"
_SAYING: Final = re.compile(rf"({_PLACE}(?:, {_PLACE})*): (.*?)(?=\s*{_PLACE}(?:, {_PLACE})*: |$)")
_PLACES: Final = re.compile(r"([A-Z][A-Z_]+)(?: \(([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Saying:
    """With what a reason occurs: a state of results, INCOMPLETE of completions, or a gRPC code; and when."""

    reason: str
    place: str
    telnyx: str  # Telnyx's codes and statuses behind it, if the contract names them.
    when: str


@cache
def sayings() -> tuple[Saying, ...]:
    """All that the contract says of reasons, in its order. Raises ValueError for a comment that names no place."""
    found: list[Saying] = []
    for name, comment in comments("Reason").items():
        if name != "REASON_UNSPECIFIED":
            found += read(name.removeprefix("REASON_"), comment)
    return tuple(found)


def read(reason: str, comment: str) -> list[Saying]:
    """The sayings of one comment. Raises ValueError where it is not of the form that all have."""
    said = [
        Saying(reason, place, telnyx, when)
        for places, when in _SAYING.findall(comment)
        for place, telnyx in _PLACES.findall(places)
    ]
    wrong = [one.place for one in said if one.place not in {*STATES, *COMPLETIONS, *CODES}]
    if wrong or not said:
        raise ValueError(
            f"the comment of {reason} names {', '.join(wrong) or 'no state and no gRPC code'}: {comment!r}"
        )
    return said


@cache
def comments(enum: str) -> dict[str, str]:
    """The comment of each value of an enum in result.proto."""
    file = _file()
    index = next(number for number, one in enumerate(file.enum_type) if one.name == enum)
    values = file.enum_type[index].value
    return {values[path[3]].name: text for path, text in _texts(file) if path[:3] == [5, index, 2] and len(path) == 4}


def _texts(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[list[int], str]]:
    """The comments by the paths that descriptor.proto gives: 5 an enum, 2 a value of it."""
    for location in file.source_code_info.location:
        yield list(location.path), " ".join(location.leading_comments.split())


def _file() -> descriptor_pb2.FileDescriptorProto:
    with tempfile.TemporaryDirectory() as scratch:
        image = Path(scratch, "contract.binpb")
        write_image(ROOT / "protos", image)
        files = descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())
    return next(file for file in files.file if file.name == RESULT_PROTO)


def name_of(reason: Reason.ValueType) -> str:
    """A reason without its prefix."""
    return Reason.Name(reason).removeprefix("REASON_")
