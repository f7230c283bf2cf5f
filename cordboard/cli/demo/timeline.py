"""What the demonstration shows: one aligned line for everything that happens, when it happens."""

from __future__ import annotations

import asyncio

from cordboard.cli.happenings import Happening
from cordboard.cli.screen import Cell, Screen, style_of
from cordboard.masking import shown
from cordboard.v1 import Command


class Timeline:
    """Lines with the time since the beginning, for people or for programs."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._began = asyncio.get_running_loop().time()
        self._act = ""
        self._numbers: dict[str, int] = {}  # The sequence numbers of commands that have one.

    def act(self, title: str) -> None:
        """A new part begins."""
        self._act = title
        if self._screen.json:
            self._say("act", title, "", "")
        else:
            self._screen.show()
            self._screen.line((title, 0, "bold"))

    def sent(self, command: Command) -> None:
        """A command is on its way to the dispatcher."""
        action = command.WhichOneof("action") or ""
        if command.sequence:
            self._numbers[command.command_id] = command.sequence
        fields = shown(getattr(command, action), sensitive=command.sensitive)
        detail = " ".join(f"{name}={value!r}" for name, value in fields.items())
        self._say(action, "sent", self._numbered(command.command_id, detail), "blue")

    def happened(self, told: Happening) -> None:
        """Something that Watch told."""
        call = f"call {told.call}" if told.what == "dial" and told.state == "SUCCEEDED" else ""
        detail = self._numbered(told.command_id, ", ".join(filter(None, (told.detail, call))))
        self._say(told.what, told.state, detail, style_of(told.state) or "cyan")

    def far_end(self, what: str, detail: str) -> None:
        """Somebody at the other end does something."""
        self._say(what, "callee", detail, "cyan")

    def passed(self, what: str) -> None:
        """A step came out right."""
        self._verdict("ok", what, "green")

    def failed(self, what: str) -> None:
        """A step did not."""
        self._verdict("NOT OK", f"{what} (in {self._act})", "bold red")

    def _numbered(self, command_id: str, detail: str) -> str:
        number = self._numbers.get(command_id)
        return detail if number is None else f"number {number}  {detail}".rstrip()

    def _verdict(self, word: str, what: str, style: str) -> None:
        if self._screen.json:
            self._say("step", word, what, style)
        else:
            self._screen.line(("", 10, ""), (f"{word}: {what}", 0, style))

    def _say(self, what: str, state: str, detail: str, style: str) -> None:
        seconds = asyncio.get_running_loop().time() - self._began
        if self._screen.json:
            self._screen.record({"seconds": round(seconds, 3), "what": what, "state": state, "detail": detail})
            return
        cells: tuple[Cell, ...] = (
            (f"+{seconds:8.3f}", 10, "dim"),
            (what, 20, ""),
            (state, 10, style),
            (detail, 0, "dim"),
        )
        self._screen.line(*cells)
