"""Limits and guards of an account, through all of Cordboard and against the sandbox."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Grpc, Ingress, Log, Operations, Rest, Settings
from cordboard.v1 import REASON_ACCOUNT_MISMATCH, STATE_SUCCEEDED, Command
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.promises.stage import ACCOUNT, ANOTHER, ANSWERS_AT_ONCE, RINGS_ON, Stage, command, dial, until


@asynccontextmanager
async def staged(folder: Path, **account: Any) -> AsyncIterator[Stage]:
    async with Stage(folder, **account) as stage:
        yield stage


async def the_call_of(stage: Stage, name: str) -> str:
    view = await stage.client.get_command(name)
    return str(view.result.dialed[0].call_control_id)


async def test_a_dial_waits_for_a_channel(tmp_path: Path) -> None:
    """
    One channel: the second dial goes when the first one's call has ended, and not before.
    """
    async with staged(tmp_path, dials_in_progress_max=1) as stage:
        await stage.submit(dial("d1"))
        assert await stage.ended("d1") == []
        await stage.submit(dial("d2"), dial("d3"))
        await stage.client.get_command("d3")
        assert stage.effects("d2", "d3") == []

        stage.far_end(await the_call_of(stage, "d1"))
        assert await stage.ended("d2") == []
        assert stage.effects("d3") == []
        await stage.submit(command("h", await the_call_of(stage, "d2"), "hangup"))
        assert await stage.ended("d3") == []


async def test_channels_in_use_outlive_a_restart(tmp_path: Path) -> None:
    """
    Who holds them is written down. The call's webhooks go to where the ingress was; that it is over is said by the
    answer to a command.
    """
    async with staged(tmp_path, dials_in_progress_max=1) as stage:
        await stage.submit(dial("d1"))
        assert await stage.ended("d1") == []
        await stage.reopen()
        await stage.submit(dial("d2"))
        await stage.client.get_command("d2")
        assert stage.effects("d2") == []

        call = await the_call_of(stage, "d1")
        stage.far_end(call)
        await stage.submit(command("s", call))
        assert await stage.ended("s", "d2") == []


async def test_what_guards_refuse_is_never_sent(tmp_path: Path) -> None:
    """
    A destination that is not allowed, a number that was called before, a third dial in a minute.
    """
    guards = {"allowed_destinations": ["+1555"], "dials_per_number_max": 1, "dials_per_minute_max": 2}
    async with staged(tmp_path, **guards) as stage:
        await stage.submit(dial("d1", to=ANOTHER), dial("abroad", to="+442055512345"))
        assert await stage.ended("d1", "abroad") == []
        await stage.submit(dial("again", to=ANOTHER), dial("d2", to=RINGS_ON))
        assert await stage.ended("again", "d2") == []
        await stage.submit(dial("third", to=ANSWERS_AT_ONCE))
        assert await stage.ended("third") == []

        refused = {"abroad": "destination_refused", "again": "dial_limit", "third": "dial_limit"}
        assert stage.otherwise(**{name: f"REJECTED {reason}" for name, reason in refused.items()}) == []
        assert len(stage.effects()) == 2


async def test_a_dry_run_sends_nothing_but_hangups(tmp_path: Path) -> None:
    """
    And says of each command what would have been.
    """
    async with staged(tmp_path, dry_run=True) as stage:
        call = await stage.call()
        await stage.submit(command("s", call), dial("d"), command("h", call, "hangup"))
        assert await stage.ended("s", "d", "h") == []

        assert stage.otherwise(s="REJECTED dry_run", d="REJECTED dry_run", h="SUCCEEDED") == []
        assert [one.action for one in stage.effects()] == ["hangup"]


async def test_a_pause_holds_everything_but_hangups(tmp_path: Path) -> None:
    """
    Also what was there before; it outlives a restart, and afterwards all goes on.
    """
    async with staged(tmp_path) as stage:
        calls = [await stage.call() for _ in range(2)]
        await stage.client.pause(ACCOUNT, comment="a test")
        assert await until(lambda: stage.registry.get_sample_value("cordboard_account_paused", {"account": ACCOUNT}))
        await stage.submit(command("s", calls[0]), command("h", calls[1], "hangup"), dial("d"))
        assert await stage.ended("h") == []
        await stage.reopen()
        assert [one.action for one in stage.effects()] == ["hangup"]

        await stage.client.resume(ACCOUNT)
        assert await stage.ended("s", "d") == []
        assert stage.otherwise(s="SUCCEEDED", d="SUCCEEDED") == []


async def test_a_campaign_is_cancelled_in_all_its_calls(tmp_path: Path) -> None:
    """
    Its dials that were released are too late, all others are not made.
    """
    async with staged(tmp_path, dials_per_second=1) as stage:
        names = [f"c{number}" for number in range(30)]
        await stage.submit(*(dial(name, group="spring") for name in names))
        await stage.client.cancel(group="spring")
        assert await stage.ended(*names) == []

        states = [str(stage.heard.of(name)[0]) for name in names]
        assert set(states) <= {"SUCCEEDED", "CANCELLED cancel_requested"}
        assert states.count("CANCELLED cancel_requested") >= 20
        assert len(stage.effects()) == states.count("SUCCEEDED")


async def test_two_accounts_are_two_pools(tmp_path: Path) -> None:
    """
    Each has its own Telnyx; a call is its account's, and a command that names the other one is refused.
    """
    async with AsyncExitStack() as stack:
        boxes = [await stack.enter_async_context(Server(SandboxSettings(port=0, speed=20.0))) for _ in range(2)]
        accounts = {
            name: Account(api_key=f"key-{name}", base_url=box.base_url, webhook_public_key=box.public_key)
            for name, box in zip(("left", "right"), boxes, strict=True)
        }
        settings = Settings(
            accounts=accounts,
            default_account="left",
            log=Log(path=tmp_path / "log.sqlite3", partitions=2),
            grpc=Grpc(port=0, drain_seconds=0.1),
            ingress=Ingress(port=0),
            operations=Operations(port=0),
            rest=Rest(port=0),
        )
        desk = Desk(settings, SystemClock(), random.Random(1), CollectorRegistry(), telnyx_is_local=True)
        await stack.enter_async_context(desk)
        client = await stack.enter_async_context(Client(f"127.0.0.1:{desk.grpc_port}"))
        made = (await client.execute(dial("d", account="right"))).result
        call = made.dialed[0].call_control_id
        wrong = (await client.execute(command("w", call, account="left"))).result
        right = (await client.execute(Command(command_id="h", call_control_id=call, hangup={}))).result

        assert (made.state, made.account) == (STATE_SUCCEEDED, "right")
        assert wrong.reason == REASON_ACCOUNT_MISMATCH
        assert (right.state, right.account) == (STATE_SUCCEEDED, "right")
        assert [len(box.station.truth.effects) for box in boxes] == [0, 2]
