"""`cordboard topics`: shows what is there, creates what is missing, and names all that is wrong."""

from __future__ import annotations

import json
import subprocess

import pytest

from cordboard.cli.topics import kept
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import demands
from cordboard.log.kafka.topics import ensure
from cordboard.topics import Topics
from tests.cli.processes import Cordboard

KEY = "KEY-of-somebody"


@pytest.fixture
def topics(cordboard: Cordboard, kafka_servers: str, kafka_prefix: str) -> Cordboard:
    """The command, with an account and topics of the test's own."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = {
            "CORDBOARD_LOG__KIND": "kafka",
            "CORDBOARD_LOG__TOPIC_PREFIX": kafka_prefix,
            "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": kafka_servers,
            "CORDBOARD_ACCOUNTS__MAIN__API_KEY": KEY,
        }
        return cordboard("topics", *words, **(given | variables))

    return run


@pytest.mark.parametrize(
    ("retention", "said"),
    [("604800000", "7 days"), ("129600000", "36 hours"), ("90000", "90 s"), ("1", "1 ms"), ("-1", "forever")],
)
def test_how_long_a_topic_is_kept_is_said_in_whole_numbers(retention: str, said: str) -> None:
    """
    A topic of somebody else's making may be kept for a moment only.
    """
    assert kept({"retention.ms": retention}) == said


def states(ended: subprocess.CompletedProcess[str]) -> set[str]:
    return {json.loads(line)["state"] for line in ended.stdout.splitlines()}


class TestTopics:
    def test_are_created_once(self, topics: Cordboard) -> None:
        """
        Missing, then created, then in order; looking changes nothing, and all are there that the settings need.
        """
        before, created, after = topics(), topics("--create"), topics("--create")

        assert (before.returncode, states(before)) == (1, {"missing"})
        assert (created.returncode, states(created), created.stderr) == (0, {"created"}, "")
        assert (after.returncode, states(after), after.stderr) == (0, {"ok"}, "")
        names = {json.loads(line)["topic"].split(".", 1)[1] for line in after.stdout.splitlines()}
        assert {"commands", "now", "webhooks", "outcomes", "ledger", "control", "work.main.dial"} <= names

    def test_text_is_a_table(self, topics: Cordboard, kafka_prefix: str) -> None:
        """
        For people: a line for each topic, and how long it is kept.
        """
        lines = topics("--create", "--output=text").stdout.splitlines()

        assert lines[0].split() == ["topic", "partitions", "copies", "in", "sync", "kept", "state"]
        by_name = {line.split()[0].removeprefix(f"{kafka_prefix}."): line.split()[1:] for line in lines[1:]}
        assert (by_name["commands"][0], by_name["commands"][3:]) == ("4", ["7", "days", "created"])
        assert (by_name["ledger"][0], by_name["ledger"][3:]) == ("4", ["by", "key", "created"])

    async def test_what_is_wrong_is_named_with_its_remedy(
        self, topics: Cordboard, kafka_servers: str, kafka_prefix: str
    ) -> None:
        """
        Topics of another partition count: status 1, each of them, and the procedure; nothing is created beside them.
        """
        names = Topics(kafka_prefix)
        specs = [spec for spec in names.specs(["main"], 2) if spec.name != names.control]
        made = demands(specs, ledger=names.ledger, partitions=2, inputs=names.inputs)
        await ensure(Connection(bootstrap_servers=kafka_servers), made)
        ended = topics("--create", "--output=text")

        assert ended.returncode == 1
        assert f"{names.commands}: it has 2 partitions and must have 4" in ended.stderr
        assert f"{names.ledger}: it has 2 partitions and must have 4" in ended.stderr
        assert "Set log.partitions back to 2" in ended.stderr
        assert f"{names.control}: it is not there" in ended.stderr
        assert KEY not in ended.stdout + ended.stderr

    def test_the_embedded_log_has_none(self, cordboard: Cordboard) -> None:
        """
        Whoever has no Kafka is told so, with status 2.
        """
        ended = cordboard("topics")

        assert ended.returncode == 2
        assert "log.kind is embedded" in ended.stderr

    def test_nobody_there(self, topics: Cordboard) -> None:
        """
        One sentence, status 3, and not a word of the library's.
        """
        ended = topics(CORDBOARD_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")

        assert ended.returncode == 3
        assert ended.stderr.startswith("cordboard: 127.0.0.1:1 cannot be reached: ")
        assert ended.stderr.count("\n") == 1
