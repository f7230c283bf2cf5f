"""`cordboard topics`: what is on the cluster beside what must be, and the topics that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from cordboard.cli.exits import Failure, Status
from cordboard.cli.progress import working
from cordboard.cli.quiet import quietly
from cordboard.cli.screen import Screen
from cordboard.log.kafka.demands import Demand
from cordboard.log.kafka.topics import Survey, TopicsWrong, ensure, survey
from cordboard.log.port import LogError, LogUnavailable
from cordboard.roles.kafka import connection_of, demands_of
from cordboard.settings import Settings

_WORDS_MS: Final = 3_600_000  # Units that are words have a singular.
_UNITS: Final = (("days", 86_400_000), ("hours", 3_600_000), ("s", 1_000), ("ms", 1))
_STYLES: Final = {"ok": "green", "created": "green", "missing": "yellow", "wrong": "red"}
_COLUMNS: Final = (("partitions", 10), ("copies", 6), ("in sync", 7), ("kept", 8), ("state", 0))


async def show_topics(settings: Settings, *, create: bool, screen: Screen) -> Status:
    """Show every topic that the settings need, the missing ones created first if so asked.

    Raises Failure where the log is not on Kafka, and for everything that is wrong.
    """
    if settings.log.kind != "kafka":
        raise Failure("log.kind is embedded, which needs no topics: set it to kafka", Status.USAGE)
    with quietly(), _sentences():
        chosen = settings.kafka
        about = (connection_of(chosen), demands_of(settings), chosen.replication_factor, chosen.min_insync_replicas)
        created: list[str] = []
        if create:
            with working("creating topics"), suppress(TopicsWrong):  # What is wrong is shown with all that is right.
                created = await ensure(*about)
        with working("looking at topics"):
            seen = await survey(*about)
    _show(screen, seen, frozenset(created))
    if wrong := seen.wrong:
        count = "1 problem" if len(wrong) == 1 else f"{len(wrong)} problems"
        raise Failure(count if screen.json else "\n".join([f"{count}:", *(f"  {one}" for one in wrong)]))
    return Status.OK


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except LogUnavailable as error:
        raise Failure(str(error), Status.UNREACHABLE) from error
    except (LogError, OSError, ValueError) as error:  # The latter two: of a file with the key's password.
        raise Failure(str(error)) from error


def _show(screen: Screen, seen: Survey, created: frozenset[str]) -> None:
    width = max(len(demand.topic) for demand in seen.demands)
    if not screen.json:
        screen.line(("topic", width, "dim"), *((name, columns, "dim") for name, columns in _COLUMNS))
    for demand in seen.demands:
        record = _record(seen, demand, created)
        if screen.json:
            screen.record(record)
        else:
            _line(screen, record, width)


def _record(seen: Survey, demand: Demand, created: frozenset[str]) -> dict[str, Any]:
    """One topic as programs read it; settings are those that there are rules for."""
    there = seen.found.get(demand.topic)
    settings = {} if there is None else dict(there.settings)
    return {
        "topic": demand.topic,
        "state": _state(seen, demand, created),
        "partitions": there and there.partitions,
        "copies": there and there.replicas,
        "settings": {
            name: settings.get(name)
            for name in (*(rule.setting for rule in demand.rules), "min.insync.replicas")
            if there is not None
        },
        "problems": [{"problem": one.problem, "remedy": one.remedy} for one in seen.wrong_with(demand)],
    }


def _state(seen: Survey, demand: Demand, created: frozenset[str]) -> str:
    if demand.topic not in seen.found:
        return "missing"
    if seen.wrong_with(demand):
        return "wrong"
    return "created" if demand.topic in created else "ok"


def _line(screen: Screen, record: dict[str, Any], width: int) -> None:
    settings, state = record["settings"], record["state"]
    shown = (record["partitions"], record["copies"], settings.get("min.insync.replicas"), kept(settings), state)
    cells = [
        ("" if value is None else str(value), columns, "") for value, (_, columns) in zip(shown, _COLUMNS, strict=True)
    ]
    screen.line((record["topic"], width, ""), *cells[:-1], (state, 0, _STYLES[state]))


def kept(settings: dict[str, str]) -> str:
    """For how long, in the largest unit that leaves a whole number, or by what else."""
    if settings.get("cleanup.policy") == "compact":
        return "by key"
    retention = settings.get("retention.ms")
    if retention is None:
        return ""
    if retention == "-1":
        return "forever"
    unit, length = next((unit, length) for unit, length in _UNITS if int(retention) % length == 0)
    count = int(retention) // length
    return f"{count} {unit.removesuffix('s') if count == 1 and length >= _WORDS_MS else unit}"
