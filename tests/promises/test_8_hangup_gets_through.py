"""Promise 8. Hangup gets through.

Hangup and reject do not expire while the call may live, may be repeated, stand behind no pacing, no breaker and no
pause; with placement NOW they pass the line and even the command in flight.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest

from cordboard.catalogue import Action, action_of
from cordboard.v1 import PLACEMENT_NOW, Command
from cordboard.work import Lane
from dispatcher import reading
from dispatcher.core import admission, line
from dispatcher.core.commands import Ask
from dispatcher.core.limits import DEFAULT_LIMITS
from sandbox.core.call import State
from tests.promises.stage import Stage, Without, command
from workers import lane as lanes
from workers import pace, sending

ROUNDS = 7  # Of 15 s each: longer than a hangup is waited for before it is called UNKNOWN.


def still_up(stage: Stage, *calls: str) -> list[str]:
    """Calls that live on at Telnyx."""
    exchange = stage.sandbox.station.exchange
    return [f"still up: {call}" for call in calls if exchange.find(call).state is not State.ENDED]


def limited(stage: Stage) -> float:
    """How many requests the workers know to have been answered 429."""
    samples = (sample for metric in stage.registry.collect() for sample in metric.samples)
    return sum(sample.value for sample in samples if sample.name == "cordboard_worker_rate_limited_total")


async def past_what_is_in_flight(stage: Stage) -> list[str]:
    """A command is in flight and another waits; somebody wants the call to end now."""
    call = await stage.call()
    stage.door.hold("speaks")
    await stage.submit(command("speaks", call), command("waits", call))
    await stage.until(lambda: stage.door.inside("speaks"))
    await stage.submit(command("now", call, "hangup", placement=PLACEMENT_NOW))
    passed = await stage.until(lambda: not still_up(stage, call)) and stage.door.inside("speaks")
    stage.door.let_go()
    found = [] if passed else ["held up: now"]
    await stage.ended("speaks", "waits", "now")
    return [*found, *still_up(stage, call), *stage.otherwise(now="SUCCEEDED", waits="CANCELLED superseded")]


async def past_its_time(stage: Stage) -> list[str]:
    """The command before it takes longer than the sender of the hangup was prepared to wait."""
    call = await stage.call()
    stage.door.hold("speaks")
    brief_ms = stage.clock.now_ms() + 3_000
    await stage.submit(command("speaks", call), command("ends", call, "hangup", expire_ms=brief_ms))
    await stage.until(lambda: stage.door.inside("speaks"))
    await stage.skip(12)
    stage.door.let_go()
    await stage.ended("speaks", "ends")
    return [*still_up(stage, call), *stage.otherwise(speaks="SUCCEEDED", ends="SUCCEEDED")]


async def past_the_rate_limit(stage: Stage) -> list[str]:
    """Telnyx wants no more requests for 20 s, hangups among them; a call is to end and another one is not to begin."""
    speaking, ringing, other = await stage.call(), await stage.call(answered=False), await stage.call()
    limit = {"rate_limit": {"reset": 20}, "times": 1}
    stage.faults({"match": {"action": "hangup"}, **limit}, {"match": {"action": "speak"}, **limit})
    await stage.submit(command("limits-all", await stage.call(), "hangup"), command("limited", other))
    await stage.until(lambda: limited(stage) == 2)
    refused = command("rejects", ringing, "reject")
    refused.reject.cause = "USER_BUSY"
    await stage.submit(command("held", other), command("ends", speaking, "hangup"), refused)
    await stage.ended("ends", "rejects")
    found = [f"held up: {one}" for one in ("ends", "rejects") if not stage.door.of(one)]
    found += [] if not stage.door.of("held") else ["nothing was held"]
    return [*found, *still_up(stage, speaking, ringing)]


async def past_an_outage(stage: Stage) -> list[str]:
    """Telnyx answers nothing but server errors for nearly two minutes."""
    await stage.reopen(try_timeout_seconds=0.3, connect_timeout_seconds=0.2, attempt_budget_seconds=0.5)
    call = await stage.call()
    stage.faults({"match": {"action": "hangup"}, "status": 503})
    await stage.submit(command("ends", call, "hangup"))
    for _ in range(ROUNDS):
        tried = len(stage.door.of("ends"))
        if not await stage.until(lambda tried=tried: len(stage.door.of("ends")) > tried or not tried):
            break
        await stage.skip(15)
    stage.faults()
    await stage.skip(15)
    await stage.until(lambda: stage.heard.of("ends", "settled"))
    states = [one.state for one in stage.heard.of("ends", "result", "settled")]
    found = [] if states == ["UNKNOWN", "SUCCEEDED"] else [f"told otherwise: ends {states}"]
    return [*still_up(stage, call), *found]


async def past_a_full_line(stage: Stage) -> list[str]:
    """As many commands wait as a line may hold, and one that ends the call comes after them."""
    call = await stage.call()
    stage.door.hold("speaks")
    await stage.submit(command("speaks", call))
    await stage.until(lambda: stage.door.inside("speaks"))
    await stage.submit(*(command(f"waits-{number}", call) for number in range(DEFAULT_LIMITS.line_commands_max)))
    await stage.submit(command("one-more", call), command("now", call, "hangup", placement=PLACEMENT_NOW))
    passed = await stage.until(lambda: not still_up(stage, call))
    stage.door.let_go()
    found = await stage.ended("now") if passed else still_up(stage, call)
    found += [] if stage.heard.of("one-more", "refused") else ["the line was not full"]
    return [*found, *stage.otherwise(now="SUCCEEDED")]


async def test_now_passes_the_line_and_what_is_in_flight(stage: Stage) -> None:
    """
    With placement NOW the call ends while the command before it is still on its way.
    """
    assert await past_what_is_in_flight(stage) == []


async def test_it_does_not_expire(stage: Stage) -> None:
    """
    A hangup is worth sending for as long as the call may live, whatever its sender set.
    """
    assert await past_its_time(stage) == []


async def test_it_stands_behind_no_pacing(stage: Stage) -> None:
    """
    Where everything else waits for Telnyx's rate limit, hangup and reject go.
    """
    assert await past_the_rate_limit(stage) == []


async def test_a_full_line_has_room_for_it(stage: Stage) -> None:
    """
    Where anything else is turned away, a hangup is taken, and with placement NOW goes before all.
    """
    assert await past_a_full_line(stage) == []


async def test_it_is_repeated_until_the_call_has_ended(stage: Stage) -> None:
    """
    However long Telnyx is down, and long after the result had to be given: when it is back, the call ends.
    """
    assert await past_an_outage(stage) == []


def its_lane(patch: pytest.MonkeyPatch) -> None:
    """Hangup and reject go with everything else of the account."""

    def ordinary(wanted: Command) -> Action:
        return replace(action_of(wanted), lane=Lane.ACTION)

    patch.setattr(reading, "action_of", ordinary)


def the_exemption_of_its_lane(patch: pytest.MonkeyPatch) -> None:
    """The urgent lane asks the pace, as others do."""
    for module in (lanes, pace, sending):
        patch.setattr(module, "Lane", SimpleNamespace(DIAL=Lane.DIAL, URGENT=None))


def its_endless_time(patch: pytest.MonkeyPatch) -> None:
    """Hangup and reject expire when their senders say so."""

    def mortal(wanted: Command) -> Action:
        action = action_of(wanted)
        return replace(action, expire_seconds=30) if action.completion.ends_call else action

    patch.setattr(reading, "action_of", mortal)
    patch.setattr(admission, "_explicit_expiry", lambda ask: ask.expire_ms)


def the_way_past_the_line(patch: pytest.MonkeyPatch) -> None:
    """Placement NOW is the first place in the line."""
    patch.setattr(line, "_passes", lambda ask: False)


def room_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """A line that is full is full for everybody."""
    is_full = admission._is_full
    patch.setattr(admission, "_is_full", lambda turn, ask: is_full(turn, msgspec.structs.replace(ask, action="speak")))


def its_rights(patch: pytest.MonkeyPatch) -> None:
    """Hangup and reject are actions like any other."""

    def ordinary(wanted: Command) -> Action:
        action = action_of(wanted)
        if not action.completion.ends_call:
            return action
        return replace(action, lane=Lane.ACTION, expire_seconds=30)

    patch.setattr(reading, "action_of", ordinary)
    patch.setattr(Ask, "ends_call", property(lambda ask: False))


@pytest.mark.parametrize(
    "without",
    [
        Without(its_rights, past_what_is_in_flight, "held up: now"),
        Without(its_rights, past_its_time, "still up"),
        Without(its_lane, past_the_rate_limit, "held up: ends"),
        Without(the_exemption_of_its_lane, past_the_rate_limit, "held up: ends"),
        Without(its_endless_time, past_its_time, "still up"),
        Without(the_way_past_the_line, past_what_is_in_flight, "held up: now"),
        Without(room_of_its_own, past_a_full_line, "still up"),
        Without(its_rights, past_the_rate_limit, "held up: ends"),
        Without(its_rights, past_an_outage, "still up"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
