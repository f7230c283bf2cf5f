"""What the topics must be for the promises to hold, and in what way those that are there are not. Pure: it asks nobody.

Demand 1: the inputs and the ledger are co-partitioned, and no partition count ever changes: else a call's records would
belong elsewhere than where they lie.
Demand 2: times are the brokers' (LogAppendTime). Ages, expiries and timers count from them, not from a sender's.
Demand 3: the ledger is compacted and nothing else: a page that is old is still the page. It is not compacted for 24 h,
so that an owner that reads on sees all that was written meanwhile.
Demand 4: what is not yet read is not deleted. To keep for longer than asked is anybody's choice; by size, nobody's.
Demand 5: what is acknowledged is on two brokers where there are three copies, and no broker leads that lacks it.
Demand 6: what was taken fits wherever it must go. The inputs take half of what all other topics do, and no more: what
an owner owes of a batch is one record in the ledger, and may hold an input whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cordboard.log.port import LogError, TopicSpec

# Of a whole batch of records, as brokers count.
RECORD_BYTES_MAX: Final = 8 * 1024 * 1024
INPUT_BYTES_MAX: Final = 4 * 1024 * 1024
COMPACTION_LAG_MS: Final = 24 * 3_600_000
# Only closed segments are compacted or deleted; and a new owner reads all that is not compacted.
_SEGMENT_MS: Final = 3_600_000
_FOREVER: Final = "-1"


class Hold(Enum):
    """How a setting is held against what it must be."""

    EXACTLY = "exactly"
    AT_LEAST = "at least"  # -1, where it may be, is more than any number.
    AT_CREATION = "at creation"  # A matter of speed: whoever sets it otherwise may.


@dataclass(frozen=True, slots=True)
class Rule:
    """One setting of a topic, by Kafka's name, and what goes wrong without it."""

    setting: str
    value: str
    why: str
    hold: Hold = Hold.EXACTLY

    def is_kept(self, value: str) -> bool:
        """Whether a topic that has this value keeps the rule."""
        if self.hold is Hold.EXACTLY:
            return value == self.value
        if self.hold is Hold.AT_CREATION or value == _FOREVER:
            return True
        return self.value != _FOREVER and int(value) >= int(self.value)

    @property
    def right(self) -> str:
        """What would be right, in words."""
        return f"{self.value} or more" if self.hold is Hold.AT_LEAST and self.value != _FOREVER else self.value


@dataclass(frozen=True, slots=True)
class Demand:
    """What one topic must be."""

    topic: str
    partitions: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a topic is. `replicas`: the copies of the partition that has the fewest."""

    partitions: int
    replicas: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which a topic is not what it must be, and how to mend it."""

    topic: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.problem}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Copies:
    """How many copies of each record there are to be, and how many must be there before it counts as written."""

    replicas: int
    in_sync: int

    @classmethod
    def of(cls, brokers: int, replicas: int | None = None, in_sync: int | None = None) -> Copies:
        """As asked for, else three where there are as many brokers. Raises LogError where the two contradict."""
        chosen = min(3, brokers) if replicas is None else replicas
        needed = (2 if chosen >= 3 else 1) if in_sync is None else in_sync
        if needed > chosen:
            raise LogError(f"min.insync.replicas {needed} of {_count(chosen, 'copy')}: no write could be acknowledged")
        return cls(chosen, needed)

    def must_fit(self, brokers: int) -> None:
        """Raise LogError where so many copies cannot be made. Those that are there are, whoever is away just now."""
        if self.replicas > brokers:
            raise LogError(
                f"{self.replicas} copies of each topic are asked for, and the cluster has {_count(brokers, 'broker')}: "
                f"set the replication factor to {brokers}, or add brokers"
            )


def demands(specs: Sequence[TopicSpec], *, ledger: str, partitions: int, inputs: Collection[str]) -> list[Demand]:
    """What every topic must be, the ledger (of so many partitions) last.

    Raises LogError when the inputs would not be co-partitioned with the ledger.
    """
    declared = {spec.name: spec.partitions for spec in specs}
    if uneven := [name for name in inputs if declared.get(name) != partitions]:
        raise LogError(f"{', '.join(uneven)} must have as many partitions as the ledger, {partitions}")
    made = [
        Demand(spec.name, spec.partitions, (_TAKES_HALF if spec.name in inputs else _TAKES_ALL, *_kept(spec)))
        for spec in specs
    ]
    return [*made, Demand(ledger, partitions, (_TAKES_ALL, *_compacted(), *_OF_THE_LEDGER))]


