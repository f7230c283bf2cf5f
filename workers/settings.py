"""What bounds a pool and its lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cordboard.work import Lane
from workers.core.attempt import Limits

CONCURRENCY: Final[Mapping[Lane, int]] = MappingProxyType({Lane.URGENT: 64, Lane.ACTION: 256, Lane.DIAL: 64})


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSettings:
    """What bounds a lane; times in milliseconds."""

    pool: str
    lane: Lane
    concurrency: int  # Releases in flight at once.
    waiting_ms: int = 5_000  # Held longer than this, a work is reported WAITING.
    memory_ms: int = 90_000  # Copies of a work come within this.
    handover_ms: int = 3_000  # How long a partition's end may take.


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """What a pool is called and what bounds it; times in milliseconds."""

    name: str
    # Releases in flight by lane; each lane has its own share.
    concurrency: Mapping[Lane, int] = field(default_factory=lambda: CONCURRENCY)
    limits: Limits = field(default_factory=Limits)
    waiting_ms: int = 5_000
    memory_ms: int = 90_000
    handover_ms: int = 3_000

    def __post_init__(self) -> None:
        if set(self.concurrency) != set(Lane) or min(self.concurrency.values()) < 1:
            raise ValueError("concurrency must name every lane and let at least one release be in flight")

    def of(self, lane: Lane) -> LaneSettings:
        """The settings of one lane."""
        return LaneSettings(
            pool=self.name,
            lane=lane,
            concurrency=self.concurrency[lane],
            waiting_ms=self.waiting_ms,
            memory_ms=self.memory_ms,
            handover_ms=self.handover_ms,
        )
