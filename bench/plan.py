"""Which cells there are, in which order: round by round, so that what else the machine does meets all systems alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.cells import EXECUTE, SDK, SDK_AIOHTTP, STREAM, Cell

CALLS: Final = 128
ALONE_CALLS: Final = 32
PROVIDER_MS: Final = (0, 50)
_COUNT_MAX: Final = 4_000
_SECONDS_MAX: Final = 1.5


class Kind(NamedTuple):
    """What is measured once in every round."""

    system: str
    in_flight: int
    provider_ms: int
    calls: int = CALLS


KINDS: Final = (
    *(Kind(system, 64, ms) for ms in PROVIDER_MS for system in (SDK, EXECUTE, SDK_AIOHTTP, STREAM)),
    *(Kind(system, 1, ms, calls=ALONE_CALLS) for ms in PROVIDER_MS for system in (SDK, EXECUTE, SDK_AIOHTTP)),
    # Sixteen calls only: in every line three commands wait behind the one that is out.
    Kind(STREAM, 64, 0, calls=16),
)


def kinds(rounds: int) -> Iterator[tuple[int, Kind]]:
    """Every kind, so many times over, numbered."""
    return enumerate(itertools.chain.from_iterable(itertools.repeat(KINDS, rounds)), 1)


def cell_of(number: int, kind: Kind, calls: list[str]) -> Cell:
    """A measurement of a kind on these calls."""
    return Cell(
        number=number,
        system=kind.system,
        in_flight=kind.in_flight,
        provider_ms=kind.provider_ms,
        count_max=_COUNT_MAX,
        seconds_max=_SECONDS_MAX,
        calls=calls,
        warm_up=max(kind.in_flight * 2, 5),
    )
