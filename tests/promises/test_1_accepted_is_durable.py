"""Promise 1. Accepted is durable.

When Submit answers OK, or a write to the commands topic is acknowledged, the command survives the loss of any process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Appended, Claim, NewRecord
from sandbox.server import Server
from sandbox.settings import Settings
from tests.promises.stage import command, refusal_of
from tests.promises.victim import Victim

LATER = 20  # Seconds after which the owner has doubts about what the dead worker had.


async def lost(victim: Victim, answers: Mapping[str, str], seconds: float = 20.0) -> list[str]:
    """Commands that were accepted, and of which nothing is heard any more."""
    accepted = [one for one, reason in answers.items() if not reason]
    return [f"accepted, and lost: {one}" for one in await victim.ended(*accepted, seconds=seconds)]


async def submitted(victim: Victim, *command_ids: str, call: str, seconds: float = 10.0) -> dict[str, str]:
    """What the door said to commands that came side by side."""
    wanted = [command(one, call, "send_dtmf") for one in command_ids]
    for one in wanted:
        one.send_dtmf.digits = "1"
    said = await asyncio.gather(*(refusal_of(victim.client.submit(one, timeout=seconds)) for one in wanted))
    return dict(zip(command_ids, said, strict=True))


async def killed_in_a_burst(directory: Path, sandbox: Server) -> list[str]:
    """Commands of four calls come in a burst; the process is killed when some were accepted, and comes back."""
    async with Victim(directory, sandbox) as victim:
        calls = [await victim.call() for _ in range(4)]
        first = await submitted(victim, *(f"first-{number}" for number in range(8)), call=calls[0])
        bursts = [
            asyncio.create_task(submitted(victim, *(f"{number}-of-{call[-6:]}" for number in range(15)), call=call))
            for call in calls
        ]
        await victim.ended("first-7")
        await victim.kill()
        answers = first.copy()
        for burst in bursts:
            answers |= await burst
        await victim.start(LATER)
        return await lost(victim, answers)


async def killed_at_a_slow_disk(directory: Path, sandbox: Server, without: str = "") -> list[str]:
    """The disk begins to stall while commands come; the process is killed, and comes back with a disk that works."""
    async with Victim(directory, sandbox, without) as victim:
        call = await victim.call()
        before = await submitted(victim, "before-1", "before-2", call=call)
        await victim.ended(*before)
        victim.stall()
        during = await submitted(victim, *(f"during-{number}" for number in range(5)), call=call, seconds=1.5)
        await victim.kill()
        victim.mend()
        await victim.start(LATER)
        after = await submitted(victim, "after", call=call)
        found = [f"not accepted: {one}" for one, reason in (before | after).items() if reason]
        return [*found, *await lost(victim, before | during | after, 2.5 if without else 20.0)]


async def killed_while_they_wait(directory: Path, sandbox: Server, without: str = "") -> list[str]:
    """Commands wait in line behind one that Telnyx does not answer when the process is killed."""
    async with Victim(directory, sandbox, without) as victim:
        call = await victim.call()
        sandbox.station.faults.set([{"match": {"action": "send_dtmf"}, "latency_ms": 60_000, "times": 1}])
        answers = await submitted(victim, *(f"c{number}" for number in range(5)), call=call)
        await victim.decided(call)
        await victim.kill()
        await victim.start(LATER)
        return await lost(victim, answers, 2.5 if without else 20.0)


@pytest.fixture
async def sandbox() -> AsyncIterator[Server]:
    """Telnyx, which lives on."""
    async with Server(Settings(port=0, speed=20.0)) as sandbox:
        yield sandbox


async def test_accepted_commands_outlive_a_kill_in_a_burst(tmp_path: Path, sandbox: Server) -> None:
    """
    Whatever was acknowledged before the process died has its result when it is back.
    """
    assert await killed_in_a_burst(tmp_path, sandbox) == []


async def test_nothing_is_accepted_that_the_disk_has_not_taken(tmp_path: Path, sandbox: Server) -> None:
    """
    What came while the disk stalled was not acknowledged; what was acknowledged before is there.
    """
    assert await killed_at_a_slow_disk(tmp_path, sandbox) == []


async def test_what_waits_in_the_line_outlives_a_kill(tmp_path: Path, sandbox: Server) -> None:
    """
    The line is in the log, not in the process: who waited in it, and who was on his way, has his result.
    """
    assert await killed_while_they_wait(tmp_path, sandbox) == []


def waiting_for_the_commit(patch: pytest.MonkeyPatch) -> None:
    append, behind = EmbeddedLog.append, set()

    async def early(log: EmbeddedLog, records: Sequence[NewRecord]) -> list[Appended]:
        behind.add(asyncio.create_task(append(log, records)))
        return [Appended(0, 0, 0) for _ in records]

    patch.setattr(EmbeddedLog, "append", early)


def writing_pages_with_the_positions(patch: pytest.MonkeyPatch) -> None:
    settle = EmbeddedLog.settle

    async def positions_only(
        log: EmbeddedLog,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        await settle(log, claim, (), outputs, positions)

    patch.setattr(EmbeddedLog, "settle", positions_only)


@pytest.mark.parametrize(
    ("taken_out", "story"),
    [
        (waiting_for_the_commit, killed_at_a_slow_disk),
        (writing_pages_with_the_positions, killed_while_they_wait),
    ],
)
async def test_it_fails_without(taken_out: Any, story: Any, tmp_path: Path, sandbox: Server) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    found = await story(tmp_path, sandbox, f"{__name__}:{taken_out.__name__}")

    assert [one for one in found if one.startswith("accepted, and lost")]
