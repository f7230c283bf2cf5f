"""The operations port over real HTTP: what it says when all is well, and when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from cordboard import operations
from cordboard.http_server import HttpServer
from cordboard.log.port import LogUnavailable
from cordboard.operations import Check, Excused, Remark, failing_checks, operations_server
from cordboard.settings import Operations
from tests.rpc.identities import EVERY_RIGHT, access, identity


@pytest.fixture
def checks() -> dict[str, Check]:
    return {}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


class Levels:
    """Remembers what it was told."""

    now = usual = "info"
    seconds: float | None = None

    def change(self, to: str, seconds: float | None = None) -> None:
        self.now, self.seconds = to, seconds


@pytest.fixture
def levels() -> Levels:
    return Levels()


@pytest.fixture
async def server(checks: dict[str, Check], registry: CollectorRegistry, levels: Levels) -> AsyncIterator[HttpServer]:
    settings = Operations(port=0, check_seconds_max=0.05)
    async with operations_server(settings, checks, registry, levels) as server:
        yield server


@pytest.fixture
async def client(server: HttpServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as client:
        yield client


async def test_ready_when_every_check_is_well(client: httpx.AsyncClient, checks: dict[str, Check]):
    """
    Checks may be plain or awaited; each is named in the answer.
    """

    async def well() -> None:
        return None

    checks.update(log=well, clock=lambda: None)

    answer = await client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "failing": [], "checks": {"log": "ok", "clock": "ok"}}


async def test_not_ready_names_what_fails_and_why(client: httpx.AsyncClient, checks: dict[str, Check]):
    """
    A sentence, trouble with the log, a crash and a check that hangs are each told; a crash's text may be private.
    """

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def away() -> None:
        raise LogUnavailable("the disk is full")

    def crashes() -> None:
        raise RuntimeError("KEY0123")

    checks.update(clock=lambda: "3.1 s off", hangs=hangs, log=away, crash=crashes, owner=lambda: None)

    answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "failing": ["clock", "crash", "hangs", "log"],
        "checks": {
            "clock": "3.1 s off",
            "hangs": "no answer within 0.05 s",
            "log": "LogUnavailable: the disk is full",
            "crash": "RuntimeError",
            "owner": "ok",
        },
    }


async def test_a_remark_is_told_and_keeps_nobody_from_being_ready(client: httpx.AsyncClient, checks: dict[str, Check]):
    """
    Nor does a check that is excused, however it fails: what stands in for it is told.
    """

    async def hangs() -> None:
        await asyncio.Event().wait()

    stands_in = "something stands in"
    checks.update(spool=lambda: Remark("3 wait"), log=Excused(hangs, stands_in), clock=Excused(lambda: None, stands_in))

    answer = await client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "failing": [],
        "checks": {"spool": "3 wait", "log": "no answer within 0.05 s; something stands in", "clock": "ok"},
    }
    assert await failing_checks(checks, 0.05) == {}


async def test_alive_whatever_the_checks_say(client: httpx.AsyncClient, checks: dict[str, Check]):
    """
    A process is not restarted because something else is away.
    """
    checks.update(log=lambda: "away")

    answer = await client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"alive": True})


async def test_started_when_the_start_is_over(client: httpx.AsyncClient, checks: dict[str, Check]):
    """
    Whatever else is away; an orchestrator waits for this before it asks whether the process is alive.
    """
    checks.update(started=lambda: "starting", log=lambda: "away")
    before = await client.get("/startz")
    del checks["started"]
    after = await client.get("/startz")

    assert (before.status_code, before.json()) == (503, {"started": False})
    assert (after.status_code, after.json()) == (200, {"started": True})


async def test_metrics_in_both_formats(client: httpx.AsyncClient, registry: CollectorRegistry):
    """
    Prometheus asks for OpenMetrics and gets it; others get the plain text.
    """
    Counter("cordboard_trials", "Trials", registry=registry).inc()

    plain = await client.get("/metrics")
    modern = await client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})

    assert plain.headers["content-type"].startswith("text/plain")
    assert "cordboard_trials_total 1.0" in plain.text
    assert modern.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "cordboard_trials" in [family.name for family in text_string_to_metric_families(modern.text)]


async def test_nothing_else_is_there(client: httpx.AsyncClient):
    """
    Other paths and other verbs are refused.
    """
    assert (await client.get("/")).status_code == 404
    assert (await client.post("/readyz")).status_code == 405


async def test_the_level_is_told_and_changed(client: httpx.AsyncClient, levels: Levels):
    """
    For a while, or until the next change.
    """
    assert (await client.get("/loglevel")).json() == {"level": "info", "usual": "info"}

    answer = await client.put("/loglevel", json={"level": "debug", "seconds": 600})
    assert (answer.status_code, answer.json()) == (200, {"level": "debug", "usual": "info"})
    assert levels.seconds == 600
    await client.put("/loglevel", json={"level": "error"})
    assert (levels.now, levels.seconds) == ("error", None)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"debug", "malformed"),
        (b"{}", "level"),
        (b'{"level": "loud"}', "loud"),
        (b'{"level": "debug", "seconds": 0}', "seconds"),
        (b'{"level": "debug", "second": 5}', "second"),
        (b" " * 2_000, "1024 bytes"),
    ],
)
async def test_a_level_that_is_none_is_refused(client: httpx.AsyncClient, levels: Levels, body: bytes, says: str):
    """
    With a sentence that says what would be right; nothing changes.
    """
    answer = await client.put("/loglevel", content=body)

    assert answer.status_code == 400
    assert '{"level": "debug", "seconds": 600}' in answer.json()["error"]
    assert says in answer.json()["error"]
    assert levels.now == "info"


@pytest.mark.parametrize(
    ("token", "status", "says"),
    [
        ("", 401, "Nothing shows who asks"),
        ("wrong", 401, "The token is that of nobody here."),
        ("t-eyes", 403, "The sender 'eyes' has not the right operate."),
        ("t-root", 200, ""),
    ],
)
async def test_where_identities_are_an_operator_changes_the_level(levels: Levels, token: str, status: int, says: str):
    """
    All else stays open: a probe and Prometheus have no token, and learn of no call.
    """
    known = access(eyes=identity("t-eyes"), root=identity("t-root", rights=EVERY_RIGHT))
    server = operations_server(Operations(port=0), {}, CollectorRegistry(), levels, known)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with server, httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.put("/loglevel", json={"level": "error"}, headers=headers)
        opened = [(await client.get(path)).status_code for path in ("/metrics", "/healthz", "/readyz", "/loglevel")]

    assert (answer.status_code, levels.now) == (status, "error" if status == 200 else "info")
    assert answer.json().get("error", "").startswith(says)
    assert opened == [200, 200, 200, 200]


async def test_a_body_that_does_not_come_changes_nothing(
    server: HttpServer, levels: Levels, monkeypatch: pytest.MonkeyPatch
):
    """
    Who drips it holds a connection for a while, and is told why it ends.
    """
    monkeypatch.setattr(operations, "_WANTED_SECONDS_MAX", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b'PUT /loglevel HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n{"level": ')

    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert levels.now == "info"
    writer.close()
