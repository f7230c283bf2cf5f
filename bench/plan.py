"""Which cells there are, in which order: round by round, so that what else the machine does meets all systems alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.cells import EXECUTE, SDK, SDK_AIOHTTP, STREAM, Cell

CALLS: Final = 256
PROVIDER_MS: Final = (0, 50)
_COUNT_MAX: Final = 4_000
_SECONDS_MAX: Final = 2.0
_FEW_SECONDS_MAX: Final = 1.5


class Kind(NamedTuple):
    """What is measured once in every round."""

    system: str
    in_flight: int
    provider_ms: int
    calls: int = CALLS


KINDS: Final = (
    *(Kind(system, 64, ms) for ms in PROVIDER_MS for system in (SDK, EXECUTE, SDK_AIOHTTP, STREAM)),
    *(Kind(system, 1, ms) for ms in PROVIDER_MS for system in (SDK, EXECUTE, SDK_AIOHTTP)),
    # Sixteen calls only: in every line three commands wait behind the one that is out.
    Kind(STREAM, 64, 0, calls=16),
)


def cells(rounds: int) -> Iterator[tuple[Kind, Cell]]:
    """Every kind, so many times over."""
    for number, kind in enumerate(itertools.chain.from_iterable(itertools.repeat(KINDS, rounds)), 1):
        yield (
            kind,
            Cell(
                number=number,
                system=kind.system,
                in_flight=kind.in_flight,
                provider_ms=kind.provider_ms,
                count_max=_COUNT_MAX,
                seconds_max=_FEW_SECONDS_MAX if kind.in_flight == 1 else _SECONDS_MAX,
                calls=kind.calls,
                warm_up=max(kind.in_flight * 2, 5),
            ),
        )


def filling(calls: int) -> Cell:
    """One command for each of many calls."""
    return Cell(
        number=1 << 20,
        system=STREAM,
        in_flight=256,
        provider_ms=0,
        count_max=calls,
        seconds_max=60.0,
        calls=calls,
        warm_up=0,
    )
