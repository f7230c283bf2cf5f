"""The demonstration itself: three acts, each of which must come out right."""

from __future__ import annotations

import asyncio
from random import Random, SystemRandom
from typing import Final
from uuid import UUID

from cordboard.cli.connection import dispatcher, reach
from cordboard.cli.demo.stage import Sandbox, Stage, StepFailed, require, succeeded
from cordboard.cli.demo.timeline import Timeline
from cordboard.cli.exits import Status
from cordboard.cli.screen import Screen
from cordboard.cli.target import Target
from cordboard.client import Watch
from cordboard.v1 import Command, Dial, Gather, Hangup, SendDtmf, Speak

# Numbers that belong to nobody. By their last digits the sandbox answers after a second, and at once.
_TO, _TO_AT_ONCE, _FROM = "+12025550100", "+12025559908", "+12025550199"
_DIGITS: Final = "42"


async def play(target: Target, sandbox_url: str, screen: Screen, rng: Random | None = None) -> Status:
    """Play all acts. Raises Failure where the dispatcher or the sandbox cannot be reached."""
    sandbox, timeline = Sandbox(sandbox_url), Timeline(screen)
    try:
        await sandbox.effects(command_id="none")  # Better now than in the middle.
        async with dispatcher(target) as client, client.watch() as watch:
            await reach(watch, target)  # From here on nothing that happens is missed.
            return await _watched(Stage(client, sandbox, timeline), watch, _Ids(rng or SystemRandom()))
    finally:
        await sandbox.close()


async def _watched(stage: Stage, watch: Watch, ids: _Ids) -> Status:
    """Play with an eye on what happens; if the eye fails, so does the play."""
    following, playing = asyncio.ensure_future(stage.follow(watch)), asyncio.ensure_future(_acts(stage, ids))
    try:
        await asyncio.wait({following, playing}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            following.result()  # Raises what ended it.
            raise StepFailed("the watch ended by itself")
        playing.result()
    except StepFailed as failed:
        stage.timeline.failed(str(failed))
        return Status.FAILED
    finally:
        for task in (playing, following):
            task.cancel()
        await asyncio.gather(playing, following, return_exceptions=True)
    stage.timeline.passed("every step came out right")
    return Status.OK


async def _acts(stage: Stage, ids: _Ids) -> None:
    dial = await _whole_call(stage, ids)
    await _same_command_twice(stage, dial)
    await _three_before_two(stage, ids)


async def _whole_call(stage: Stage, ids: _Ids) -> Command:
    stage.timeline.act("1. A call, from dial to hangup")
    dial = Command(command_id=ids.new(), dial=Dial(to=_TO, from_number=_FROM, connection_id="demo"))
    call = await _dialled(stage, dial)
    stage.timeline.passed("dialled, and answered")
    speak = Speak(payload="Good morning. Press four, two.", voice="female", language="en-US")
    await stage.execute(Command(command_id=ids.new(), call_control_id=call, speak=speak), completion=True)
    stage.timeline.passed("spoken to the end")
    gather = Command(
        command_id=ids.new(), call_control_id=call, gather=Gather(minimum_digits=2, maximum_digits=len(_DIGITS))
    )
    await stage.execute(gather)
    stage.timeline.far_end("keys", f"presses {_DIGITS}")
    await stage.sandbox.press(call, _DIGITS)
    await stage.seen_completion(gather.command_id, "gather")
    await _gathered(stage, call)
    await _hung_up(stage, ids, call)
    return dial


async def _dialled(stage: Stage, dial: Command) -> str:
    """The call, once it is answered."""
    answer = await stage.execute(dial, completion=True)
    calls = [dialed.call_control_id for dialed in answer.result.dialed]
    require(len(calls) == 1, f"a dial should make one call, but made {len(calls)}")
    await stage.seen_event("call.answered", calls[0])
    return calls[0]


async def _gathered(stage: Stage, call: str) -> None:
    ended = await stage.seen_event("call.gather.ended", call)
    require(f'"{_DIGITS}"'.encode() in ended.event.payload, f"call.gather.ended should bring the digits {_DIGITS}")
    stage.timeline.passed(f"the digits {_DIGITS} came back")


async def _hung_up(stage: Stage, ids: _Ids, call: str) -> None:
    await stage.execute(Command(command_id=ids.new(), call_control_id=call, hangup=Hangup()), completion=True)
    await stage.seen_event("call.hangup", call)
    stage.timeline.passed("hung up")


async def _same_command_twice(stage: Stage, dial: Command) -> None:
    stage.timeline.act("2. The same dial again, under the same id: no second call")
    answer = await stage.execute(dial)
    require(answer.result.replayed, "the second one should be answered with the first one's result, as replayed")
    effects = await stage.sandbox.effects(command_id=dial.command_id)
    require(len(effects) == 1, f"the sandbox should have been asked to dial once, but was {len(effects)} times")
    stage.timeline.passed("one result, said twice; the sandbox dialled once")


async def _three_before_two(stage: Stage, ids: _Ids) -> None:
    stage.timeline.act("3. Number 3 is sent before number 2")
    dial = Command(command_id=ids.new(), dial=Dial(to=_TO_AT_ONCE, from_number=_FROM, connection_id="demo"))
    call = await _dialled(stage, dial)
    one, two, three = (
        Command(command_id=ids.new(), call_control_id=call, sequence=n, send_dtmf=SendDtmf(digits=str(n)))
        for n in (1, 2, 3)
    )
    await stage.execute(one)
    for late in (three, two):
        await stage.submit(late)
    for late in (two, three):
        succeeded(await stage.seen_result(late.command_id, f"number {late.sequence}"))
    order = [effect["body"]["digits"] for effect in await stage.sandbox.effects(call=call, action="send_dtmf")]
    require(order == ["1", "2", "3"], f"they should have reached the sandbox as 1, 2, 3, but did as {', '.join(order)}")
    stage.timeline.passed("they reached the sandbox as 1, 2, 3")
    await _hung_up(stage, ids, call)


class _Ids:
    """Ids for commands. Telnyx is sent UUIDs as they are, so the sandbox knows them by the same name."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def new(self) -> str:
        return str(UUID(int=self._rng.getrandbits(128), version=4))
