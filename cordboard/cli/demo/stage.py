"""Where the demonstration plays: the dispatcher's door, an eye on all that happens, and the sandbox's own routes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import httpx

from cordboard.cli.demo.timeline import Timeline
from cordboard.cli.exits import Failure, Status
from cordboard.cli.happenings import happening
from cordboard.client import Client, Watch
from cordboard.v1 import (
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    WAIT_FOR_RESULT,
    Command,
    CommandResult,
    ExecuteResponse,
    Reason,
    State,
    WatchResponse,
)

T = TypeVar("T")

STEP_SECONDS: Final = 20.0  # No step takes a tenth of it, unless something is wrong.


class StepFailed(Exception):
    """A step did not come out right; says what was expected, and what came instead."""


def require(right: bool, otherwise: str) -> None:
    """Go on only if it is so."""
    if not right:
        raise StepFailed(otherwise)


class Sandbox:
    """The sandbox's own routes."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(base_url=self._url, timeout=STEP_SECONDS)

    async def effects(self, **only: str) -> list[dict[str, Any]]:
        """The requests that the API got, in order, filtered by `call`, `action`, `command_id`."""
        answer = await self._ask("GET", "/sandbox/effects", params=only)
        effects: list[dict[str, Any]] = answer["effects"]
        return effects

    async def press(self, call: str, digits: str) -> None:
        """The callee presses keys."""
        await self._ask("POST", f"/sandbox/calls/{call}/dtmf", json={"digits": digits})

    async def close(self) -> None:
        """Ask no more."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, **request)
            answer: dict[str, Any] = response.raise_for_status().json()
        except httpx.HTTPStatusError as error:
            raise StepFailed(f"the sandbox answered {error.response.status_code} to {method} {path}") from error
        except (httpx.HTTPError, ValueError) as error:
            message = f"no sandbox answers at {self._url}; `cordboard dev` starts one, --sandbox names another"
            raise Failure(message, Status.UNREACHABLE) from error
        return answer


class Stage:
    """Sends commands, and sees what comes of them."""

    def __init__(self, client: Client, sandbox: Sandbox, timeline: Timeline) -> None:
        self.sandbox = sandbox
        self.timeline = timeline
        self._client = client
        self._commands: set[str] = set()  # Ours: others' are not shown.
        self._calls: set[str] = set()
        self._untold: list[WatchResponse] = []  # Events of calls that may yet turn out to be ours.
        self._seen: list[WatchResponse] = []
        self._news = asyncio.Condition()

    async def follow(self, watch: Watch) -> None:
        """Take in what happens, until cancelled."""
        async for response in watch:
            async with self._news:
                self._take(response)
                self._news.notify_all()

    async def submit(self, command: Command) -> None:
        """Hand a command over, and do not wait."""
        self._announce(command)
        await self._client.submit(command, timeout=STEP_SECONDS)

    async def execute(self, command: Command, *, completion: bool = False) -> ExecuteResponse:
        """Hand a command over, wait until it has succeeded, and see the same in the watch."""
        self._announce(command)
        wait_for = WAIT_FOR_COMPLETION if completion else WAIT_FOR_RESULT
        answer = await self._client.execute(command, wait_for=wait_for, timeout=STEP_SECONDS)
        what = command.WhichOneof("action") or ""
        require(answer.HasField("result"), f"{what} had no result within {STEP_SECONDS:g} s")
        succeeded(answer.result)
        if completion:
            await self.seen_completion(command.command_id, what)
        else:
            await self.seen_result(command.command_id, what, replayed=answer.result.replayed)
        return answer

    async def seen_result(self, command_id: str, what: str, *, replayed: bool = False) -> CommandResult:
        """The command's result, from the watch."""
        response = await self._seen_one(
            lambda one: one.result.command_id == command_id and one.result.replayed is replayed, f"result of {what}"
        )
        return response.result

    async def seen_completion(self, command_id: str, what: str) -> None:
        """Return when what the command started is in effect."""
        response = await self._seen_one(lambda one: one.completion.command_id == command_id, f"completion of {what}")
        told = happening(response)
        state = told.state if told is not None else ""
        require(state == "COMPLETED", f"{what} should have been COMPLETED, but is {state}")

    async def seen_event(self, event_type: str, call: str) -> WatchResponse:
        """An event of the call, from the watch."""
        return await self._seen_one(
            lambda one: one.event.event_type == event_type and one.event.call_control_id == call, event_type
        )

    def _announce(self, command: Command) -> None:
        self._commands.add(command.command_id)
        self.timeline.sent(command)

    async def _seen_one(self, fits: Callable[[WatchResponse], bool], what: str) -> WatchResponse:
        async def look() -> WatchResponse:
            async with self._news:
                await self._news.wait_for(lambda: any(map(fits, self._seen)))
                return next(filter(fits, self._seen))

        return await self._in_time(look(), f"the watch told of no {what}")

    async def _in_time(self, work: Awaitable[T], otherwise: str) -> T:
        try:
            async with asyncio.timeout(STEP_SECONDS):
                return await work
        except TimeoutError:
            raise StepFailed(f"{otherwise} within {STEP_SECONDS:g} s") from None

    def _take(self, response: WatchResponse) -> None:
        if response.result.command_id in self._commands:
            self._calls.update(dialed.call_control_id for dialed in response.result.dialed)
        self._untold.append(response)
        mine = [one for one in self._untold if self._is_ours(one)]
        self._untold = [one for one in self._untold if not self._is_ours(one)]
        for one in sorted(
            mine, key=lambda one: one is not response
        ):  # The result that says whose they are comes first.
            self._seen.append(one)
            if (told := happening(one)) is not None:
                self.timeline.happened(told)

    def _is_ours(self, response: WatchResponse) -> bool:
        kind = response.WhichOneof("item")
        if kind == "event":
            return response.event.call_control_id in self._calls
        return kind is not None and getattr(response, kind).command_id in self._commands


def succeeded(result: CommandResult) -> None:
    """Go on only with a command that succeeded."""
    state, reason = State.Name(result.state).removeprefix("STATE_"), Reason.Name(result.reason).removeprefix("REASON_")
    why = " ".join(filter(None, (state, reason, result.message)))
    require(result.state == STATE_SUCCEEDED, f"{result.action} should have SUCCEEDED, but is {why}")
