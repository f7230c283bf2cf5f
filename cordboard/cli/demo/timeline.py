"""What the demonstration shows: one aligned line for everything that happens, when it happens."""

from __future__ import annotations

import asyncio

from cordboard.cli.happenings import Happening
from cordboard.cli.masking import shown
from cordboard.cli.screen import Cell, Screen, style_of
from cordboard.v1 import Command


class Timeline:
    """Lines with the time since the beginning, for people or for programs."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._began = asyncio.get_running_loop().time()

    def act(self, title: str) -> None:
        """A new part begins."""
        if self._screen.json:
            self._say("act", title, "", "")
        else:
            self._screen.show()
            self._screen.line((title, 0, "bold"))

    def sent(self, command: Command) -> None:
        """A command is on its way to the dispatcher."""
        action = command.WhichOneof("action") or ""
        number = {"sequence": command.sequence} if command.sequence else {}
        fields = {**number, **shown(getattr(command, action), sensitive=command.sensitive)}
        self._say(action, "sent", " ".join(f"{name}={value!r}" for name, value in fields.items()), "blue")

    def happened(self, told: Happening) -> None:
        """Something that Watch told."""
        self._say(told.what, told.state, told.detail, style_of(told.state) or "cyan")

    def far_end(self, what: str, detail: str) -> None:
        """Somebody at the other end does something."""
        self._say(what, "callee", detail, "cyan")

    def passed(self, what: str) -> None:
        """A step came out right."""
        self._verdict("ok", what, "green")

    def failed(self, what: str) -> None:
        """A step did not."""
        self._verdict("NOT OK", what, "bold red")

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
