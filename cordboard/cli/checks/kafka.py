"""Kafka: whether it is there and lets us in, whether the topics are what they must be, and whose clock is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from cordboard.cli.checks.clocks import skewed
from cordboard.cli.checks.findings import Finding, Looking, error, ok
from cordboard.log.kafka.events import ignore
from cordboard.log.kafka.reach import NotLetIn, reach
from cordboard.log.kafka.topics import Survey, survey
from cordboard.log.kafka.writer import Placed, Writer
from cordboard.log.port import LogError, LogUnavailable, NewRecord
from cordboard.roles.kafka import connection_of, demands_of
from cordboard.roles.topics import topics_of

_SERVERS: Final = "kafka.bootstrap_servers"
_STEPS_WRONG: Final = "mend what the sentence names, and check again; docs/kafka.md has TLS and SASL step by step"


async def kafka(looking: Looking) -> AsyncIterator[Finding]:
    """Each step needs the one before it, so the first that fails is the last that is told."""
    chosen = looking.settings.kafka
    if looking.settings.log.kind != "kafka":
        return
    try:
        connection = connection_of(chosen)
        await reach(connection)
    except NotLetIn as why:
        yield error("kafka", f"the brokers do not let us in: {why}", _STEPS_WRONG)
        return
    except LogUnavailable as why:
        yield error(_SERVERS, f"no broker answers: {why}", "start the brokers, or name where they are")
        return
    except (LogError, OSError, ValueError) as why:  # The latter two: of files with secrets.
        yield error("kafka", str(why), _STEPS_WRONG)
        return
    yield ok("kafka", f"{chosen.bootstrap_servers} lets us in, by {chosen.security_protocol}")
    try:
        seen = await survey(
            connection, demands_of(looking.settings), chosen.replication_factor, chosen.min_insync_replicas
        )
    except LogError as why:
        yield error(
            "kafka topics", f"they cannot be looked at: {why}", "let this user describe topics and their settings"
        )
        return
    for finding in _topics(seen, create=chosen.create_topics):
        yield finding
    if topics_of(looking.settings).processes in seen.found:
        async for finding in _write(looking):
            yield finding


def _topics(seen: Survey, *, create: bool) -> list[Finding]:
    missing = {demand.topic for demand in seen.missing}
    wrong = [error(f"topic {one.topic}", one.problem, one.remedy) for one in seen.wrong if one.topic not in missing]
    if missing:
        names = ", ".join(sorted(missing))
        sentence = f"{len(missing)} of {len(seen.demands)} are not there: {names}"
        how = "a start creates them, too" if create else "kafka.create_topics is false, so nobody else does"
        wrong.append(error("kafka topics", sentence, f"run cordboard topics --create; {how}"))
    return wrong or [ok("kafka topics", f"all {len(seen.demands)} are what they must be")]


async def _write(looking: Looking) -> AsyncIterator[Finding]:
    """An empty record, where nobody reads it, tells whether we may write, and the brokers' time."""
    topic, clock = topics_of(looking.settings).processes, looking.clock
    writer = Writer(connection_of(looking.settings.kafka), clock, ignore)
    try:
        await writer.start()
        before_ms = clock.now_ms()
        [appended] = await writer.append([Placed(0, NewRecord(topic, b"check", b""))])
        after_ms = clock.now_ms()
    except LogError as why:
        yield error("kafka writes", f"a record is not taken: {why}", "let this user write to the topics of its prefix")
        return
    finally:
        await writer.close()
    yield ok("kafka writes", f"a record was acknowledged within {after_ms - before_ms} ms")
    yield skewed("clock", "the brokers' clocks", appended.time_ms, before_ms, after_ms)
