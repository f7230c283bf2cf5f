"""The workers' role: what goes wrong in a pool is written where an operator reads, and events go on."""

from __future__ import annotations

import random
from pathlib import Path

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cordboard.clock import SystemClock
from cordboard.http_server import HttpServer
from cordboard.log.port import NewRecord
from cordboard.roles.hands import Workers
from cordboard.roles.log import open_log
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from cordboard.work import Lane
from tests.forwarding.stage import Service, event
from tests.workers.world import until


async def test_a_pools_troubles_are_written(tmp_path: Path) -> None:
    """
    Work that cannot be read is counted and also said, with the place where it is.
    """
    settings = Settings(accounts={"main": {"api_key": "k"}}, log={"path": tmp_path / "log.sqlite3", "partitions": 1})
    clock, registry = SystemClock(), CollectorRegistry()
    log = (await open_log(settings, clock, registry)).log
    workers = Workers(settings, ["main"], log, clock, random.Random(1), lambda account: False, registry)
    with capture_logs() as lines:
        await workers.start()
        await log.append([NewRecord(topics_of(settings).work("main", Lane.ACTION), b"v3:call", b"\xc1 no work")])
        await until(lambda: any(line["event"] == "work_unreadable" for line in lines))
        await workers.stop()
    await log.close()

    assert [(line["lane"], line["offset"]) for line in lines if line["event"] == "work_unreadable"] == [("action", 0)]


async def test_an_account_with_an_endpoint_has_its_events_forwarded(tmp_path: Path) -> None:
    """
    Only that one; what is forwarded is counted by account, and its partitions are looked after like a lane's.
    """
    service, clock, registry = Service(), SystemClock(), CollectorRegistry()
    async with HttpServer(service.app(), "127.0.0.1", 0, drain_seconds=0.1) as service.server:
        settings = Settings(
            accounts={"main": {"api_key": "k", "forward_url": service.url}, "other": {"api_key": "k"}},
            log={"path": tmp_path / "log.sqlite3", "partitions": 1},
        )
        log = (await open_log(settings, clock, registry)).log
        workers = Workers(settings, ["main", "other"], log, clock, random.Random(1), lambda account: False, registry)
        await workers.start()
        await until(lambda: not workers.unseated)
        await log.append([event("v3:a", 0, "other"), event("v3:a", 1, "main")])
        await until(lambda: service.of("v3:a") == ["v3:a-1"])
        name = "cordboard_forward_delivered_total"
        await until(lambda: registry.get_sample_value(name, {"pool": "main"}) == 1)

        assert {post.holder for post in workers.posts if "forward" in post.holder} == {("main", "forward")}
        assert (workers.broken, registry.get_sample_value(name, {"pool": "other"})) == ((), None)
        await workers.stop()
        await log.close()
