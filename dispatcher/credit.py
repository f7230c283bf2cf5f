"""Lane credit: whether a lane has room for one more dial. A port; the default has room for everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wish:
    """A command that could go if its lane had room."""

    page: str
    command_id: str
    account: str
    source: str


class LaneCredit(Protocol):
    """Who may go, and in which order, when a lane has less room than there are wishes."""

    def ask(self, wish: Wish, granted: Callable[[Wish], None]) -> None:
        """Call `granted`, now or later, in the event loop; asking again for the same wish changes nothing."""

    def withdraw(self, page: str) -> None:
        """A page does not want anything any more, or is another process's now."""


class Unlimited:
    """Room for everything, at once."""

    def ask(self, wish: Wish, granted: Callable[[Wish], None]) -> None:
        """Grant it."""
        granted(wish)

    def withdraw(self, page: str) -> None:
        """Nothing is ever kept waiting."""
