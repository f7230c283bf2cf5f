"""Who knows a page, and why it may not be told: the words in which a process asks itself, and its peers."""

from __future__ import annotations

from typing import Protocol

from cordboard.log.port import LogError
from cordboard.topics import Topics
from dispatcher.core.page import Page


class NotOwned(LogError):
    """The partition of the page is not this process's now: it is another's, or nobody's."""


class Restoring(LogError):
    """The partition has an owner, who is reading its state back."""


class Finder(Protocol):
    """Who knows pages."""

    async def find(self, key: str) -> Page | None:
        """A page once everything accepted before is applied. Raises LogError where that cannot be told."""


def group_of(topics: Topics) -> str:
    """The group in which dispatchers share the partitions."""
    return f"{topics.prefix}.dispatcher"
