"""A ledger partition as a log that can only append keeps it, and what counts in it.

Rule 1: what an owner wrote counts only if the last claim before it is its own. A claim's epoch is its offset.
Rule 2: the pages of a settle count from the entry on that says what they owe; without it they were never written. So a
settle that was cut short left nothing, and one that got that far will be finished by whoever claims next.
Rule 3: the inputs of a settle are done when its outputs have been written, not before. An owner's next settle says so
as well as an entry of its own does: it never begins one before the last one's outputs are out.
Rule 4: compaction keeps the last entry of a key, whoever wrote it. So what does not count and stands last would in time
displace what does: it is `stale`, and whoever claims next writes the right one behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cordboard.log.port import NewRecord


class SettleId(NamedTuple):
    """Which settle: the how manieth of which claim."""

    epoch: int
    number: int


@dataclass(frozen=True, slots=True)
class Genesis:
    """The first positions of all; counts only where no claim was made before."""

    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ClaimMade:
    """Somebody has become the owner."""


@dataclass(frozen=True, slots=True)
class PageWritten:
    """A page, or its deletion."""

    epoch: int
    settle: SettleId
    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Owing:
    """The pages of this settle are complete, and owe these outputs; then its inputs are done up to these positions."""

    epoch: int
    settle: SettleId
    outputs: tuple[NewRecord, ...]
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is owed any more by this settle, perhaps another owner's, nor by any before it."""

    epoch: int
    settle: SettleId
    positions: Mapping[str, int]


Entry = Genesis | ClaimMade | PageWritten | Owing | Done


@dataclass(slots=True)
class Ledger:
    """What the entries of a partition amount to."""

    epoch: int | None = None
    pages: dict[str, bytes] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    owed: dict[SettleId, Owing] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)  # Pages whose last entry does not count.
    stale_positions: bool = False
    _drafts: dict[SettleId, dict[str, bytes | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[int, Entry]]) -> Ledger:
        """Read entries, each with its offset, in their order."""
        ledger = cls()
        for offset, entry in entries:
            ledger.take(offset, entry)
        return ledger

    def take(self, offset: int, entry: Entry) -> None:
        """Read the next entry."""
        match entry:
            case Genesis(positions):
                if self.epoch is None:
                    self.positions = dict(positions)
                else:
                    self.stale_positions = True
            case ClaimMade():
                self.epoch = offset
                for draft in self._drafts.values():
                    self.stale.update(draft)
                self._drafts.clear()
            case PageWritten() | Owing() | Done() if entry.epoch != self.epoch:
                self._distrust(entry)
            case PageWritten(_, settle, key, value):
                self._drafts.setdefault(settle, {})[key] = value
            case Owing(_, settle):
                self._finish(self._drafts.pop(settle, {}))
                for paid in self.owed.values():
                    self.positions |= paid.positions
                self.owed = {settle: entry}
                self.stale_positions = False
            case Done(_, settle, positions):
                self.positions |= positions
                self.owed = {owing: entry for owing, entry in self.owed.items() if owing > settle}
                self.stale_positions = False

    def _distrust(self, entry: PageWritten | Owing | Done) -> None:
        """A zombie's."""
        if isinstance(entry, PageWritten):
            self.stale.add(entry.key)
        else:
            self.stale_positions = True

    def _finish(self, draft: Mapping[str, bytes | None]) -> None:
        self.stale.difference_update(draft)
        for key, value in draft.items():
            if value is None:
                self.pages.pop(key, None)
            else:
                self.pages[key] = value
