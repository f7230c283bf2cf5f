"""The workers' role: what goes wrong in a pool is written where an operator reads."""

from __future__ import annotations

import random
from pathlib import Path

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cordboard.clock import SystemClock
from cordboard.log.port import NewRecord
from cordboard.roles.hands import Workers
from cordboard.roles.log import open_log
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from cordboard.work import Lane
from tests.workers.world import until


async def test_a_pools_troubles_are_written(tmp_path: Path) -> None:
    """
    Work that cannot be read is counted and also said, with the place where it is.
    """
    settings = Settings(accounts={"main": {"api_key": "k"}}, log={"path": tmp_path / "log.sqlite3", "partitions": 1})
    clock, registry = SystemClock(), CollectorRegistry()
    log = (await open_log(settings, clock, registry)).log
    workers = Workers(settings, ["main"], log, clock, random.Random(1), registry)
    with capture_logs() as lines:
        await workers.start()
        await log.append([NewRecord(topics_of(settings).work("main", Lane.ACTION), b"v3:call", b"\xc1 no work")])
        await until(lambda: any(line["event"] == "work_unreadable" for line in lines))
        await workers.stop()
    await log.close()

    assert [(line["lane"], line["offset"]) for line in lines if line["event"] == "work_unreadable"] == [("action", 0)]
