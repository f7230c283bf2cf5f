"""What a ledger partition amounts to, also when compaction has taken from it whatever it may take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from cordboard.log.kafka.entries import Stored, from_stored, to_stored
from cordboard.log.ledger import ClaimMade, Done, Entry, Genesis, Ledger, Owing, PageWritten, SettleId

Record = tuple[int, Stored]


def ledger_of(records: Sequence[Record]) -> Ledger:
    entries = ((offset, from_stored(*stored)) for offset, stored in records)
    return Ledger.of((offset, entry) for offset, entry in entries if entry is not None)


def compacted(records: Sequence[Record], cleaned: int, rng: Random) -> list[Record]:
    """Of the records below an offset the last one of each key, and some that were spared; all of those above."""
    last = {stored.key: offset for offset, stored in records if offset < cleaned}
    return [
        (offset, stored)
        for offset, stored in records
        if offset >= cleaned or last[stored.key] == offset or rng.random() < 0.2
    ]


def amount(ledger: Ledger) -> tuple[dict[str, bytes], dict[str, int]]:
    """Pages and positions, as a claim would have them."""
    positions = dict(ledger.positions)
    for owing in ledger.owed.values():
        positions |= owing.positions
    return ledger.pages, positions


class History:
    """Owners one after another, each of which keeps the rules, may be cut short, and may write on when it is over."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self.records: list[Record] = []
        self.claims: list[int] = []  # Offsets behind a claim and its mending: from there on it is safe to compact.
        self._position = 0
        self._over: list[int] = []
        self._write(Genesis({"commands": 0}))

    def unfold(self, owners: int) -> None:
        for _ in range(owners):
            self._own()

    def _own(self) -> None:
        rng, epoch = self._rng, self._write(ClaimMade())
        ledger = ledger_of(self.records)
        self._position = amount(ledger)[1]["commands"]
        number = 0
        if ledger.stale or ledger.stale_positions:
            number = 1
            self._settle(epoch, number, [(key, ledger.pages.get(key)) for key in sorted(ledger.stale)])
        elif ledger.owed and rng.random() < 0.5:
            self._write(Done(epoch, next(iter(ledger.owed)), {"commands": self._position}))
        self.claims.append(len(self.records))
        for _ in range(rng.randrange(5)):
            self._position, number = self._position + 1, number + 1
            self._settle(epoch, number, self._some_pages())
        if rng.random() < 0.4:  # Cut short before it was complete.
            self._pages(epoch, number + 1, self._some_pages())
        if self._over and rng.random() < 0.4:
            zombie = rng.choice(self._over)
            self._pages(zombie, 99, self._some_pages())
            if rng.random() < 0.5:
                self._write(Owing(zombie, SettleId(zombie, 99), (), {"commands": 1_000}))
        self._over.append(epoch)

    def _some_pages(self) -> list[tuple[str, bytes | None]]:
        rng = self._rng
        keys = rng.sample("abcdefgh", rng.randrange(1, 4))
        return [(key, None if rng.random() < 0.2 else b"%d" % len(self.records)) for key in keys]

    def _settle(self, epoch: int, number: int, pages: list[tuple[str, bytes | None]]) -> None:
        settle = SettleId(epoch, number)
        self._pages(epoch, number, pages)
        self._write(Owing(epoch, settle, (), {"commands": self._position}))
        if self._rng.random() < 0.3:
            self._write(Done(epoch, settle, {"commands": self._position}))

    def _pages(self, epoch: int, number: int, pages: list[tuple[str, bytes | None]]) -> None:
        for key, value in pages:
            self._write(PageWritten(epoch, SettleId(epoch, number), key, value))

    def _write(self, entry: Entry) -> int:
        self.records.append((len(self.records), to_stored(entry)))
        return len(self.records) - 1


def histories() -> Iterator[tuple[int, History]]:
    for seed in range(150):
        history = History(seed)
        history.unfold(8)
        yield seed, history


def test_compaction_changes_nothing() -> None:
    """
    Whatever the cleaner has taken of what is older than the last claim, the next owner finds the same pages, the same
    positions, and the same to mend.
    """
    zombies = lost = 0
    for seed, history in histories():
        rng = Random(seed)
        whole = ledger_of(history.records)
        zombies += bool(whole.stale)
        for cleaned in (*rng.sample(history.claims, 3), history.claims[-1]):
            left = compacted(history.records, cleaned, rng)
            lost += len(history.records) - len(left)
            found = ledger_of(left)
            assert amount(found) == amount(whole), (seed, cleaned)
            assert (found.stale, found.stale_positions) == (whole.stale, whole.stale_positions), (seed, cleaned)
    assert zombies > 40
    assert lost > 4_000


def test_pages_of_which_the_word_that_they_are_complete_was_compacted_away_are_kept() -> None:
    """
    A partition has one key for what is owed, so of many settles in a row only the last one's stands.
    """
    settles = [SettleId(1, number) for number in (1, 2, 3)]
    records = [
        (1, ClaimMade()),
        *((2 * number, PageWritten(1, settles[number - 1], f"page-{number}", b"1")) for number in (1, 2, 3)),
        (7, Done(1, settles[2], {"commands": 3})),
        (8, ClaimMade()),
    ]

    assert Ledger.of(records).pages == {"page-1": b"1", "page-2": b"1", "page-3": b"1"}
    assert Ledger.of(records).stale == set()


def test_pages_of_an_owner_before_are_kept_when_only_the_next_one_s_word_stands() -> None:
    """
    The next one would have mended what was not complete, so what it left as it was counts.
    """
    records = [
        (1, ClaimMade()),
        (2, PageWritten(1, SettleId(1, 1), "a", b"1")),
        (4, ClaimMade()),
        (5, PageWritten(4, SettleId(4, 1), "b", b"2")),
        (6, Owing(4, SettleId(4, 1), (), {"commands": 3})),
        (9, ClaimMade()),
    ]

    assert (Ledger.of(records).pages, Ledger.of(records).stale) == ({"a": b"1", "b": b"2"}, set())


@pytest.mark.parametrize("claims", [1, 2])
def test_pages_that_nobody_called_complete_are_to_be_mended(claims: int) -> None:
    """
    However many have claimed since: until somebody has mended them.
    """
    records: list[tuple[int, Entry]] = [
        (1, ClaimMade()),
        (2, PageWritten(1, SettleId(1, 1), "a", b"1")),
        (3, Owing(1, SettleId(1, 1), (), {"commands": 1})),
        (4, PageWritten(1, SettleId(1, 2), "a", b"half")),
        *((5 + number, ClaimMade()) for number in range(claims)),
    ]

    assert (Ledger.of(records).pages, Ledger.of(records).stale) == ({"a": b"1"}, {"a"})
