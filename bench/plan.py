"""Which cells there are, in which order: round by round, so that what else the machine does meets all systems alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from bench.cells import EXECUTE, KAFKA_EXECUTE, KAFKA_STREAM, SDK, SDK_AIOHTTP, STREAM, TOPICS, WEBHOOKS, Cell

CALLS: Final = 128
ALONE_CALLS: Final = 32
PROVIDER_MS: Final = (0, 50)
_COUNT_MAX: Final = 4_000
_SECONDS_MAX: Final = 1.5


class Kind(NamedTuple):
    """What is measured once in every round. `workers` is how many there are, where that is not one."""

    system: str
    in_flight: int
    provider_ms: int
    calls: int = CALLS
    workers: int = 1


EMBEDDED: Final = (
    *(Kind(system, 64, ms) for ms in PROVIDER_MS for system in (SDK, EXECUTE, SDK_AIOHTTP, STREAM)),
    *(Kind(system, 1, ms, calls=ALONE_CALLS) for ms in PROVIDER_MS for system in (SDK, EXECUTE, SDK_AIOHTTP)),
    # Sixteen calls only: in every line three commands wait behind the one that is out.
    Kind(STREAM, 64, 0, calls=16),
)
ON_KAFKA: Final = (
    *(Kind(system, 64, ms) for ms in PROVIDER_MS for system in (SDK, KAFKA_EXECUTE, SDK_AIOHTTP, KAFKA_STREAM, TOPICS)),
    Kind(TOPICS, 256, 0, calls=2 * CALLS),
    *(Kind(system, 1, ms, calls=ALONE_CALLS) for ms in PROVIDER_MS for system in (SDK, KAFKA_EXECUTE, TOPICS)),
    Kind(WEBHOOKS, 64, 0),
)
WORKERS: Final = tuple(Kind(TOPICS, 256, 50, calls=2 * CALLS, workers=count) for count in (1, 2, 4))


def kinds(every: Sequence[Kind], rounds: int) -> Iterator[Kind]:
    """Each of them, so many times over."""
    return itertools.chain.from_iterable(itertools.repeat(every, rounds))


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
