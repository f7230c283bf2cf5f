"""Promise 6. Never blindly twice.

A command is resent only inside Telnyx's window (hangup and reject excepted: a second one does nothing); a Dial only
when it certainly had no effect. Otherwise the result is UNKNOWN, and what settles it later is published as such.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import aiohttp
import httpx
import orjson
import pytest

from cordboard import catalogue
from cordboard.work import Repeat, Work
from dispatcher.core import flights, line
from tests.promises.stage import Stage, Without, command, dial
from workers import lane, transport
from workers.core.outcome import TABLE, Meaning

WINDOW_MS: Final = 60_000  # So long Telnyx knows a command_id again.
ROUNDS: Final = 6  # Of 15 s each: longer than the window.


def blindly(stage: Stage, *command_ids: str) -> list[str]:
    """Requests that were repeated although nobody could know that a repeat did nothing."""
    found = []
    for one in command_ids:
        visits = stage.door.of(one)
        for before, after in pairwise(visits):
            if after.action == "dial" and before.status != 429:
                found.append(f"dialled blindly: {one}, after {before.status}")
            if after.at_ms - visits[0].at_ms > WINDOW_MS:
                found.append(f"beyond the window: {one}")
            if after.body != before.body:
                found.append(f"another request: {one}")
        happened = sum(effect.happened for effect in stage.effects(one))
        found += [f"happened twice: {one}, {happened} times"] if happened > 1 else []
    return found


async def lost_answer(stage: Stage) -> list[str]:
    """Telnyx speaks twice, and twice nobody hears its answer."""
    call = await stage.call()
    stage.faults({"match": {"action": "speak"}, "cut": "after", "times": 2})
    await stage.submit(command("speaks", call))
    await stage.ended("speaks")
    repeats = [] if len(stage.door.of("speaks")) == 3 else ["it was not repeated"]
    return [*blindly(stage, "speaks"), *repeats, *stage.otherwise(speaks="SUCCEEDED")]


async def lost_workers(stage: Stage) -> list[str]:
    """Whoever sends the request dies before he can say so, again and again."""
    call = await stage.call()
    speaks = command("speaks", call, expire_ms=stage.clock.now_ms() + 600_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "report", _never)
        await stage.submit(speaks)
        await stage.until(lambda: stage.door.of("speaks"))
        for _ in range(ROUNDS):
            tried = len(stage.door.of("speaks"))
            await stage.skip(15)
            await stage.until(lambda tried=tried: len(stage.door.of("speaks")) > tried or stage.heard.of("speaks"))
    await stage.until(lambda: stage.heard.of("speaks") or blindly(stage, "speaks"))
    return [*blindly(stage, "speaks"), *stage.otherwise(speaks="UNKNOWN worker_lost")]


async def _never(*_: Any) -> None:
    """Report nothing."""


async def dialled_without_an_answer(stage: Stage) -> list[str]:
    """A dial's connection breaks when the call is there already; the first webhook to arrive is call.answered."""
    stage.faults(
        {"match": {"action": "dial"}, "cut": "after", "times": 1},
        {"on": "webhook", "match": {"event_type": "call.initiated"}, "drop": True},
    )
    await stage.submit(dial("dials"))
    await stage.ended("dials")
    call = stage.effects("dials")[0].call_control_id or ""
    stage.picked_up(call)
    await stage.until(lambda: stage.heard.of("dials", "settled") or blindly(stage, "dials"))
    states = [str(one) for one in stage.heard.of("dials", "result", "settled")]
    told = [] if states == ["UNKNOWN no_answer", "SUCCEEDED"] else [f"told otherwise: dials {states}"]
    return [*blindly(stage, "dials"), *told]


async def dialled_by_a_lost_worker(stage: Stage) -> list[str]:
    """Whoever dialled dies before he can say so; its webhooks are lost, too."""
    stage.faults({"on": "webhook", "match": {}, "drop": True})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane, "report", _never)
        await stage.submit(dial("dials"))
        await stage.until(lambda: stage.door.of("dials"))
        await stage.skip(15)
        await stage.until(lambda: stage.heard.of("dials") or len(stage.door.of("dials")) > 1)
    return [*blindly(stage, "dials"), *stage.otherwise(dials="UNKNOWN worker_lost")]


