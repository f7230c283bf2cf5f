"""What a command shows: text and tables on a terminal, one JSON object a line where a program reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

import orjson
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from cordboard.cli.choices import Output

_WIDTH_ELSEWHERE: Final = 160  # Where no terminal says how wide it is.
_STYLES: Final[Mapping[str, str]] = {
    "SUCCEEDED": "green",
    "COMPLETED": "green",
    "FAILED": "red",
    "REJECTED": "red",
    "EXPIRED": "yellow",
    "CANCELLED": "yellow",
    "INCOMPLETE": "yellow",
    "UNKNOWN": "magenta",
}

# A piece of a line: its text, the width it is filled up to, its style.
Cell = tuple[str, int, str]


class Screen:
    """Standard output, for people or for programs."""

    def __init__(self, output: Output = Output.AUTO, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        terminal = stream.isatty()
        self.json = output is Output.JSON or (output is Output.AUTO and not terminal)
        self._stream = stream
        self._console = Console(file=stream, highlight=False, width=None if terminal else _WIDTH_ELSEWHERE)

    def record(self, value: Mapping[str, Any]) -> None:
        """One object, as one line of JSON."""
        self._stream.write(orjson.dumps(value).decode() + "\n")
        self._stream.flush()

    def show(self, content: RenderableType = "") -> None:
        """Text or a table. Lines are left to the terminal to wrap, so that they can be copied whole."""
        self._console.print(content, soft_wrap=isinstance(content, str | Text), markup=False)
        self._stream.flush()

    @contextmanager
    def changing(self) -> Iterator[Callable[[Text, Mapping[str, Any]], None]]:
        """What is shown in the same place, again and again: the text; for programs the record, a line each time."""
        if self.json:
            yield lambda text, record: self.record(record)
            return
        with Live(console=self._console, auto_refresh=False, vertical_overflow="visible") as live:
            yield lambda text, record: live.update(text, refresh=True)

    def line(self, *cells: Cell) -> None:
        """One line of columns, for what is told as it happens."""
        self.show(columns(cells))


def columns(cells: Iterable[Cell]) -> Text:
    """Pieces side by side, each filled up to its width, with two spaces between."""
    text = Text()
    for content, width, style in cells:
        text.append(f"{content:<{width}}", style)
        text.append("  ")
    text.rstrip()
    return text


def style_of(state: str) -> str:
    """The colour of a state."""
    return _STYLES.get(state, "")


def plain(name: str, prefix: str) -> str:
    """A value of an enumeration as people say it: STATE_SUCCEEDED is SUCCEEDED; unset is nothing."""
    word = name.removeprefix(prefix)
    return "" if word == "UNSPECIFIED" else word


def time_of(stamp: Timestamp) -> str:
    """A time of day in UTC: 12:00:01.250Z; nothing where there is none."""
    if not (stamp.seconds or stamp.nanos):
        return ""
    return stamp.ToDatetime().isoformat(timespec="milliseconds")[11:] + "Z"
