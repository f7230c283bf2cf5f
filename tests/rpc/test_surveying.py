"""GetStatus through the real door: what processes have said, and what happens to it when the log does not answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cordboard.log.port import LogUnavailable, NewRecord
from cordboard.orders import Orders
from cordboard.presence import Presence, record_of
from cordboard.v1 import GetStatusRequest, GetStatusResponse
from cordboard.v1 import operator_service_pb2_grpc as operator_stubs
from dispatcher.rpc import surveying
from tests.rpc.door import CLOCK, PARTITIONS, TOPICS, Desk, desk_at


class Without:
    """A log of which some questions fail, or are never answered."""

    def __init__(self, log: Any, *questions: str, hangs: bool = False) -> None:
        self._log = log
        self._questions = questions
        self._hangs = hangs

    def __getattr__(self, name: str) -> Any:
        return self._fail if name in self._questions else getattr(self._log, name)

    async def _fail(self, *_: object) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        raise LogUnavailable("the brokers are away")


async def own_word() -> Presence:
    return Presence("here", "h", 1, "1", ("dispatcher", "ingress"), 1, 5_000, troubles=(("log", "it is away"),))


async def status(desk: Desk) -> GetStatusResponse:
    stub: Any = operator_stubs.OperatorServiceStub(desk.channel)
    found: GetStatusResponse = await stub.GetStatus(GetStatusRequest())
    return found


async def test_what_others_have_said_is_told(tmp_path: Path) -> None:
    """
    Of the last two minutes, each process by its last word; with what this one says now, and what nobody can read.
    """
    async with desk_at(tmp_path, own_word=own_word, orders=lambda: Orders(paused=frozenset({"main"}))) as desk:
        for version in ("1", "2"):
            word = Presence("there", "h", 2, version, ("worker",), 1, 5_000)
            await desk.log.append([record_of(TOPICS.processes, word)])
        await desk.log.append([NewRecord(TOPICS.processes, b"?", b"\xc1"), NewRecord(TOPICS.dead_letters, b"A", b"")])
        found = await status(desk)

    assert {(one.name, one.version) for one in found.processes} == {("here", "1"), ("there", "2")}
    assert found.answered_by == "here"
    assert list(found.paused_accounts) == ["main"]
    assert found.dead_letter_records == 1
    assert "1 of their words cannot be read here" in next(one.sentence for one in found.unknown)
    assert [one.account for one in found.lanes] == ["main"] * 3 + ["other"] * 3


async def test_what_is_long_past_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A process that said nothing for longer than is looked back has ended.
    """
    async with desk_at(tmp_path) as desk:
        await desk.log.append([record_of(TOPICS.processes, Presence("there", "h", 2, "1", ("worker",), 1, 5_000))])
        assert [one.name for one in (await status(desk)).processes] == ["there"]
        now_ms = CLOCK.now_ms()
        monkeypatch.setattr(surveying, "LOOK_BACK_MS", -60_000)
        assert CLOCK.now_ms() - now_ms < 60_000
        assert list((await status(desk)).processes) == []


@pytest.mark.parametrize("hangs", [False, True])
async def test_a_log_that_does_not_answer_hides_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    """
    Each question fails by itself, at once or when its time is over; what this process knows by itself is told.
    """
    monkeypatch.setattr(surveying, "ASK_SECONDS_MAX", 0.2)

    def without(log: Any) -> Any:
        return Without(log, "holders", "offset_at", hangs=hangs)

    async with desk_at(tmp_path, own_word=own_word, wrap=without) as desk:
        found = await status(desk)

    assert {one.subject for one in found.unknown} == {"owners", "processes"}
    assert [one.name for one in found.processes] == ["here"]
    assert "here: log: it is away" in [f"{one.subject}: {one.sentence}" for one in found.problems]
    assert len(found.partitions) == PARTITIONS
    assert found.dead_letter_records == 0
    assert not found.well
