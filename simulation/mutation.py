"""A bug put into the product on purpose: small, named, and there for the length of one history only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest import mock


@dataclass(frozen=True, slots=True)
class Change:
    """What an attribute of a module or class is for a while; `make` makes it from what it is otherwise."""

    owner: Any
    name: str
    make: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A bug. `text` says what the product does, or does not do, because of it."""

    name: str
    text: str
    changes: tuple[Change, ...]

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        """The product has the bug while this block runs, and is whole afterwards."""
        with contextlib.ExitStack() as stack:
            for change in self.changes:
                made = change.make(getattr(change.owner, change.name))
                stack.enter_context(mock.patch.object(change.owner, change.name, made))
            yield


def mutation(name: str, text: str, *changes: Change) -> Mutation:
    """A bug of one change or several."""
    return Mutation(name, text, changes)


def instead(owner: Any, name: str, value: Any) -> Change:
    """Something else, whatever it was."""
    return Change(owner, name, lambda _: value)


def nothing(*_: object, **__: object) -> None:
    """What is done instead of what ought to be."""


async def nothing_async(*_: object, **__: object) -> None:
    """The same, for what is awaited."""
