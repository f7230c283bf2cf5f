"""What the embedded log is declared to hold, held against what it was created with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cordboard.log.partition import Partition
from cordboard.log.port import LogError, TopicPartition, TopicSpec
from cordboard.log.store import Store

_LEDGER: Final = "ledger_partitions"


def declare(
    store: Store, topics: Sequence[TopicSpec], ledger_partitions: int, inputs: Sequence[str]
) -> dict[TopicPartition, Partition]:
    """Create the topics that are new, and return every partition by its place.

    Raises LogError when a count is not the stored one, or when the inputs are not co-partitioned with the ledger.
    """
    declared = {spec.name: spec.partitions for spec in topics}
    if uneven := [name for name in inputs if declared.get(name) != ledger_partitions]:
        raise LogError(f"{', '.join(uneven)} must have as many partitions as the ledger, {ledger_partitions}")
    stored = _counts(store)
    _same("the ledger", store.settings().get(_LEDGER, ledger_partitions), ledger_partitions)
    for name, wanted in declared.items():
        _same(f"topic {name}", stored.get(name, wanted), wanted)
    new = [name for name in declared if name not in stored]
    store.create_sources(
        [TopicPartition(name, number) for name in new for number in range(declared[name])],
        {_LEDGER: ledger_partitions},
    )
    return store.partitions()


def _counts(store: Store) -> dict[str, int]:
    counts: dict[str, int] = {}
    for at in store.partitions():
        counts[at.topic] = counts.get(at.topic, 0) + 1
    return counts


def _same(what: str, stored: int, wanted: int) -> None:
    # With another count, keys would belong elsewhere than where their records lie.
    if stored != wanted:
        raise LogError(
            f"{what} has {stored} partitions and {wanted} are asked for: the count is fixed when a log is created. "
            f"Set it back to {stored}, or begin a new log in another file"
        )
