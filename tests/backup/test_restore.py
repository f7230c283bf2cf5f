"""A backup, brought back: whatever was accepted before is never sent again, and says that nobody knows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from cordboard.client import CommandRefused
from cordboard.log.backup import CopyRefused, back_up
from cordboard.log.port import LogInUse
from cordboard.orders import Orders
from cordboard.roles.restore import Restored, restore
from cordboard.settings import Recorder
from cordboard.v1 import Reason, State
from tests.promises.stage import ACCOUNT, ANSWERS_AT_ONCE, OWN_NUMBER, Stage, command, dial, refusal_of

HOUR_MS = 3_600_000


def quietly(done: int, every: int) -> None:
    """Nobody looks at the progress."""


def backed_up(stage: Stage, path: Path) -> Path:
    """A backup of the stage's log as it is now."""
    back_up(stage._directory / "log.sqlite3", path, stage.clock.now_ms(), quietly)
    return path


async def brought_back(stage: Stage, backup: Path, *, seconds: float = 0.0) -> Restored:
    """Stop, restore, and start again, so many seconds later."""
    await stage.close()
    await stage.skip(seconds)
    done = await restore(stage._settings(), backup, stage.clock, quietly, replace=True)
    stage._cursor = ""  # That of the life that was lost is of no use.
    await stage.open()
    return done


async def dialled_by_rest(stage: Stage) -> int:
    """The status with which the REST door answers a dial."""
    fields = {"to": ANSWERS_AT_ONCE, "from": OWN_NUMBER, "connection_id": "c"}
    async with httpx.AsyncClient(base_url=stage.rest_url, trust_env=False) as http:
        key = {"authorization": f"Bearer {stage.api_key}"}
        return (await http.post("/v2/calls", json=fields, headers=key)).status_code


async def state_of(stage: Stage, command_id: str, call: str = "") -> str:
    """What is known of a command."""
    view = await stage.client.get_command(command_id, call)
    state, reason = State.Name(view.result.state), Reason.Name(view.result.reason)
    return f"{state.removeprefix('STATE_')} {reason.removeprefix('REASON_').lower()}"


async def told(stage: Stage, command_id: str, call: str = "") -> str:
    """The same, once it has ended."""
    async with asyncio.timeout(stage.patience):
        while (said := await state_of(stage, command_id, call)).startswith("UNSPECIFIED"):
            await stage.fence()
    return said


async def test_nothing_that_was_accepted_before_is_ever_sent_again(tmp_path: Path) -> None:
    """
    In flight, in a line, behind a gate, done, or accepted after the backup: no request comes a second time, whoever
    repeats what; and what waited is UNKNOWN.
    """
    async with Stage(tmp_path / "log") as stage:
        call, later = await stage.call(), stage.clock.now_ms() + 6 * HOUR_MS
        await stage.submit(dial("d-done"))
        await stage.ended("d-done")
        for held in ("head", "d-flying"):
            stage.door.hold(held)
        before = [command("head", call, expire_ms=later), dial("d-flying", expire_ms=later)]
        before += [command(f"waits-{number}", call, expire_ms=later) for number in range(3)]
        await stage.submit(*before)
        assert await stage.until(lambda: stage.door.inside("head") and stage.door.inside("d-flying"))
        backup = backed_up(stage, tmp_path / "backup")
        stage.door.let_go()
        await stage.submit(dial("d-after", expire_ms=later), command("after", call, expire_ms=later))
        names = ["d-done", "d-after", "after", *(one.command_id for one in before)]
        assert await stage.ended(*names) == []
        visits = [visit.command_id for visit in stage.door.of(*names)]
        assert sorted(visits) == sorted(names)

        await brought_back(stage, backup, seconds=120)

        for name in ("head", "waits-0", "waits-1", "waits-2"):
            assert await told(stage, name, call) == "UNKNOWN worker_lost"
        assert await told(stage, "d-flying") == "UNKNOWN worker_lost"
        assert await told(stage, "d-done") == "SUCCEEDED unspecified"
        for again in (dial("d-done"), dial("d-after"), command("after", call), *before):
            assert await refusal_of(stage.client.submit(again)) == "RESTORING"
        await stage.client.resume(ACCOUNT)
        await stage.submit(dial("d-done"), *before)  # Those that the backup knows are answered from its memory.
        await stage.fence()
        assert [visit.command_id for visit in stage.door.of(*names)] == visits


