"""Every answer that docs/errors.md lists for the public port, given by a real one over real HTTP."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable

import pytest

from cordboard.log.port import AppendUncertain, LogUnavailable
from dispatcher.ingress.answers import ANSWERS, Result
from tests.ingress.desk import OTHER_KEY, Desk, Opened, event, signed, until

# The ingress that gave the answer, and its status: None where nobody was left to hear it.
Given = tuple[Desk, int | None]
Scenario = Callable[[Opened], Awaitable[Given]]
HEAD = b"POST /webhooks/telnyx HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"


def posted(body: bytes = event(), path: str = "/webhooks/telnyx", **limits: object) -> Scenario:
    """A signed webhook, perhaps to another path, with a limit of the ingress."""

    async def scenario(open_desk: Opened) -> Given:
        desk = await open_desk(**limits)
        return desk, (await desk.post(body, path)).status_code

    return scenario


def with_headers(headers: dict[str, str]) -> Scenario:
    """A webhook with other headers than the right ones."""

    async def scenario(open_desk: Opened) -> Given:
        desk = await open_desk()
        return desk, (await desk.client.post("/webhooks/telnyx", content=event(), headers=headers)).status_code

    return scenario


def with_log_that_fails(failure: Exception) -> Scenario:
    """A webhook that cannot be kept."""

    async def scenario(open_desk: Opened) -> Given:
        desk = await open_desk()
        desk.log.failure = failure
        return desk, (await desk.post(event())).status_code

    return scenario


async def while_the_log_is_away(open_desk: Opened) -> Given:
    with tempfile.TemporaryDirectory() as folder:
        desk = await open_desk(spool=folder)
        desk.log.failure = LogUnavailable("the disk is full")
        return desk, (await desk.post(event())).status_code


async def twice(open_desk: Opened) -> Given:
    desk = await open_desk()
    await desk.post(event())
    return desk, (await desk.post(event())).status_code


async def by_get(open_desk: Opened) -> Given:
    desk = await open_desk()
    return desk, (await desk.client.get("/webhooks/telnyx")).status_code


async def dawdling(open_desk: Opened) -> Given:
    desk = await open_desk(body_seconds_max=0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
    writer.write(HEAD)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return desk, status


async def hanging_up(open_desk: Opened) -> Given:
    desk = await open_desk()
    _, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
    writer.write(HEAD)
    await writer.drain()
    writer.close()
    await until(lambda: bool(desk.counted()))
    return desk, None


async def one_too_many(open_desk: Opened) -> Given:
    desk = await open_desk(concurrent_max=1)
    desk.log.gate = asyncio.Event()
    first = asyncio.create_task(desk.post(event(id="e1")))
    await desk.log.entered.wait()
    status = (await desk.post(event(id="e2"))).status_code
    desk.log.gate.set()
    await first
    return desk, status


SCENARIOS: dict[Result, Scenario] = {
    Result.ACCEPTED: posted(),
    Result.SPOOLED: while_the_log_is_away,
    Result.REPEATED: twice,
    Result.UNKNOWN_PATH: posted(path="/webhooks"),
    Result.WRONG_METHOD: by_get,
    Result.UNKNOWN_ACCOUNT: posted(path="/webhooks/telnyx/nobody"),
    Result.BAD_SEAL: posted(path="/webhooks/telnyx/main/dials/d1/forged"),
    Result.UNSIGNED: with_headers({}),
    Result.STALE: with_headers(signed(event(), at=1)),
    Result.FORGED: with_headers(signed(event(), OTHER_KEY)),
    Result.TOO_LARGE: posted(b"x" * 2049, body_bytes_max=2048),
    Result.TOO_SLOW: dawdling,
    Result.BROKEN_OFF: hanging_up,
    Result.MALFORMED: posted(b"{}"),
    Result.FORMAT_ONE: posted(b'{"record_type": "event", "event_type": "call_initiated", "id": "e", "payload": {}}'),
    Result.OVERLOADED: one_too_many,
    Result.LOG_UNAVAILABLE: with_log_that_fails(LogUnavailable("the disk is full")),
    Result.UNCERTAIN: with_log_that_fails(AppendUncertain("no answer")),
    Result.BROKEN: with_log_that_fails(RuntimeError("a bug")),
}


def test_every_answer_has_a_scenario():
    """
    An answer that nothing here makes the ingress give is a hole.
    """
    assert set(SCENARIOS) == set(ANSWERS) == set(Result)


@pytest.mark.parametrize("result", SCENARIOS, ids=str)
async def test_the_answer_comes_as_it_is_listed(open_desk: Opened, result: Result):
    """
    With its status, and counted under its name.
    """
    desk, status = await SCENARIOS[result](open_desk)

    assert status in {ANSWERS[result].status, None}
    assert desk.counted().get(result.value) == 1