def creation(demand: Demand, copies: Copies) -> dict[str, str]:
    """The settings with which a topic is created."""
    return {rule.setting: rule.value for rule in demand.rules} | {"min.insync.replicas": str(copies.in_sync)}


def mismatches(demand: Demand, found: Found, copies: Copies, servers: str) -> Iterator[Mismatch]:
    """Everything that is wrong with a topic; `servers` is what the remedies' commands are pointed at."""
    topic = demand.topic
    if found.partitions != demand.partitions:
        yield Mismatch(topic, *_uneven(demand.partitions, found.partitions))
    if found.replicas < copies.replicas:
        yield Mismatch(
            topic,
            f"it has {_count(found.replicas, 'copy')} and must have {copies.replicas}",
            "Add replicas with kafka-reassign-partitions.sh, or set the replication factor to what it is",
        )
    in_sync = Rule("min.insync.replicas", str(copies.in_sync), "what was acknowledged could be lost", Hold.AT_LEAST)
    for rule in (*demand.rules, in_sync):
        value = found.settings.get(rule.setting, "")
        if not value or not rule.is_kept(value):
            yield Mismatch(
                topic,
                f"{rule.setting} is {value or 'not known to the brokers'} and must be {rule.right}, or {rule.why}",
                f"Run kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics "
                f"--entity-name {topic} --add-config {rule.setting}={rule.value}",
            )
    needed = int(found.settings.get("min.insync.replicas", "1"))
    if needed > found.replicas:
        yield Mismatch(
            topic,
            f"min.insync.replicas is {needed} and it has {_count(found.replicas, 'copy')}: nothing can be written",
            "Add replicas with kafka-reassign-partitions.sh, or lower it",
        )


def missing(demand: Demand) -> Mismatch:
    """That a topic is not there."""
    return Mismatch(demand.topic, "it is not there", "Run cordboard topics --create")


def _uneven(must: int, is_: int) -> tuple[str, str]:
    return (
        f"it has {_count(is_, 'partition')} and must have {must}: the count is fixed at creation, because with another "
        "one calls belong elsewhere than where their records lie",
        f"Set log.partitions back to {is_}, if all co-partitioned topics have as many. To have {must}: stop the "
        "senders, wait until no call is open, stop every role, and begin with another log.topic_prefix",
    )


def _everywhere() -> Iterator[Rule]:
    yield Rule("message.timestamp.type", "LogAppendTime", "expiries would count from the clocks of senders")
    yield Rule("unclean.leader.election.enable", "false", "a broker could lead that lacks what was acknowledged")


def _kept(spec: TopicSpec) -> Iterator[Rule]:
    return _compacted() if spec.compacted else _aged(spec.retention_ms)


def _aged(retention_ms: int | None) -> Iterator[Rule]:
    yield from _everywhere()
    kept = _FOREVER if retention_ms is None else str(retention_ms)
    yield Rule("cleanup.policy", "delete", "records of a call would be dropped for its later ones")
    yield Rule("retention.ms", kept, "records would be deleted before they were read", Hold.AT_LEAST)
    yield Rule("retention.bytes", _FOREVER, "records would be deleted before their time")
    if retention_ms is not None and retention_ms <= _SEGMENT_MS:
        yield Rule("segment.ms", str(_SEGMENT_MS), "old records would be kept for days", Hold.AT_CREATION)


def _compacted() -> Iterator[Rule]:
    yield from _everywhere()
    yield Rule("cleanup.policy", "compact", "what is still true would be deleted by age, or nothing ever be")


_TAKES_ALL: Final = Rule("max.message.bytes", str(RECORD_BYTES_MAX), "large records would be refused", Hold.AT_LEAST)
_TAKES_HALF: Final = Rule("max.message.bytes", str(INPUT_BYTES_MAX), "what comes in could fit nowhere else")
_OF_THE_LEDGER: Final = (
    Rule(
        "min.compaction.lag.ms",
        str(COMPACTION_LAG_MS),
        "an owner that was away could miss that another one wrote",
        Hold.AT_LEAST,
    ),
    Rule("segment.ms", str(_SEGMENT_MS), "a new owner would read for longer", Hold.AT_CREATION),
)


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
