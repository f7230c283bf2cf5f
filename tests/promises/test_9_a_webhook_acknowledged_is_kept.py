"""Promise 9. A webhook acknowledged is a webhook kept.

Verified, durable, then answered 200; handed on once per Telnyx event id, with the command that it completes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cordboard.log.store import Store
from cordboard.webhook import Webhook
from dispatcher.core import completion, hearing
from dispatcher.ingress import door
from dispatcher.ingress.answers import Refused, Result
from dispatcher.ingress.memory import Recent
from dispatcher.ingress.records import Delivery
from dispatcher.ingress.signature import Verifier
from sandbox.server import Server
from sandbox.settings import Settings
from tests.promises.stage import Stage, Without, command, no_room, refusal_of, until
from tests.promises.victim import Victim


def answered(status: int | None) -> bool:
    """Whether a webhook was acknowledged."""
    return status is not None and 200 <= status < 300


def unkept(stage: Stage) -> list[str]:
    """Webhooks that were acknowledged and not handed on, or more than once, or that were none of Telnyx's."""
    times = Counter(event.event_id for event in stage.heard.events)
    deliveries = stage.sandbox.station.truth.deliveries
    kept = {one.event_id for one in deliveries if answered(one.status)}
    forged = {one.event_id for one in deliveries if one.fault == "bad signature"}
    return [
        *(f"acknowledged, and lost: {one}" for one in kept if not times[one]),
        *(f"handed on {count} times: {one}" for one, count in times.items() if count > 1),
        *(f"forged, and handed on: {one}" for one in forged if times[one]),
    ]


async def all_delivered(stage: Stage) -> None:
    """Return when the sandbox has nothing more to deliver, and what was acknowledged is heard."""
    await stage.sandbox.station.webhooks.drained()
    await stage.until(lambda: not [one for one in unkept(stage) if one.startswith("acknowledged")])
    await stage.all_told()


async def full_disk(stage: Stage) -> list[str]:
    """Webhooks come while the log cannot be written; Telnyx tries again until it can."""
    stage.sandbox.settings.webhook_attempts_max = 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "commit", no_room)
        for _ in range(3):
            stage.incoming()
        deliveries = stage.sandbox.station.truth.deliveries
        await stage.until(lambda: len(deliveries) >= 3)
        await refusal_of(stage.client.submit(command("after-them", "a-call")))  # What came before it was tried, too.
    await all_delivered(stage)
    heard = sum(event.event_type == "call.initiated" for event in stage.heard.events)
    return [*unkept(stage), *([] if heard == 3 else [f"{heard} of 3 were heard"])]


async def killed(directory: Path, without: str = "") -> list[str]:
    """The disk stalls while calls come in, and the process is killed; Telnyx tries again until it is back."""
    settings = Settings(port=0, webhook_attempts_max=30, webhook_backoff_seconds=0.01)
    async with Server(settings) as sandbox, Victim(directory, sandbox, without) as victim:
        victim.stall()
        calls = [victim.incoming() for _ in range(3)]
        deliveries = sandbox.station.truth.deliveries
        await until(lambda: len(deliveries) >= 3, 1.0)  # As long as the disk stalls, none ends.
        await victim.kill()
        victim.mend()
        await victim.start()
        await until(lambda: _all_heard(victim, calls), 3.0 if without else 20.0)
        return [
            f"acknowledged, and lost: {one.call_control_id}"
            for one in deliveries
            if answered(one.status) and not _all_heard(victim, [one.call_control_id])
        ] + ([] if without or _all_heard(victim, calls) else ["not all were heard"])


def _all_heard(victim: Victim, calls: Iterable[str]) -> bool:
    return all(victim.heard.has("call.initiated", call) for call in calls)


