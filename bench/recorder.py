"""`make bench-recorder`: how fast is recorded beside how fast commands are done, and how soon a call is found.

First commands are done by one process without a recorder and by one with it, both on the embedded log. What the first
one left on its log is then recorded anew, into each kind of database. Then tables are filled with as many calls as
wanted, made up, and searched in every way that there is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from prometheus_client import CollectorRegistry

from bench import processes, report
from bench.cells import EXECUTE, STREAM, Place
from bench.measuring import Measuring, say
from bench.plan import Kind
from bench.truth import Sandbox
from cordboard.clock import SystemClock
from cordboard.log.port import TopicPartition
from cordboard.roles.brain import accounts_of
from cordboard.roles.log import open_log
from cordboard.roles.recorder import Recording, database_of
from cordboard.settings import Settings
from dispatcher.recorder.reading import Reading
from dispatcher.recorder.story import Entry, Story
from dispatcher.recorder.tables import Move, Search, Tables
from tests.recorder.server import Server

KINDS: Final = (Kind(EXECUTE, 64, 0), Kind(STREAM, 64, 0))
_AT: Final = TopicPartition("cordboard.commands", 0)
_BATCH: Final = 2_000
_ENTRIES: Final = 4  # Of each call that is made up.
_SEARCHES: Final = 40
_DAY_MS: Final = 86_400_000
_CAUSES: Final = ("normal_clearing",) * 8 + ("user_busy", "no_answer")


async def run(folder: Path, rounds: int, calls: int) -> dict[str, Any]:
    """Measure in `folder`."""
    told: dict[str, Any] = {"machine": report.machine()}
    told["commands"] = {
        "without a recorder": await _commands(folder / "without", rounds, {}),
        "with a recorder": await _commands(folder / "with", rounds, _recording(folder / "with")),
    }
    with Server() as server:
        databases: dict[str, dict[str, Any]] = {
            "sqlite": {"kind": "sqlite", "path": folder / "again.sqlite3"},
            "postgresql": {"kind": "postgresql", "url": server.url},
        }
        told["recording"] = {name: await _record(folder / "without", one) for name, one in databases.items()}
        databases = {
            "sqlite": {"kind": "sqlite", "path": folder / "million.sqlite3"},
            "postgresql": {"kind": "postgresql", "url": server.url},
        }
        told["searching"] = {name: await _search(one, calls) for name, one in databases.items()}
    return told


def _recording(folder: Path) -> dict[str, str]:
    return {"CORDBOARD_RECORDER__KIND": "sqlite", "CORDBOARD_RECORDER__PATH": str(folder / "recorded.sqlite3")}


async def _commands(folder: Path, rounds: int, environment: dict[str, str]) -> dict[str, float]:
    """Commands in a second, by how they are sent."""
    folder.mkdir()  # noqa: ASYNC240 - before anything runs
    with _environment(environment):
        async with AsyncExitStack() as stack:
            url, sandbox_pid = await stack.enter_async_context(processes.sandbox())
            target, pid = await stack.enter_async_context(processes.cordboard(folder, url))
            sandbox = await stack.enter_async_context(Sandbox(url))
            place = Place(f"{url}/v2", target, {"cordboard": pid, "sandbox": sandbox_pid})
            measuring = await stack.enter_async_context(Measuring(place, folder, sandbox))
            rows = await measuring.measure(KINDS, rounds)
    return {row["system"]: row["per_second"] for row in rows}


@contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    os.environ.update(more)
    try:
        yield
    finally:
        for name in more:
            del os.environ[name]


async def _record(folder: Path, recorder: dict[str, Any]) -> dict[str, float]:
    """Record a whole log, and say how fast that was."""
    settings = Settings(accounts={"bench": {"api_key": "k"}}, log={"path": folder / processes.LOG}, recorder=recorder)
    opened = await open_log(settings, SystemClock(), CollectorRegistry())
    registry = CollectorRegistry()
    recording = Recording(settings, accounts_of(settings), opened.log, SystemClock(), registry)
    started, used = time.perf_counter(), time.process_time()
    await recording.start()
    count, seconds = await _until_still(registry, started)
    told = {"records": count, "records a second": round(count / seconds), "seconds": round(seconds, 1)}
    commands = registry.get_sample_value("cordboard_recorder_records_total", {"kind": "command"}) or 0
    told["commands a second"] = round(commands / seconds)
    told["CPU ms a command"] = round((time.process_time() - used) * 1000 / max(commands, 1), 3)
    await recording.stop()
    await opened.log.close()
    return told


async def _until_still(registry: CollectorRegistry, started: float) -> tuple[int, float]:
    """How many records there were, and how long it took until there were no more (seconds)."""
    seen, at = -1, started
    while time.perf_counter() - at < 2.5 or seen <= 0:
        families = (one for one in registry.collect() if one.name == "cordboard_recorder_records")
        count = round(sum(one.value for family in families for one in family.samples if one.name.endswith("_total")))
        if count != seen:
            seen, at = count, time.perf_counter()
        await asyncio.sleep(0.01)
    return seen, at - started


async def _search(recorder: dict[str, Any], calls: int) -> dict[str, Any]:
    """Fill tables with so many calls, and find some."""
    settings = Settings(recorder=recorder)
    async with _tables(settings, read_only=False) as tables:
        await tables.prepare()
        started = time.perf_counter()
        await _fill(tables, calls)
        seconds = time.perf_counter() - started
    if settings.recorder.kind == "postgresql":
        await _analyze(settings)
    told: dict[str, Any] = {"calls": calls, "records written a second": round(calls * _ENTRIES / seconds)}
    async with _tables(settings, read_only=True) as tables:
        for name, ask in _searches(tables, calls, random.Random(7)).items():
            told[f"{name} ms (median, worst)"] = await _timed(ask)
    return told


async def _analyze(settings: Settings) -> None:
    """As PostgreSQL does by itself, a minute after so much was written."""
    database = database_of(settings)
    async with database.transaction() as session:
        await session.script("ANALYZE")
    await database.close()


@asynccontextmanager
async def _tables(settings: Settings, *, read_only: bool) -> AsyncIterator[Tables]:
    tables = Tables(database_of(settings, read_only=read_only))
    try:
        yield tables
    finally:
        await tables.close()


async def _fill(tables: Tables, calls: int) -> None:
    place = (await tables.positions({_AT: 0}))[_AT]
    for first in range(0, calls, _BATCH):
        readings = [
            reading
            for number in range(first, min(first + _BATCH, calls))
            for reading in _made_up(number, calls, place + _ENTRIES * (number - first))
        ]
        await tables.write(readings, [Move(_AT, place, place + len(readings))])
        place += len(readings)
        if first % 100_000 == 0:
            say(f"{first + _BATCH} of {calls} calls")


def _made_up(number: int, calls: int, place: int) -> Iterator[Reading]:
    """A call; all of them are spread over a month, most of them are of few numbers."""
    rng = random.Random(number)
    time_ms = 1_800_000_000_000 + number * 30 * _DAY_MS // calls
    call = f"v3:{rng.getrandbits(240):060x}"
    story = Story(
        call=call,
        account=f"account-{rng.randrange(5)}",
        direction="outgoing",
        from_number=f"+1******{rng.randrange(50):04}",
        to_number=f"+1******{rng.randrange(10_000):04}",
        outcome=rng.choice(_CAUSES),
        first_ms=time_ms,
        last_ms=time_ms + 30_000,
        heard_ms=time_ms,
        answered_ms=time_ms,
        ended_ms=time_ms + 30_000,
    )
    for nth, kind in enumerate(("command", "release", "outcome", "result")):
        entry = Entry(
            topic=_AT.topic,
            part=_AT.partition,
            place=place + nth,
            call=call,
            time_ms=time_ms + nth,
            kind=kind,
            command_id=f"{number:032x}",
            account=story.account,
            action="speak",
            state="SUCCEEDED" if kind == "result" else "",
            content='{"body":{"payload":"Good morning.","voice":"female"},"group":"campaign"}',
        )
        yield entry, (story,)


def _searches(tables: Tables, calls: int, rng: random.Random) -> dict[str, Callable[[], Awaitable[object]]]:
    def number() -> str:
        return f"+1******{rng.randrange(10_000):04}"

    def at_ms() -> int:
        return 1_800_000_000_000 + rng.randrange(30 * _DAY_MS)

    def known() -> str:
        return f"v3:{random.Random(rng.randrange(calls)).getrandbits(240):060x}"

    return {
        "latest": lambda: tables.search(Search()),
        "by a number called": lambda: tables.search(Search(number=number())),
        "by a number that called often": lambda: tables.search(Search(number=f"+1******{rng.randrange(50):04}")),
        "by a number nobody has": lambda: tables.search(Search(number="+4*******9999")),
        "by account": lambda: tables.search(Search(account=f"account-{rng.randrange(5)}")),
        "by outcome": lambda: tables.search(Search(outcome="user_busy")),
        "by account and outcome, an hour": lambda: tables.search(_hour(at_ms(), f"account-{rng.randrange(5)}")),
        "by number, account and outcome": lambda: tables.search(
            Search(number=f"+1******{rng.randrange(50):04}", account="account-1", outcome="no_answer")
        ),
        "by an outcome that never was": lambda: tables.search(Search(account="account-1", outcome="FAILED")),
        "one call's story": lambda: tables.story(known()),
    }


def _hour(start_ms: int, account: str) -> Search:
    return Search(account=account, outcome="no_answer", start_ms=start_ms, end_ms=start_ms + 3_600_000)


async def _timed(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    took = []
    for _ in range(_SEARCHES):
        started = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(took), 1), round(max(took), 1)


def _main() -> int:
    parser = argparse.ArgumentParser(prog="bench.recorder", description="How fast is recorded, and found.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, default=Path("build/bench-recorder.json"))
    given = parser.parse_args()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.json.parent.absolute()) as folder:
        told = asyncio.run(run(Path(folder), given.rounds, given.calls))
    given.json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    for title in ("commands", "recording", "searching"):
        for name, values in told[title].items():
            print(f"{title}, {name}:")
            for what, value in values.items():
                print(f"  {what}: {value}")
    say(f"all of it is in {given.json}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
