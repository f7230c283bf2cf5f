"""What topics must be: the rules one by one, without a broker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordboard.log.kafka.demands import RECORD_BYTES_MAX, Copies, Demand, Found, creation, demands, mismatches
from cordboard.log.port import LogError, TopicSpec

DAY_MS = 24 * 3_600_000
SPECS = [
    TopicSpec("desk.commands", 4, 7 * DAY_MS),
    TopicSpec("desk.control", 1, None, compacted=True),
    TopicSpec("desk.kept", 1, None),
]
THREE, ONE = Copies.of(3), Copies.of(1)


def wanted() -> dict[str, Demand]:
    made = demands(SPECS, ledger="desk.ledger", partitions=4, inputs=["desk.commands"])
    return {demand.topic: demand for demand in made}


def as_created(demand: Demand, copies: Copies = THREE) -> Found:
    """A topic just as it would be created."""
    return Found(demand.partitions, copies.replicas, creation(demand, copies))


def problems(topic: str, **settings: str) -> list[str]:
    """What is wrong with a topic that was created right and then set otherwise."""
    demand = wanted()[topic]
    found = as_created(demand)
    changed = {name.replace("_", "."): value for name, value in settings.items()}
    return [
        str(one) for one in mismatches(demand, replace(found, settings={**found.settings, **changed}), THREE, "b:1")
    ]


@pytest.mark.parametrize("copies", [ONE, THREE])
@pytest.mark.parametrize("topic", ["desk.commands", "desk.control", "desk.kept", "desk.ledger"])
def test_what_is_created_is_right(topic: str, copies: Copies) -> None:
    """
    Creating and checking are read from the same rules.
    """
    demand = wanted()[topic]

    assert list(mismatches(demand, as_created(demand, copies), copies, "b:1")) == []


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        ("desk.commands", "message_timestamp_type", "CreateTime"),
        ("desk.commands", "cleanup_policy", "compact"),
        ("desk.commands", "cleanup_policy", "compact,delete"),
        ("desk.commands", "retention_ms", str(DAY_MS)),
        ("desk.commands", "retention_bytes", "1000000"),
        ("desk.commands", "max_message_bytes", "1048588"),
        ("desk.commands", "max_message_bytes", str(RECORD_BYTES_MAX)),
        ("desk.kept", "max_message_bytes", "1048588"),
        ("desk.commands", "unclean_leader_election_enable", "true"),
        ("desk.commands", "min_insync_replicas", "1"),
        ("desk.kept", "retention_ms", str(365 * DAY_MS)),
        ("desk.control", "cleanup_policy", "delete"),
        ("desk.ledger", "cleanup_policy", "compact,delete"),
        ("desk.ledger", "min_compaction_lag_ms", "0"),
        ("desk.ledger", "max_message_bytes", "1048588"),
        ("desk.ledger", "message_timestamp_type", "CreateTime"),
        ("desk.ledger", "message_timestamp_type", ""),
    ],
)
def test_what_breaks_a_promise_is_a_mismatch(topic: str, setting: str, value: str) -> None:
    """
    The sentence names topic and setting, says what is and what must be, and gives the command that mends it.
    """
    [problem] = problems(topic, **{setting: value})
    name = setting.replace("_", ".")

    assert problem.startswith(f"{topic}: {name} is {value or 'not known to the brokers'} and must be ")
    assert f"kafka-configs.sh --bootstrap-server b:1 --alter --entity-type topics --entity-name {topic} " in problem
    assert f"--add-config {name}=" in problem


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        ("desk.commands", "retention_ms", str(30 * DAY_MS)),
        ("desk.commands", "retention_ms", "-1"),
        ("desk.kept", "max_message_bytes", str(64 * 1024 * 1024)),
        ("desk.commands", "min_insync_replicas", "3"),
        ("desk.ledger", "min_compaction_lag_ms", str(2 * DAY_MS)),
        ("desk.ledger", "segment_ms", str(7 * DAY_MS)),
        ("desk.ledger", "retention_ms", "1000"),
    ],
)
def test_more_than_asked_is_the_operators_choice(topic: str, setting: str, value: str) -> None:
    """
    Longer retention, larger records, more copies; and what does not count where topics are compacted.
    """
    assert problems(topic, **{setting: value}) == []


def test_partition_counts_are_fixed() -> None:
    """
    Growth is refused, with the way back and the way on.
    """
    demand = wanted()["desk.ledger"]
    [problem] = mismatches(demand, replace(as_created(demand), partitions=8), THREE, "b:1")

    assert "it has 8 partitions and must have 4: the count is fixed at creation" in problem.problem
    assert "Set log.partitions back to 8" in problem.remedy
    assert "begin with another log.topic_prefix" in problem.remedy


def test_too_few_copies() -> None:
    """
    One copy is said to be too few, and also that nothing can be written when two of one must be in sync.
    """
    demand = wanted()["desk.commands"]
    found = replace(as_created(demand), replicas=1)

    told = [one.problem for one in mismatches(demand, found, THREE, "b:1")]
    assert told == [
        "it has 1 copy and must have 3",
        "min.insync.replicas is 2 and it has 1 copy: nothing can be written",
    ]


def test_everything_wrong_is_told_at_once() -> None:
    """
    Nobody mends one thing to be told of the next.
    """
    told = problems("desk.commands", retention_ms="1", cleanup_policy="compact", message_timestamp_type="CreateTime")

    assert len(told) == 3


def test_inputs_that_are_not_co_partitioned() -> None:
    """
    A plan that could not work is refused before anybody is asked.
    """
    with pytest.raises(LogError, match=r"desk\.commands must have as many partitions as the ledger, 8"):
        demands(SPECS, ledger="desk.ledger", partitions=8, inputs=["desk.commands"])


class TestCopies:
    @pytest.mark.parametrize(("brokers", "replicas", "in_sync"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (9, 3, 2)])
    def test_as_many_as_there_are_brokers_and_at_most_three(self, brokers: int, replicas: int, in_sync: int) -> None:
        """
        With three copies, two must have a record before it counts as written.
        """
        assert Copies.of(brokers) == Copies(replicas, in_sync)

    def test_more_than_brokers(self) -> None:
        """
        The sentence says what to set.
        """
        with pytest.raises(
            LogError, match=r"3 copies of each topic .* 1 broker: set the replication factor to 1, or add"
        ):
            Copies.of(1, replicas=3).must_fit(1)

    def test_more_in_sync_than_there_are(self) -> None:
        """
        No write could ever be acknowledged.
        """
        with pytest.raises(LogError, match=r"min\.insync\.replicas 2 of 1 copy"):
            Copies.of(3, replicas=1, in_sync=2)