async def more_than_once(stage: Stage) -> list[str]:
    """Every webhook comes four times, out of order, and once more after a restart."""
    stage.faults({"on": "webhook", "duplicate": 3, "shuffle_ms": 60})
    for _ in range(3):
        stage.picked_up(stage.incoming())
    await all_delivered(stage)
    await stage.reopen()
    stage.faults({"on": "webhook", "duplicate": 2})
    stage.picked_up(stage.incoming())
    await all_delivered(stage)
    return [*unkept(stage), *([] if len(stage.heard.events) == 8 else ["not all were heard"])]


async def forged(stage: Stage) -> list[str]:
    """Somebody else signs that a call was answered."""
    stage.faults({"on": "webhook", "match": {"event_type": "call.answered"}, "bad_signature": True})
    stage.picked_up(stage.incoming())
    await all_delivered(stage)
    return unkept(stage)


async def completing(stage: Stage) -> list[str]:
    """A call is spoken to, and ended: the webhooks that say so belong to the commands that wanted it."""
    call = await stage.call()
    await stage.submit(command("speaks", call))
    await stage.until(lambda: stage.heard.has("call.speak.ended", call))
    await stage.submit(command("ends", call, "hangup"))
    await stage.until(lambda: stage.heard.has("call.hangup", call))
    await all_delivered(stage)
    wanted = {"call.speak.ended": "speaks", "call.hangup": "ends"}
    tied = {event.event_type: event.command_id for event in stage.heard.events if event.event_type in wanted}
    shown = {one.event_type: one.command_id for one in stage.heard.completions}
    return [*unkept(stage), *([] if tied == wanted == shown else [f"without its command: {tied}, {shown}"])]


async def test_what_could_not_be_kept_is_not_acknowledged(stage: Stage) -> None:
    """
    While the log cannot be written Telnyx is told to come again, and nothing is lost.
    """
    assert await full_disk(stage) == []


async def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    """
    Who died before a webhook was durable had not acknowledged it: it comes again.
    """
    assert await killed(tmp_path) == []


async def test_an_event_is_handed_on_once(stage: Stage) -> None:
    """
    However often and in whatever order webhooks come, everybody hears each event once.
    """
    assert await more_than_once(stage) == []


async def test_what_telnyx_did_not_sign_is_nothing(stage: Stage) -> None:
    """
    A webhook that somebody else signed is neither acknowledged nor handed on.
    """
    assert await forged(stage) == []


async def test_it_comes_with_the_command_that_it_completes(stage: Stage) -> None:
    """
    No webhook names its command; what is handed on does.
    """
    assert await completing(stage) == []


def being_durable_first(patch: pytest.MonkeyPatch) -> None:
    keep = door.Ingress._keep
    behind: set[asyncio.Task[Any]] = set()

    async def at_once(self: door.Ingress, webhook: Webhook, delivery: Delivery) -> Result:
        async def later() -> None:
            try:
                await keep(self, webhook, delivery)
            except Refused:
                pass

        behind.add(asyncio.create_task(later()))
        return Result.ACCEPTED

    patch.setattr(door.Ingress, "_keep", at_once)


def knowing_an_event_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Recent, "__contains__", lambda self, thing: False)
    patch.setattr(hearing, "event_is_known", lambda page, event_id: False)


def checking_the_signature(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Verifier, "check", lambda self, timestamp, signature, body: None)


def tying_events_to_commands(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(completion, "hear", lambda turn, clue: "")


@pytest.mark.parametrize(
    "without",
    [
        Without(being_durable_first, full_disk, "acknowledged, and lost"),
        Without(knowing_an_event_again, more_than_once, "handed on"),
        Without(checking_the_signature, forged, "forged, and handed on"),
        Without(tying_events_to_commands, completing, "without its command"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))


async def test_it_fails_without_being_durable_first_when_killed(tmp_path: Path) -> None:
    """
    Acknowledged at once, webhooks are lost with the process.
    """
    found = await killed(tmp_path, f"{__name__}:{being_durable_first.__name__}")

    assert [one for one in found if one.startswith("acknowledged, and lost")]
