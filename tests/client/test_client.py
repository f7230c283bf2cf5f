"""The Python client against a real door: answers, refusals as one exception, and a watch that survives a restart."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from cordboard.client import Client, CommandRefused
from cordboard.client.client import _SERVICE_CONFIG
from cordboard.log.port import AppendUncertain
from cordboard.v1 import (
    COMPLETION_STATE_COMPLETED,
    PHASE_OPEN,
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    WATCH_KIND_RESULTS,
    ExecuteRequest,
)
from tests.rpc.door import SETTINGS, BrokenLog, Desk, desk_at, hangup, make_door, speak


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as running:
        yield running


async def test_a_command_from_submit_to_view(desk: Desk) -> None:
    """Submit, execute, and both questions answer with what the contract says."""
    async with Client(desk.target) as client:
        accepted = await client.submit(speak("c0", call="B"))
        assert accepted.command_id == "c0"
        answer = await client.execute(speak("c1"))
        assert answer.result.state == STATE_SUCCEEDED
        assert (await client.get_command("c1", "A")).phase == PHASE_OPEN
        assert [view.command_id for view in (await client.get_call("A")).open] == ["c1"]
        report = (await client.cancel("A", ["c1"])).report
        assert list(report.too_late_command_ids) == ["c1"]


async def test_completion_can_be_waited_for(desk: Desk) -> None:
    """wait_for is passed on."""
    command = speak("c1")
    command.send_dtmf.digits = "1"
    async with Client(desk.target) as client:
        answer = await client.execute(command, wait_for=WAIT_FOR_COMPLETION)
    assert answer.completion.state == COMPLETION_STATE_COMPLETED


async def test_a_refusal_has_its_reason_and_every_wrong_field(desk: Desk) -> None:
    """INVALID_ARGUMENT becomes CommandRefused, and trying again is no use."""
    async with Client(desk.target) as client:
        with pytest.raises(CommandRefused) as caught:
            await client.submit(hangup("", call=""))
    refused = caught.value
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_COMMAND")
    assert sorted(violation.field for violation in refused.violations) == ["call_control_id", "command_id"]
    assert refused.retry_delay is None
    assert not refused.acceptance_unknown


async def test_what_is_not_known_has_its_facts(desk: Desk) -> None:
    """NOT_FOUND names what was asked for."""
    async with Client(desk.target) as client:
        with pytest.raises(CommandRefused) as caught:
            await client.get_call("Z")
    assert (caught.value.reason, caught.value.metadata) == ("CALL_NOT_FOUND", {"callControlId": "Z"})


async def test_unavailable_is_tried_again_with_the_same_command(tmp_path: Path) -> None:
    """The channel repeats by itself, by the same id; what remains is said with when to try again."""
    made: list[BrokenLog] = []

    def wrap(log: object) -> BrokenLog:
        made.append(BrokenLog(log))  # type: ignore[arg-type]  # any log
        return made[0]

    async with desk_at(tmp_path, wrap=wrap) as desk, Client(desk.target) as client:
        made[0].failure = AppendUncertain("no acknowledgement")
        with pytest.raises(CommandRefused) as caught:
            await client.submit(speak("c1"))
        assert caught.value.acceptance_unknown
        assert caught.value.retry_delay == 0.5
        asyncio.get_running_loop().call_later(0.05, setattr, made[0], "failure", None)
        assert (await client.execute(speak("c1"))).result.state == STATE_SUCCEEDED


async def test_an_error_that_is_not_the_dispatchers_stays_grpcs() -> None:
    """Nobody there: says nothing about what will happen, so it is no CommandRefused."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.submit(speak("c1"), timeout=5)
    assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_a_watch_goes_on_after_the_server_came_back(desk: Desk) -> None:
    """Each result once, those of the time without a server included."""
    port = int(desk.target.rpartition(":")[2])
    async with Client(desk.target) as client, client.watch(kinds=[WATCH_KIND_RESULTS]) as watch:
        await watch.positioned()
        await client.execute(speak("c1", call="A"))
        async with asyncio.timeout(30):
            assert (await anext(watch)).result.command_id == "c1"
            await desk.server.stop(1)
            door = make_door(desk.log, desk.dispatcher, settings=SETTINGS.model_copy(update={"port": port}))
            await door.start()
            await desk.stub.Execute(ExecuteRequest(command=speak("c2", call="B")), timeout=20)
            assert (await anext(watch)).result.command_id == "c2"
        await door.stop(0.1)


async def test_a_watch_says_what_trying_again_does_not_mend(desk: Desk) -> None:
    """A cursor that is none of ours ends the watch with the refusal."""
    async with Client(desk.target) as client, client.watch(cursor="nonsense!") as watch:
        with pytest.raises(CommandRefused) as caught:
            await anext(watch)
    assert [violation.field for violation in caught.value.violations] == ["cursor"]


async def test_a_watch_resumes_from_a_kept_cursor(desk: Desk) -> None:
    """A new client goes on after the last item that the old one dealt with."""
    async with Client(desk.target) as client:
        async with client.watch(kinds=[WATCH_KIND_RESULTS]) as watch:
            await watch.positioned()
            for name in "abc":
                await client.execute(speak(name, call=name))
            async with asyncio.timeout(20):
                seen = [(await anext(watch)).result.command_id]
            kept = watch.cursor
        async with client.watch(kinds=[WATCH_KIND_RESULTS], cursor=kept) as watch, asyncio.timeout(20):
            seen += [(await anext(watch)).result.command_id for _ in range(2)]
    assert sorted(seen) == ["a", "b", "c"]


def test_only_unavailable_is_tried_again() -> None:
    """What may have been judged is not asked again behind the caller's back."""
    (method,) = json.loads(json.dumps(_SERVICE_CONFIG))["methodConfig"]
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_the_client_needs_nothing_of_the_servers() -> None:
    """Importing it brings in gRPC and protobuf, none of the server's code nor its libraries."""
    code = "import sys, cordboard.client; print('\\n'.join(sys.modules))"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "cordboard.client" in names
    tops = {name.partition(".")[0] for name in names}
    assert not tops & {
        "dispatcher",
        "workers",
        "sandbox",
        "pydantic",
        "msgspec",
        "protovalidate",
        "aiohttp",
        "starlette",
    }
    assert not {name for name in names if name.startswith(("cordboard.log", "cordboard.settings"))}
