"""A ledger partition as a log that can only append keeps it, and what counts in it.

Rule 1: what an owner wrote counts only if the last claim before it is its own. A claim's epoch is its offset.
Rule 2: the pages of a settle count from the entry on that says what they owe; without it they were never written. So a
settle that was cut short left nothing, and one that got that far will be finished by whoever claims next.
Where compaction has taken that entry, any later one that counts stands for it: an owner begins no settle before the
last one is complete, and the first thing that a new owner writes are the right pages behind those that are not.
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
    stale_positions: bool = False
    _foreign: set[str] = field(default_factory=set)  # Pages whose last entry is a zombie's.
    _drafts: dict[SettleId, dict[str, bytes | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[tuple[int, Entry]]) -> Ledger:
        """Read entries, each with its offset, in their order."""
        ledger = cls()
        for offset, entry in entries:
            ledger.take(offset, entry)
        return ledger

    @property
    def stale(self) -> set[str]:
        """Pages whose last entry does not count, for who has claimed and written nothing yet."""
        return self._foreign.union(*(draft for settle, draft in self._drafts.items() if settle.epoch != self.epoch))

    def mended(self) -> None:
        """The right pages and positions have been written behind all that is stale."""
        self._foreign.clear()
        self._drafts.clear()
        self.stale_positions = False

    def take(self, offset: int, entry: Entry) -> None:
        """Read the next entry."""
        match entry:
            case PageWritten(epoch, settle, key, value) if epoch == self.epoch:  # First, because nearly all are.
                self._drafts.setdefault(settle, {})[key] = value
            case Genesis(positions):
                if self.epoch is None:
                    self.positions = dict(positions)
                else:
                    self.stale_positions = True
            case ClaimMade():
                self.epoch = offset
            case PageWritten() | Owing() | Done() if entry.epoch != self.epoch:
                self._distrust(entry)
            case Owing(_, settle):
                self._finish_up_to(settle)
                for paid in self.owed.values():
                    self.positions |= paid.positions
                self.owed = {settle: entry}
                self.stale_positions = False
            case Done(_, settle, positions):
                self._finish_up_to(settle)
                self.positions |= positions
                self.owed = {owing: entry for owing, entry in self.owed.items() if owing > settle}
                self.stale_positions = False

    def _distrust(self, entry: PageWritten | Owing | Done) -> None:
        """A zombie's."""
        if isinstance(entry, PageWritten):
            self._foreign.add(entry.key)
        else:
            self.stale_positions = True

    def _finish_up_to(self, settle: SettleId) -> None:
        """What was begun before this settle of the present owner is complete, or its pages come again in it."""
        for begun in [begun for begun in self._drafts if begun.epoch != self.epoch or begun <= settle]:
            draft = self._drafts.pop(begun)
            self._foreign.difference_update(draft)
            for key, value in draft.items():
                if value is None:
                    self.pages.pop(key, None)
                else:
                    self.pages[key] = value