async def test_without_the_mark_of_a_restore_what_waited_would_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The story above finds it: the log itself cannot know that it is an old one.
    """
    monkeypatch.setattr(Orders, "has_lost", lambda *_: False)
    async with Stage(tmp_path / "log") as stage:
        call, later = await stage.call(), stage.clock.now_ms() + 6 * HOUR_MS
        stage.door.hold("head")
        await stage.submit(command("head", call, expire_ms=later), command("waits", call, expire_ms=later))
        assert await stage.until(lambda: stage.door.inside("head"))
        backup = backed_up(stage, tmp_path / "backup")
        stage.door.let_go()
        assert await stage.ended("head", "waits") == []

        await brought_back(stage, backup, seconds=120)
        await stage.client.resume(ACCOUNT)

        assert await stage.until(lambda: len(stage.door.of("waits")) == 2)


async def test_a_hangup_gets_through_and_so_does_all_that_is_new(tmp_path: Path) -> None:
    """
    A hangup that waited in the backup is sent, one is taken while the account is closed; and after the resume
    everything goes on as ever.
    """
    async with Stage(tmp_path / "log") as stage:
        call, other = await stage.call(), await stage.call()
        stage.door.hold("head")
        await stage.submit(command("head", call), command("bye", call, "hangup"))
        assert await stage.until(lambda: stage.door.inside("head"))
        backup = backed_up(stage, tmp_path / "backup")
        stage.door.let_go()

        await brought_back(stage, backup, seconds=60)

        await stage.submit(command("bye-now", other, "hangup"))
        assert (await told(stage, "bye-now", other)).startswith("SUCCEEDED")
        assert (await told(stage, "bye", call)).startswith("SUCCEEDED")
        assert await refusal_of(stage.client.submit(dial("new"))) == "RESTORING"
        assert await dialled_by_rest(stage) == 503
        await stage.client.resume(ACCOUNT)
        await stage.submit(dial("new", to=ANSWERS_AT_ONCE))
        assert (await told(stage, "new")).startswith("SUCCEEDED")


async def test_a_cursor_of_the_lost_life_is_expired(tmp_path: Path) -> None:
    """
    Who watched is told so at once, however far the log has come since, and is never shown another record instead.
    """
    async with Stage(tmp_path / "log") as stage:
        backup = backed_up(stage, tmp_path / "backup")
        await stage.submit(command("a", "nobody", "hangup"))
        await stage.ended("a")
        watch = stage.client.watch()
        cursor = await watch.positioned()

        await brought_back(stage, backup)

        with pytest.raises(CommandRefused) as refused:
            async with stage.client.watch(cursor=cursor) as again:
                await anext(aiter(again))
        assert refused.value.reason == "CURSOR_EXPIRED"


async def test_the_recorder_begins_anew_beside_what_it_had(tmp_path: Path) -> None:
    """
    Its tables are of the log that was, and are kept under another name.
    """
    async with Stage(tmp_path / "log") as stage:
        stage.recorder = Recorder(kind="sqlite", path=tmp_path / "recorder")
        await stage.reopen()
        backup = backed_up(stage, tmp_path / "backup")
        done = await brought_back(stage, backup)

        kept = {one.name.partition(".replaced-")[0] for one in done.aside}
        assert kept >= {"log.sqlite3", "recorder"}
        assert all(one.exists() for one in done.aside)


async def test_a_log_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """
    Nor one that a process holds, whoever asks.
    """
    async with Stage(tmp_path / "log") as stage:
        backup = backed_up(stage, tmp_path / "backup")
        with pytest.raises(LogInUse, match="in use by process"):
            await restore(stage._settings(), backup, stage.clock, quietly, replace=True)
        await stage.close()
        with pytest.raises(CopyRefused, match="--replace"):
            await restore(stage._settings(), backup, stage.clock, quietly, replace=False)
