"""Which command a request is for: the verbs and paths of the contract, below /v2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from cordboard.catalogue import CATALOGUE, Action

PREFIX: Final = "/v2"
CUSTOM: Final = "custom"
_PLAIN: Final = ":@!$&'()*+,;=~-._"  # What a segment may hold as it is.


@dataclass(frozen=True, slots=True)
class Route:
    """A command's request: the action, the call ("" for a dial), and what a custom action is named."""

    action: str
    call: str
    name: str = ""


class WrongMethod(Exception):
    """The path is a command's, the verb is not. `allow` is the one that would be right."""

    def __init__(self, allow: str) -> None:
        super().__init__(allow)
        self.allow = allow


def route_of(method: str, path: str) -> Route | None:
    """The command that a percent-encoded path below /v2 is for; None: it is no command. Raises WrongMethod."""
    for pattern, action in _ROUTES:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if action.method == method:
            parts = {name: unquote(part) for name, part in found.groupdict().items()}
            return Route(action.name, parts.get("call_control_id", ""), parts.get("name", ""))
        if action.name != CUSTOM:  # What Telnyx has added since may have verbs that nobody here knows.
            raise WrongMethod(action.method)
    return None


def spelt(path: str) -> str:
    """A path as it is written: without empty segments, and with no letter percent-encoded."""
    return "".join(f"/{quote(unquote(part), safe=_PLAIN)}" for part in path.split("/") if part)


def has_dots(path: str) -> bool:
    """Whether it has segments that lead elsewhere, however they are spelt."""
    return any(unquote(part) in (".", "..") for part in path.split("/"))


def _patterns() -> Iterator[tuple[re.Pattern[str], Action]]:
    # Of custom the name is free, so it comes last.
    for action in sorted(CATALOGUE.values(), key=lambda one: one.name == CUSTOM):
        template = re.sub(r"\\\{call_control_id\\\}", "(?P<call_control_id>[^/]+)", re.escape(action.path))
        yield re.compile(re.sub(r"\\\{name\\\}", "(?P<name>[a-z][a-z0-9_]{0,63})", template)), action


_ROUTES: Final = tuple(_patterns())
