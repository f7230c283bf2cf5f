"""Promise 4. Every accepted command gets exactly one result.

Delivered at least once under a stable id: SUCCEEDED, FAILED, REJECTED, EXPIRED, CANCELLED or UNKNOWN, with a reason
from a closed list, at the latest 90 s after it was released or expired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import AppendUncertain, Claim, NewRecord
from cordboard.work import Outcome
from dispatcher.core import flights, line, turn
from dispatcher.core.page import Flight
from tests.promises.stage import Stage, Without, command, dial
from workers import lane

RESULT_MS_MAX: Final = 90_000
MINUTE = 60


def not_one_result(stage: Stage, *command_ids: str) -> list[str]:
    """Commands with no result or several, or with one that came too late after the first request."""
    found = []
    for one in command_ids:
        results = [told.result for told in stage.heard.of(one)]
        if len(results) != 1:
            found.append(f"{len(results)} results: {one}")
        for result in results:
            began_ms = min([visit.at_ms for visit in stage.door.of(one)], default=result.finish_time.ToMilliseconds())
            if result.finish_time.ToMilliseconds() - began_ms > RESULT_MS_MAX:
                found.append(f"late: {one}")
    return found


async def every_fate(stage: Stage) -> list[str]:
    """Six commands meet the six ends that there are."""
    call, parked, over = await stage.call(), await stage.call(answered=False), await stage.call()
    stage.far_end(over)
    await stage.until(lambda: stage.heard.has("call.hangup", over))
    stage.faults({"match": {"action": "dial"}, "cut": "before"})
    stage.door.hold("succeeds")
    soon_ms = stage.clock.now_ms() + 5_000
    await stage.submit(command("succeeds", call), command("expires", call, expire_ms=soon_ms))
    await stage.submit(command("is_cancelled", call), command("fails", parked), command("is_rejected", over))
    await stage.submit(dial("is_unknown"))
    await stage.until(lambda: stage.door.inside("succeeds"))
    await stage.client.cancel(call, ["is_cancelled"])
    await stage.skip(8)
    stage.door.let_go()
    ends = {
        "succeeds": "SUCCEEDED",
        "fails": "FAILED call_not_answered",
        "is_rejected": "REJECTED call_ended",
        "expires": "EXPIRED in_line",
        "is_cancelled": "CANCELLED cancel_requested",
        "is_unknown": "UNKNOWN no_answer",
    }
    await stage.ended(*ends)
    await stage.all_told()
    return [*not_one_result(stage, *ends), *stage.otherwise(**ends)]


async def lost_workers(stage: Stage) -> list[str]:
    """No worker ever says what became of what it had; Telnyx tells nothing either."""
    call, other = await stage.call(), await stage.call()
    stage.faults({"on": "webhook", "match": {}, "drop": True}, {"match": {"action": "hangup"}, "status": 503})
    commands = {"speaks": command("speaks", call), "ends": command("ends", other, "hangup"), "dials": dial("dials")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "report", _never)
        await stage.submit(*commands.values())
        await stage.until(lambda: all(stage.door.of(one) for one in commands))
        for _ in range(6):
            await stage.skip(14)
    await stage.ended(*commands)
    states = {one.state for name in commands for one in stage.heard.of(name)}
    return [*not_one_result(stage, *commands), *(f"told otherwise: {one}" for one in states - {"UNKNOWN"})]


async def _never(*_: Any) -> None:
    """Report nothing."""


async def told_twice(stage: Stage) -> list[str]:
    """Every worker tells everything twice."""
    call = await stage.call()
    report = lane.report

    async def twice(log: Any, topic: str, outcome: Outcome, on_trouble: Any) -> None:
        await report(log, topic, outcome, on_trouble)
        await report(log, topic, outcome, on_trouble)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "report", twice)
        ids = ["first", "second", "third"]
        await stage.submit(*(command(one, call) for one in ids))
        await stage.ended(*ids)
        await stage.all_told()
    return not_one_result(stage, *ids)


async def sent_again(stage: Stage) -> list[str]:
    """Senders who heard no answer send the same again, at once and minutes later."""
    call = await stage.call()
    wanted = command("wanted", call)
    await stage.submit(wanted, wanted)
    await stage.ended("wanted")
    await stage.skip(2 * MINUTE)
    await stage.submit(wanted)
    await stage.until(lambda: stage.heard.of("wanted", "replayed") or len(stage.heard.of("wanted")) > 1)
    await stage.all_told()
    return not_one_result(stage, "wanted")


async def unacknowledged_decisions(stage: Stage) -> list[str]:
    """The log writes what an owner decided, and cannot say so, again and again: the owner begins anew each time."""
    call = await stage.call()
    settle, times = EmbeddedLog.settle, 4

    async def unacknowledged(
        log: EmbeddedLog,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        nonlocal times
        await settle(log, claim, pages, outputs, positions)
        if outputs and times:
            times -= 1
            raise AppendUncertain("no acknowledgement came")

    ids = ["first", "second", "third"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddedLog, "settle", unacknowledged)
        await stage.submit(*(command(one, call) for one in ids))
        await stage.ended(*ids)
    await stage.all_told()
    return [*not_one_result(stage, *ids), *([] if not times else ["every decision was acknowledged"])]


async def test_every_fate_is_told_once(stage: Stage) -> None:
    """
    Whatever becomes of a command, its sender hears of it, once.
    """
    assert await every_fate(stage) == []


async def test_silence_has_a_result(stage: Stage) -> None:
    """
    Where nobody can say what became of a command, that is said, within 90 s.
    """
    assert await lost_workers(stage) == []


async def test_what_workers_say_twice_is_told_once(stage: Stage) -> None:
    """
    Outcomes come at least once; results are one.
    """
    assert await told_twice(stage) == []


async def test_who_sends_a_command_again_hears_the_same_result(stage: Stage) -> None:
    """
    A repeat is answered, and has no result of its own.
    """
    assert await sent_again(stage) == []


async def test_a_decision_without_acknowledgement_is_not_made_twice(stage: Stage) -> None:
    """
    An owner that does not know whether its decisions were written finds out, and says nothing again.
    """
    assert await unacknowledged_decisions(stage) == []


def doubting_silence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(line, "OUTCOME_WAIT_MS", 24 * 3_600_000)


def remembering_results(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turn, "_remember", lambda turn, ask, ending: None)


def knowing_what_was_answered(patch: pytest.MonkeyPatch) -> None:
    judge = flights._judge

    def forgetful(turn: turn.Turn, flight: Flight, outcome: Outcome) -> None:
        judge(turn, flight, outcome)
        flight.answered = False
        turn.page.flights = [flight]

    patch.setattr(flights, "_judge", forgetful)
    patch.setattr(flights, "_says_more", lambda flight, before, outcome: True)


@pytest.mark.parametrize(
    "without",
    [
        Without(doubting_silence, lost_workers, "0 results"),
        Without(knowing_what_was_answered, told_twice, "2 results: first"),
        Without(remembering_results, sent_again, ("2 results", "3 results")),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
