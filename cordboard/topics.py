"""The topics by their public names, with the prefix of the environment, and how long each is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cordboard.log.port import TopicSpec
from cordboard.work import Lane

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class Topics:
    """The names. `commands`, `now`, `outcomes`, `webhooks` and the ledger are co-partitioned: one count for all."""

    prefix: str = "cordboard"

    @property
    def commands(self) -> str:
        """Commands from services; key: the call."""
        return f"{self.prefix}.commands"

    @property
    def now(self) -> str:
        """Commands with placement NOW, read first; key: the call."""
        return f"{self.prefix}.now"

    @property
    def outcomes(self) -> str:
        """What workers learned; key: the page."""
        return f"{self.prefix}.outcomes"

    @property
    def webhooks(self) -> str:
        """Verified webhooks, and what pages tell each other; key: the call or an alias."""
        return f"{self.prefix}.webhooks"

    @property
    def results(self) -> str:
        """What senders are told; key: the call."""
        return f"{self.prefix}.results"

    @property
    def events(self) -> str:
        """Webhooks handed on; key: the call."""
        return f"{self.prefix}.events"

    @property
    def dead_letters(self) -> str:
        """Records that could not be read; key: as it came."""
        return f"{self.prefix}.dead-letters"

    @property
    def ledger(self) -> str:
        """The pages, where the log is Kafka; key: the page, a claim, positions."""
        return f"{self.prefix}.ledger"

    @property
    def control(self) -> str:
        """What operators want of all processes; key: the subject, of which the last word counts."""
        return f"{self.prefix}.control"

    @property
    def processes(self) -> str:
        """What each process says of itself now and then; key: the process."""
        return f"{self.prefix}.processes"

    def work(self, pool: str, lane: Lane) -> str:
        """Released requests of one lane of one pool."""
        return f"{self.prefix}.work.{pool}.{lane.value}"

    @property
    def inputs(self) -> tuple[str, str, str, str]:
        """What an owner reads, the most pressing first."""
        return (self.now, self.outcomes, self.webhooks, self.commands)

    @property
    def public(self) -> dict[str, str]:
        """What others than Cordboard write or read, by the last part of its name; all else is internal."""
        return {
            "commands": self.commands,
            "now": self.now,
            "results": self.results,
            "events": self.events,
            "control": self.control,
        }

    def specs(self, pools: Iterable[str], partitions: int) -> list[TopicSpec]:
        """Every topic with its partition count and retention."""
        week = [self.commands, self.now, self.webhooks, self.outcomes, self.results, self.events]
        work = [self.work(pool, lane) for pool in pools for lane in Lane]
        return [
            *(TopicSpec(name, partitions, 7 * _DAY_MS) for name in week),
            *(TopicSpec(name, partitions, _DAY_MS) for name in work),
            TopicSpec(self.control, 1, None, compacted=True),
            TopicSpec(self.dead_letters, 1, 14 * _DAY_MS),
            TopicSpec(self.processes, 1, _HOUR_MS),
        ]
