"""How fast a ledger is restored: by the log alone, and by an owner, who must be able to answer for every page.

`python -m bench.restore SERVERS PREFIX` is the process that does it, as new as one that has just taken over.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from bench import quiet
from bench.processes import reported
from bench.topic_sender import partitions
from cordboard.clock import SystemClock
from cordboard.control import Control
from cordboard.log.kafka.entries import from_stored
from cordboard.log.kafka.log import KafkaLog
from cordboard.log.ledger import PageWritten
from cordboard.roles.brain import accounts_of, owners_of
from cordboard.roles.kafka import open_kafka
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from cordboard.topics import Topics
from dispatcher.core.page import encode

_PAGES_AT_ONCE: Final = 1_000
_TIMES: Final = 3
_WHO: Final = ("log", "owner")
_WHAT: Final = ("second", "cpu_second")


async def weigh(servers: str, prefix: str, count: int) -> dict[str, Any]:
    """Write so many pages like those of the calls under `prefix` into one partition, and restore it a few times."""
    pages = quiet.copies(await _samples(servers, Topics(prefix).ledger), count)
    await _write(servers, f"{prefix}-restored", [(page.key, encode(page)) for page in pages])
    runs = [await reported("bench.restore", servers, f"{prefix}-restored") for _ in range(_TIMES)]
    assert all(run[who]["pages"] == count for run in runs for who in _WHO), runs
    return {
        "pages": count,
        "page_bytes": round(sum(len(encode(page)) for page in pages) / count),
        **{f"{who}_pages_per_{what}": _best(count, runs, who, what) for who in _WHO for what in _WHAT},
    }


def _best(count: int, runs: Sequence[dict[str, dict[str, float]]], who: str, what: str) -> int:
    return max(round(count / run[who][what]) for run in runs)


async def _samples(servers: str, ledger: str) -> list[bytes]:
    """Pages as they are now."""
    pages: dict[str, bytes] = {}
    every = await partitions(servers, ledger)
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        ends = await consumer.end_offsets(every)
        consumer.assign(every)
        await consumer.seek_to_beginning()
        while any([await consumer.position(at) < end for at, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    entry = from_stored(record.key, record.value, record.headers)
                    if isinstance(entry, PageWritten) and entry.value is not None:
                        pages[entry.key] = entry.value
    return [pages[key] for key in sorted(pages)]


async def _write(servers: str, prefix: str, pages: list[tuple[str, bytes]]) -> None:
    log = await opened(settings_for(servers, prefix))
    claim = await log.claim(0)
    for start in range(0, len(pages), _PAGES_AT_ONCE):
        await log.settle(claim, pages[start : start + _PAGES_AT_ONCE], [], {})
    await log.close()


def settings_for(servers: str, prefix: str) -> Settings:
    return Settings.model_validate(
        {
            "log": {"kind": "kafka", "partitions": 1, "topic_prefix": prefix},
            "kafka": {"bootstrap_servers": servers},
        }
    )


async def opened(settings: Settings) -> KafkaLog:
    return await open_kafka(settings, SystemClock(), CollectorRegistry())


async def _log_alone(log: KafkaLog, settings: Settings) -> int:
    claim = await log.claim(0)
    return sum([1 async for _ in log.pages(claim)])


async def _owner(log: KafkaLog, settings: Settings) -> int:
    owner = owners_of(
        settings,
        accounts_of(settings),
        log,
        SystemClock(),
        Control(log, topics_of(settings).control),
        CollectorRegistry(),
    )(0)
    running = asyncio.create_task(owner.run())
    await owner.restored.wait()
    pages = owner.pages
    owner.stop()
    await running
    return pages


async def _timed(settings: Settings, restore: Callable[[KafkaLog, Settings], Awaitable[int]]) -> dict[str, float]:
    log = await opened(settings)
    started, used = time.perf_counter(), time.process_time()
    pages = await restore(log, settings)
    took = {"pages": pages, "second": time.perf_counter() - started, "cpu_second": time.process_time() - used}
    await log.close()
    return took


async def _restore(settings: Settings) -> dict[str, Any]:
    return {"log": await _timed(settings, _log_alone), "owner": await _timed(settings, _owner)}


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(_restore(settings_for(*sys.argv[1:3])))).decode())
