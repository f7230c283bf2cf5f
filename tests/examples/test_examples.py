"""The examples, run as they stand, against all of Cordboard and the sandbox."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from examples import campaign, ivr
from tests.promises.stage import ANSWERS_AT_ONCE, Stage

EXAMPLES = Path(__file__).parents[2] / "examples"
BUSY, NOBODY, WRONG = "+15550109901", "+15550109902", "no number"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage(tmp_path) as stage:
        yield stage


def actions(stage: Stage) -> list[str]:
    return [effect.action for effect in stage.effects() if effect.happened]


def actions_of(stage: Stage, call: str) -> list[str]:
    return [effect.action for effect in stage.effects() if effect.happened and effect.call_control_id == call]


def asked(stage: Stage, call: str) -> bool:
    """Whether a caller hears the prompt."""
    return any(one.action == "gather_using_speak" and one.call_control_id == call for one in stage.effects())


@pytest.mark.parametrize(("name", "lines_max"), [("ivr.py", 60), ("campaign.py", 80)])
def test_an_example_is_short(name: str, lines_max: int):
    """
    What needs more is no example.
    """
    assert (EXAMPLES / name).read_text().count("\n") < lines_max


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("1", ["answer", "gather_using_speak", "speak", "hangup"]),
        ("7", ["answer", "gather_using_speak", "speak", "hangup"]),
        ("2", ["answer", "gather_using_speak", "transfer"]),
    ],
)
async def test_an_ivr_leads_a_call_by_its_key(stage: Stage, key: str, expected: list[str]):
    """
    The caller hears the hours, or that they were not understood, or is connected.
    """
    slowly(stage)
    serving = asyncio.create_task(ivr.main(stage.target, ANSWERS_AT_ONCE))
    call = await ringing(stage)
    assert await stage.until(lambda: asked(stage, call))
    stage.sandbox.station.tell(lambda exchange: exchange.far_digits(exchange.find(call), key))

    awaited = "call.bridged" if key == "2" else "call.hangup"
    assert await stage.until(lambda: stage.heard.has(awaited, call))
    assert actions_of(stage, call) == expected
    spoken = [one.body["payload"] for one in stage.effects() if one.action == "speak" and one.call_control_id == call]
    assert spoken == {"1": [ivr.HOURS], "7": [ivr.SORRY], "2": []}[key]
    await stopped(serving)


async def test_an_ivr_outlives_a_caller_that_hangs_up(stage: Stage):
    """
    In the middle of the prompt; and serves the next one.
    """
    serving = asyncio.create_task(ivr.main(stage.target))
    call = await ringing(stage)
    assert await stage.until(lambda: asked(stage, call))
    stage.far_end(call)
    assert await stage.until(lambda: stage.heard.has("call.hangup", call))

    another = await ringing(stage)
    assert await stage.until(lambda: asked(stage, another))
    assert not serving.done()
    await stopped(serving)


def slowly(stage: Stage) -> None:
    """Leave time to press a key: a prompt waits for one for some seconds of the sandbox's."""
    stage.sandbox.settings.speed = 2.0
    stage.sandbox.station.set_speed()


async def ringing(stage: Stage) -> str:
    """Call until the program hears it: it may not have begun to listen yet."""
    call = stage.incoming()
    while not await _within(stage, call):
        call = stage.incoming()
    return call


async def _within(stage: Stage, call: str) -> bool:
    patience, stage.patience = stage.patience, 1.0
    try:
        return await stage.until(lambda: stage.heard.has("call.answered", call))
    finally:
        stage.patience = patience


async def stopped(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_a_campaign_says_what_became_of_each(stage: Stage):
    """
    Who answered was told; who did not was not; what is no number is refused.
    """
    fates = await campaign.main("c1", [ANSWERS_AT_ONCE, BUSY, NOBODY, WRONG], stage.target)

    assert (fates.pop("told"), fates.pop("not answered")) == (1, 2)
    (rest,) = fates
    assert rest.startswith(("refused: ", "not called: TELNYX_REFUSED"))


async def test_a_campaign_that_is_started_again_calls_nobody_twice(stage: Stage):
    """
    The ids are the campaign's and the numbers', so it is the same commands.
    """
    first = await campaign.main("c1", [ANSWERS_AT_ONCE], stage.target)
    again = await campaign.main("c1", [ANSWERS_AT_ONCE], stage.target)
    other = await campaign.main("c2", [ANSWERS_AT_ONCE], stage.target)

    assert first == other == Counter(told=1)
    assert again == first
    assert await stage.until(lambda: actions(stage) == ["dial", "speak", "hangup"] * 2)
