"""What the Kafka log tells of itself, as numbers and as lines, and that they are there in a process."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cordboard.clock import SystemClock
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
from cordboard.log.kafka.journal import Journal
from cordboard.log.kafka.metrics import KafkaMetrics
from cordboard.log.port import NewRecord, TopicPartition
from cordboard.roles.log import open_log
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings

AT, OTHER = TopicPartition("t.commands", 1), TopicPartition("t.commands", 2)
PLACE = {"topic": "t.commands", "partition": "1"}


class Counted:
    """Metrics that were told of some events."""

    def __init__(self, *events: Event) -> None:
        self._registry = CollectorRegistry()
        self._metrics = KafkaMetrics(self._registry)
        self.tell(*events)

    def tell(self, *events: Event) -> None:
        for event in events:
            self._metrics(event)

    def value(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"cordboard_kafka_{name}", labels)


def test_writes_are_timed_and_failures_counted_by_topic() -> None:
    """
    How long a failed write took tells nothing of those that succeed.
    """
    counted = Counted(
        Written("t.results", 3, 0.004, acknowledged=True),
        Written("t.results", 1, 10.0, acknowledged=False),
    )

    assert counted.value("write_seconds_count", topic="t.results") == 1
    assert counted.value("write_seconds_sum", topic="t.results") == 0.004
    assert counted.value("written_records_total", topic="t.results") == 3
    assert counted.value("write_failures_total", topic="t.results") == 1


def test_lag_is_that_of_the_reader_furthest_behind_and_goes_with_the_last() -> None:
    """
    Several may read the same partition; the series of one that nobody reads any more would be a lie for ever.
    """
    counted = Counted(
        Following(1, (AT, OTHER)), Following(2, (AT,)), Fetched(1, AT, 5, 40, 0.1), Fetched(2, AT, 5, 7, 0.2)
    )
    assert counted.value("fetch_lag_records", **PLACE) == 40
    assert counted.value("fetched_records_total", **PLACE) == 10
    assert counted.value("fetch_seconds_count", topic="t.commands") == 2

    counted.tell(Unfollowed(1, (AT, OTHER)))
    assert counted.value("fetch_lag_records", **PLACE) == 7
    assert counted.value("fetch_lag_records", topic="t.commands", partition="2") is None

    counted.tell(Unfollowed(2, (AT,)), Fetched(2, AT, 1, 1, 0.1))  # A fetch under way ends late.
    assert counted.value("fetch_lag_records", **PLACE) is None
    assert counted.value("fetched_records_total", **PLACE) is None


def test_groups_count_their_rebalances_and_lost_seats() -> None:
    """
    How often, how long without partitions, and how many were given.
    """
    counted = Counted(Rebalanced("g", 4, 0.0), Rebalanced("g", 2, 1.5))
    assert counted.value("rebalance_seconds_count", group="g") == 2
    assert counted.value("rebalance_seconds_sum", group="g") == 1.5
    assert counted.value("partitions_held", group="g") == 2

    counted.tell(SeatLost("g", "why"))
    assert (counted.value("seats_lost_total", group="g"), counted.value("partitions_held", group="g")) == (1, 0)


def test_a_restore_shows_how_far_it_is_and_leaves_its_totals() -> None:
    """
    While it lasts a ratio of its own; what was read on behind it is no restore of its own.
    """
    counted = Counted(Restoring(3, 250, 100, 350, 600, 0.5))
    assert (counted.value("restore_ratio", partition="3"), counted.value("restore_records", partition="3")) == (
        0.5,
        250,
    )

    counted.tell(
        RestoreEnded(3, 500, 90, 2.0, is_whole=True, is_rest=False),
        RestoreEnded(3, 501, 90, 0.1, is_whole=True, is_rest=True),
        Claimed(3, warm=False, pages=90, stale=2, seconds=2.2),
        Claimed(3, warm=True, pages=0, stale=0, seconds=0.01),
        RestoreEnded(4, 10, 5, 15.0, is_whole=False, is_rest=False),
    )
    assert (counted.value("restore_ratio", partition="3"), counted.value("restore_records", partition="3")) == (
        None,
        None,
    )
    assert (counted.value("restore_seconds_count"), counted.value("restored_pages_total")) == (1, 90)
    assert counted.value("restore_failures_total") == 1
    assert [counted.value("claim_seconds_count", kind=kind) for kind in ("cold", "warm")] == [1, 1]
    assert counted.value("stale_pages_total") == 2


def test_what_retention_took_is_counted() -> None:
    """
    Nobody will ever see those records.
    """
    counted = Counted(Overtaken(AT, 17), PassedOver(AT, 2))

    assert counted.value("passed_over_records_total", topic="t.commands", why="overtaken") == 17
    assert counted.value("passed_over_records_total", topic="t.commands", why="unreadable") == 2


def lines_of(*events: Event) -> list[dict[str, object]]:
    journal = Journal()
    with capture_logs() as lines:
        for event in events:
            journal(event)
    return [dict(line) for line in lines]


def test_a_long_restore_tells_how_far_it_is_every_few_seconds() -> None:
    """
    Its begin, percent now and then, and at the end how fast it was.
    """
    told = [Restoring(3, 100 * n, 0, 1_000 * n, 100_000, n / 2) for n in range(20)]
    lines = lines_of(*told, RestoreEnded(3, 10_000, 8_000, 10.0, is_whole=True, is_rest=False))

    assert [line["log_level"] for line in lines] == ["info"] * 5
    assert (lines[0]["partition"], lines[0]["entries_max"]) == (3, 100_000)
    assert [(line["percent"], line["seconds"]) for line in lines[1:-1]] == [(6, 3.0), (12, 6.0), (18, 9.0)]
    assert (lines[-1]["pages"], lines[-1]["pages_per_second"], lines[-1]["seconds"]) == (8_000, 800, 10.0)


def test_a_short_restore_is_quiet_unless_it_takes_long() -> None:
    """
    Nobody waits for a few entries; where they do not come, it is said that they are waited for, and that they failed.
    """
    assert lines_of(Restoring(3, 0, 0, 0, 9, 0.0), RestoreEnded(3, 9, 9, 0.1, is_whole=True, is_rest=False)) == []

    ended = RestoreEnded(3, 0, 0, 15.0, is_whole=False, is_rest=False)
    lines = lines_of(Restoring(3, 0, 0, 0, 9, 0.0), Restoring(3, 0, 0, 0, 9, 3.1), ended)
    assert [line["log_level"] for line in lines] == ["info", "warning"]


def test_what_should_not_happen_is_said() -> None:
    """
    Mended pages, and records that are gone.
    """
    lines = lines_of(Claimed(3, warm=False, pages=9, stale=2, seconds=0.1), Overtaken(AT, 17))

    assert [(line["log_level"], line["partition"]) for line in lines] == [("warning", 3), ("error", 1)]


async def test_a_log_opened_by_settings_counts_what_it_does(kafka_servers: str, kafka_prefix: str) -> None:
    """
    A claim, a settle, a write, a read, on real topics: each is found in the registry of the process.
    """
    registry = CollectorRegistry()
    settings = Settings(
        log={"kind": "kafka", "topic_prefix": kafka_prefix, "partitions": 1},
        kafka={"bootstrap_servers": kafka_servers},
    )
    topics, log = topics_of(settings), (await open_log(settings, SystemClock(), registry)).log
    await log.append([NewRecord(topics.commands, b"call", b"value")])
    at = TopicPartition(topics.commands, 0)
    reader = log.reader({at: 0})
    assert len(await reader.read(30.0)) == 1
    labels = {"topic": topics.commands, "partition": "0"}
    assert registry.get_sample_value("cordboard_kafka_fetched_records_total", labels) == 1
    assert registry.get_sample_value("cordboard_kafka_fetch_lag_records", labels) == 1  # Until it is returned.
    await reader.close()
    assert registry.get_sample_value("cordboard_kafka_fetched_records_total", labels) is None

    await log.settle(await log.claim(0), [("call", b"page")], [], {topics.commands: 1})
    await log.claim(0)
    await log.close()

    written = {"topic": topics.ledger}
    assert (registry.get_sample_value("cordboard_kafka_written_records_total", written) or 0) >= 5
    assert registry.get_sample_value("cordboard_kafka_write_seconds_count", {"topic": topics.commands}) == 1
    claims = [
        registry.get_sample_value("cordboard_kafka_claim_seconds_count", {"kind": kind}) for kind in ("cold", "warm")
    ]
    assert claims == [1, 1]


def test_names_hold_to_the_rules_of_prometheus() -> None:
    """
    Base units, and a suffix that says which; the client adds `total` to what only grows.
    """
    registry = CollectorRegistry()
    KafkaMetrics(registry)
    families = list(registry.collect())

    assert len(families) > 10
    for family in families:
        unit = family.name.rpartition("_")[2]
        assert family.type == "counter" or unit in {"seconds", "ratio", "records", "held"}, family.name
        assert family.documentation.endswith(".")
