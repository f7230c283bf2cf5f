"""The Kafka log's metrics: counts its events. Labels are topics, groups and partitions, so the settings bound them.

The series of a partition live as long as somebody here reads or restores it. Where several readers follow the same
partition, its lag is that of the one furthest behind.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cordboard.log.kafka.events import (
    Claimed,
    Event,
    Fetched,
    Following,
    Overtaken,
    PassedOver,
    Rebalanced,
    RestoreEnded,
    Restoring,
    SeatLost,
    Unfollowed,
    Written,
)
from cordboard.log.port import TopicPartition

WRITE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# What was written while nobody read is as old as that; beyond a minute it is only old.
FETCH_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
# Sessions last 10 s: a rebalance that waits for a dead member takes at least that.
REBALANCE_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 30.0, 60.0)
RESTORE_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_PLACE: Final = ("topic", "partition")


class KafkaMetrics:
    """An observer of the Kafka log that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reading = _Reading(registry)
        self._restoring = _Restoring(registry)
        seconds = Histogram(
            "cordboard_kafka_write_seconds",
            "From a write to its acknowledgement.",
            ("topic",),
            buckets=WRITE_BUCKETS,
            registry=registry,
        )
        records = Counter("cordboard_kafka_written_records", "Records acknowledged.", ("topic",), registry=registry)
        failed = Counter(
            "cordboard_kafka_write_failures", "Writes that were not acknowledged.", ("topic",), registry=registry
        )
        self._seconds, self._records, self._failed = cache(seconds.labels), cache(records.labels), cache(failed.labels)
        self._rebalances = Histogram(
            "cordboard_kafka_rebalance_seconds",
            "How long a group's member was without partitions while the group spread them anew.",
            ("group",),
            buckets=REBALANCE_BUCKETS,
            registry=registry,
        )
        self._held = Gauge(
            "cordboard_kafka_partitions_held", "Partitions that the group gave last.", ("group",), registry=registry
        )
        self._seats_lost = Counter(
            "cordboard_kafka_seats_lost",
            "Seats in groups that broke and were taken anew.",
            ("group",),
            registry=registry,
        )

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Written(topic, records, seconds, acknowledged):
                if acknowledged:
                    self._seconds(topic).observe(seconds)
                    self._records(topic).inc(records)
                else:
                    self._failed(topic).inc()
            case Following() | Fetched() | Unfollowed() | Overtaken() | PassedOver():
                self._reading(event)
            case Restoring() | RestoreEnded() | Claimed():
                self._restoring(event)
            case Rebalanced(group, partitions, seconds):
                self._rebalances.labels(group).observe(seconds)
                self._held.labels(group).set(partitions)
            case SeatLost(group):
                self._seats_lost.labels(group).inc()
                self._held.labels(group).set(0)


class _Reading:
    """What readers see, by partition."""

    def __init__(self, into: CollectorRegistry) -> None:
        self._records = Counter("cordboard_kafka_fetched_records", "Records fetched.", _PLACE, registry=into)
        self._lag = Gauge(
            "cordboard_kafka_fetch_lag_records",
            "Records not read yet, as of the last fetch.",
            _PLACE,
            registry=into,
        )
        seconds = Histogram(
            "cordboard_kafka_fetch_seconds",
            "From when the broker took a record to its arrival here: of each fetch, the oldest one.",
            ("topic",),
            buckets=FETCH_BUCKETS,
            registry=into,
        )
        self._passed_over = Counter(
            "cordboard_kafka_passed_over_records",
            "Offsets never read: retention had removed them (overtaken), or nobody can read them (unreadable).",
            ("topic", "why"),
            registry=into,
        )
        self._seconds = cache(seconds.labels)
        self._lags: dict[TopicPartition, dict[int, int]] = {}

    def __call__(self, event: Following | Fetched | Unfollowed | Overtaken | PassedOver) -> None:
        match event:
            case Following(reader, partitions):
                for at in partitions:
                    self._set_lag(self._lags.setdefault(at, {}), at, reader, 0)
            case Fetched(reader, at, records, lag, seconds) if reader in (lags := self._lags.get(at, {})):
                # What comes to one that was closed meanwhile is nobody's.
                self._records.labels(*at).inc(records)
                self._seconds(at.topic).observe(seconds)
                self._set_lag(lags, at, reader, lag)
            case Unfollowed(reader, partitions):
                for at in partitions:
                    self._leave(at, reader)
            case Overtaken(at, offsets):
                self._passed_over.labels(at.topic, "overtaken").inc(offsets)
            case PassedOver(at, offsets):
                self._passed_over.labels(at.topic, "unreadable").inc(offsets)

    def _set_lag(self, lags: dict[int, int], at: TopicPartition, reader: int, lag: int) -> None:
        lags[reader] = lag
        self._lag.labels(*at).set(max(lags.values()))

    def _leave(self, at: TopicPartition, reader: int) -> None:
        lags = self._lags.get(at, {})
        lags.pop(reader, None)
        if lags:
            self._lag.labels(*at).set(max(lags.values()))
            return
        self._lags.pop(at, None)
        self._lag.remove(*at)
        self._records.remove(*at)


class _Restoring:
    """Ledgers that are read back, and the claims that they are read for."""

    def __init__(self, into: CollectorRegistry) -> None:
        self._ratio = Gauge(
            "cordboard_kafka_restore_ratio",
            "How much of a ledger that is being read has been read, by offsets: 0 to 1.",
            ("partition",),
            registry=into,
        )
        self._records = Gauge(
            "cordboard_kafka_restore_records",
            "Entries read so far of a ledger that is being read.",
            ("partition",),
            registry=into,
        )
        self._seconds = Histogram(
            "cordboard_kafka_restore_seconds",
            "How long it took to read a ledger from its beginning.",
            buckets=RESTORE_BUCKETS,
            registry=into,
        )
        self._pages = Counter("cordboard_kafka_restored_pages", "Pages read back from ledgers.", registry=into)
        self._broken_off = Counter(
            "cordboard_kafka_restore_failures", "Readings of ledgers that broke off.", registry=into
        )
        claims = Histogram(
            "cordboard_kafka_claim_seconds",
            "How long claims took; cold: others had written, so the ledger was read.",
            ("kind",),
            buckets=RESTORE_BUCKETS,
            registry=into,
        )
        self._claims = {True: claims.labels("warm"), False: claims.labels("cold")}
        self._stale = Counter(
            "cordboard_kafka_stale_pages", "Pages of zombies found in ledgers, and mended.", registry=into
        )

    def __call__(self, event: Restoring | RestoreEnded | Claimed) -> None:
        match event:
            case Restoring(partition, records, start, offset, end):
                self._ratio.labels(partition).set((offset - start) / (end - start))
                self._records.labels(partition).set(records)
            case RestoreEnded(partition):
                self._ratio.remove(partition)
                self._records.remove(partition)
                self._count(event)
            case Claimed(_, warm, _, stale, seconds):
                self._claims[warm].observe(seconds)
                self._stale.inc(stale)

    def _count(self, ended: RestoreEnded) -> None:
        if not ended.is_whole:
            self._broken_off.inc()
        elif not ended.is_rest:
            self._seconds.observe(ended.seconds)
            self._pages.inc(ended.pages)
