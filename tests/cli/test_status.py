"""`cordboard status`, against a real `cordboard dev`: what people and programs see, and the exit status for scripts."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cordboard.cli.choices import Output
from cordboard.cli.screen import Screen
from cordboard.cli.status import ranges, watch_status
from cordboard.cli.target import Target
from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.v1 import Command, Speak
from tests.cli.processes import Cordboard, Dev, wait_until
from tests.cli.terminal import Terminal


@pytest.mark.parametrize(
    ("numbers", "said"), [([], ""), ([3], "3"), ([0, 1, 2, 3], "0-3"), ([5, 1, 2, 7], "1-2, 5, 7")]
)
def test_partitions_are_told_in_runs(numbers: list[int], said: str) -> None:
    """
    A thousand of them fit on a line.
    """
    assert ranges(numbers) == said


def status(dev: Dev, cordboard: Cordboard) -> tuple[int, dict[str, Any]]:
    ended = cordboard("status", f"--target={dev.target}")
    assert ended.stderr == ""
    return ended.returncode, json.loads(ended.stdout)


def test_all_is_well(dev: Dev, cordboard: Cordboard) -> None:
    """
    One process of all roles, which owns all partitions and works all lanes; status 0.
    """
    wait_until(lambda: status(dev, cordboard)[0] == 0, "all to be well")
    _, found = status(dev, cordboard)

    assert found["well"] is True
    assert "problems" not in found
    (process,) = found["processes"]
    assert process["roles"] == ["dispatcher", "ingress", "recorder", "worker"]
    assert process["state"] == "PROCESS_STATE_READY"
    assert {one["state"] for one in found["partitions"]} == {"PARTITION_STATE_SERVED"}
    assert [(one["account"], one["lane"], one["workers"]) for one in found["lanes"]] == [
        ("dev", lane, 1) for lane in ("urgent", "action", "dial")
    ]
    assert "sandbox" not in json.dumps(found)  # The account's key.


def test_people_see_tables(dev: Dev, cordboard: Cordboard) -> None:
    """
    The verdict first, then processes, partitions and lanes.
    """
    wait_until(lambda: status(dev, cordboard)[0] == 0, "all to be well")
    shown = cordboard("status", "--output=text", f"--target={dev.target}").stdout

    assert shown.startswith("all is well")
    assert "0-3         served" in shown
    assert "dev      urgent" in shown


def test_a_pause_is_worth_knowing_and_no_problem(dev: Dev, cordboard: Cordboard) -> None:
    """
    It is as somebody wants it: said, and status 0.
    """
    target = f"--target={dev.target}"
    assert cordboard("pause", "dev", target).returncode == 0
    try:
        wait_until(lambda: "paused_accounts" in status(dev, cordboard)[1], "the pause to be told")
        code, found = status(dev, cordboard)
        assert (code, found["paused_accounts"]) == (0, ["dev"])
        assert "paused by order" in cordboard("status", "--output=text", target).stdout
    finally:
        assert cordboard("resume", "dev", target).returncode == 0


def test_nobody_there(cordboard: Cordboard) -> None:
    """
    Status 3, in a sentence.
    """
    ended = cordboard("status", "--target=127.0.0.1:1")

    assert (ended.returncode, ended.stdout) == (3, "")
    assert "no dispatcher answers at 127.0.0.1:1" in ended.stderr


async def watched(dev: Dev, *outputs: tuple[Output, io.StringIO]) -> None:
    """Watch on each of these, and on where nobody is, until all have said something twice."""
    tasks = [
        asyncio.create_task(watch_status(Target(dev.target), 10, Screen(output, stream), SystemClock()))
        for output, stream in outputs
    ]
    while not all(stream.getvalue().count("well") > 1 for _, stream in outputs):  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def test_it_is_watched(dev: Dev) -> None:
    """
    Again and again, as lines of JSON and as a page that changes in its place.
    """
    lines, page = io.StringIO(), Terminal()
    asyncio.run(watched(dev, (Output.JSON, lines), (Output.TEXT, page)))

    assert all("well" in json.loads(line) for line in lines.getvalue().splitlines())
    assert "partitions" in page.getvalue()


def test_that_nobody_answers_ends_no_watch() -> None:
    """
    It is shown, and asked again.
    """
    stream = io.StringIO()

    async def for_a_while() -> None:
        watching = asyncio.create_task(
            watch_status(Target("127.0.0.1:1"), 10, Screen(Output.JSON, stream), SystemClock())
        )
        while stream.getvalue().count("\n") < 2:  # noqa: ASYNC110  # what is written has no event
            await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(for_a_while())
    first = json.loads(stream.getvalue().splitlines()[0])
    assert "no dispatcher answers" in first["unreachable"]


async def speak_on_many_calls(target: str) -> None:
    async with Client(target) as client:
        for number in range(20):
            speak = Speak(payload="hello", voice="female")
            await client.submit(Command(command_id=f"speak-{number}", call_control_id=f"v3:{number}", speak=speak))


def test_a_telnyx_that_is_away_is_told(start: Callable[..., Dev], cordboard: Cordboard) -> None:
    """
    It fails request after request: the breaker opens, and status is 1 and says what is not sent.
    """
    dev = start()
    rules = [{"on": "request", "match": {"action": "speak"}, "status": 503}]
    assert httpx.put(f"{dev.sandbox}/sandbox/faults", json=rules).is_success
    asyncio.run(speak_on_many_calls(dev.target))
    wait_until(lambda: status(dev, cordboard)[0] == 1, "the breaker to open")

    assert "to a worker Telnyx counts as away" in cordboard("status", "--output=text", f"--target={dev.target}").stdout