async def without_a_command_id(stage: Stage) -> list[str]:
    """Telnyx begins a SIPREC session, for which it takes no command_id, and nobody hears its answer."""
    call = await stage.call()
    stage.faults({"match": {"action": "siprec_start"}, "cut": "after", "times": 1})
    start = command("starts", call, "custom")
    start.custom.name = "siprec_start"
    await stage.submit(start)
    await stage.ended("starts")
    return [*blindly(stage, "starts"), *stage.otherwise(starts="UNKNOWN no_answer")]


async def dialled_too_often(stage: Stage) -> list[str]:
    """Telnyx certainly did not dial: it wants fewer dials a second."""
    stage.faults({"match": {"action": "dial"}, "rate_limit": {"reset": 0.2, "code": "90103"}, "times": 1})
    await stage.submit(dial("dials"))
    await stage.ended("dials")
    repeats = [] if len(stage.door.of("dials")) == 2 else ["it was not repeated"]
    return [*blindly(stage, "dials"), *repeats, *stage.otherwise(dials="SUCCEEDED")]


async def test_a_lost_answer_is_asked_for_again_and_nothing_happens_again(stage: Stage) -> None:
    """
    Inside the window a command is repeated, byte for byte, and Telnyx knows it again.
    """
    assert await lost_answer(stage) == []


async def test_nothing_is_repeated_when_telnyx_has_forgotten_it(stage: Stage) -> None:
    """
    Beyond the window a repeat would be a second one: the result is UNKNOWN instead.
    """
    assert await lost_workers(stage) == []


async def test_a_dial_whose_answer_is_lost_is_unknown_until_its_webhook_settles_it(stage: Stage) -> None:
    """
    Nobody dials again; what became of it is published as soon as it is known.
    """
    assert await dialled_without_an_answer(stage) == []


async def test_a_dial_whose_worker_is_lost_is_not_given_to_another(stage: Stage) -> None:
    """
    The silence of a worker says nothing about the dial that it had.
    """
    assert await dialled_by_a_lost_worker(stage) == []


async def test_what_telnyx_cannot_know_again_is_sent_once(stage: Stage) -> None:
    """
    A repeat of it would be a second session: the result is UNKNOWN instead.
    """
    assert await without_a_command_id(stage) == []


async def test_a_dial_that_certainly_did_nothing_is_tried_again(stage: Stage) -> None:
    """
    A refusal for the rate limit's sake proves that there is no call.
    """
    assert await dialled_too_often(stage) == []


def the_class_of_dials(patch: pytest.MonkeyPatch) -> None:
    for meaning in (Meaning.UNANSWERED, Meaning.FAULT):
        patch.setitem(TABLE, meaning, replace(TABLE[meaning], again=frozenset(Repeat)))


def the_names_without_a_command_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(catalogue, "_described", lambda action, custom: action)


def the_truth_about_connections(patch: pytest.MonkeyPatch) -> None:
    """What the library says of a connection that broke after the request was sent."""
    told = {**transport._TRUTH, aiohttp.ServerDisconnectedError: httpx.ConnectError, BaseException: httpx.ConnectError}
    patch.setattr(transport, "_TRUTH", told)


def caution_with_dials(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(flights, "_may_go_again", lambda turn, flight: True)


def the_end_of_the_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(line, "WINDOW_MS", 3_600_000)


def the_same_bytes(patch: pytest.MonkeyPatch) -> None:
    def made_anew(**fields: Any) -> Work:
        body = {**orjson.loads(fields["body"]), "command_id": f"attempt-{fields['attempt']}"}
        return Work(**{**fields, "body": orjson.dumps(body)})

    patch.setattr(line, "Work", made_anew)


@pytest.mark.parametrize(
    "without",
    [
        Without(the_class_of_dials, dialled_without_an_answer, "dialled blindly"),
        Without(the_truth_about_connections, dialled_without_an_answer, "dialled blindly"),
        Without(the_names_without_a_command_id, without_a_command_id, "happened twice"),
        Without(caution_with_dials, dialled_by_a_lost_worker, "dialled blindly"),
        Without(the_end_of_the_window, lost_workers, "happened twice"),
        Without(the_same_bytes, lost_workers, "happened twice"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
