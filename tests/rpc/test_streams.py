"""SubmitStream and ExecuteStream: order, answers to every item, flow control, and a clean end however it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from cordboard.access import ANYBODY
from cordboard.log.port import Appended, LogUnavailable, NewRecord
from cordboard.v1 import (
    COMPLETION_STATE_COMPLETED,
    REASON_INVALID_COMMAND,
    REASON_LOG_UNAVAILABLE,
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    Command,
    ExecuteStreamRequest,
    SubmitStreamRequest,
    SubmitStreamResponse,
)
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.stopping import Stopping
from dispatcher.rpc import streams
from dispatcher.rpc.streams import IN_FLIGHT_MAX, SubmitStream
from tests.rpc.door import ACCOUNTS, CLOCK, TOPICS, BrokenLog, Desk, desk_at, hangup, outcome_of, speak, until


async def _all(call: Any) -> list[Any]:
    async with asyncio.timeout(30):
        return [answer async for answer in call]


async def test_order_is_that_of_the_stream(desk: Desk) -> None:
    """What is sent through one stream stands in the log in the order in which it was sent."""
    names = [f"c{number:03}" for number in range(600)]

    async def requests() -> AsyncIterator[SubmitStreamRequest]:
        for name in names:
            yield SubmitStreamRequest(command=speak(name))

    answers = await _all(desk.stub.SubmitStream(requests()))
    assert sorted(answer.command_id for answer in answers) == names
    assert all(answer.accepted.HasField("accept_time") for answer in answers)
    assert await desk.commands() == names


class _Wire:
    """A client that sends one item, and all others as soon as that is being appended."""

    def __init__(self, requests: list[SubmitStreamRequest]) -> None:
        self._requests = requests
        self._first = True
        self.appending = asyncio.Event()
        self.all_sent = asyncio.Event()
        self.answers: list[Any] = []

    async def read(self) -> Any:
        if not self._first:
            await self.appending.wait()
        self._first = False
        if self._requests:
            return self._requests.pop(0)
        self.all_sent.set()
        return grpc.aio.EOF

    async def write(self, message: Any) -> None:
        self.answers.append(message)

    def time_remaining(self) -> None:
        return None


async def test_what_is_ready_is_appended_together() -> None:
    """While one append is under way what follows gathers, and goes into the next one, in order."""
    names = [f"c{number}" for number in range(200)]
    wire = _Wire([SubmitStreamRequest(command=speak(name)) for name in names])
    appends: list[list[str]] = []

    class Log:
        async def append(self, records: list[NewRecord]) -> list[Appended]:
            appends.append([Command.FromString(record.value).command_id for record in records])
            wire.appending.set()
            await wire.all_sent.wait()
            return [Appended(0, 0, 1)] * len(records)

    intake = Intake(Log(), TOPICS, ACCOUNTS, CLOCK)  # type: ignore[arg-type]  # of a log only this is needed
    await SubmitStream(intake, wire, Stopping(), "", ANYBODY).run()
    assert [name for append in appends for name in append] == names
    assert [len(append) for append in appends] == [1, 199]
    assert len(wire.answers) == 200


async def test_a_caller_who_has_hung_up_is_no_error() -> None:
    """What was read of a stream is appended to its end, though nobody hears of it; the stream ends as others do."""
    names = [f"c{number}" for number in range(IN_FLIGHT_MAX + 1)]
    appended: list[str] = []

    class Gone(_Wire):
        async def write(self, message: Any) -> None:
            raise grpc.aio.InternalError("what gRPC raises when the other end has gone")

    class Log:
        async def append(self, records: list[NewRecord]) -> list[Appended]:
            appended.extend(Command.FromString(record.value).command_id for record in records)
            return [Appended(0, 0, 1)] * len(records)

    wire = Gone([SubmitStreamRequest(command=speak(name)) for name in names])
    wire.appending.set()
    intake = Intake(Log(), TOPICS, ACCOUNTS, CLOCK)  # type: ignore[arg-type]  # of a log only this is needed
    await SubmitStream(intake, wire, Stopping(), "", ANYBODY).run()
    assert appended == names


async def test_a_bad_item_is_its_answer_and_not_the_end(desk: Desk) -> None:
    """An invalid command in the middle is refused by itself; those around it are done."""
    commands = [speak("c1"), hangup("", call=""), speak("c2")]
    answers = await _all(desk.stub.ExecuteStream([ExecuteStreamRequest(command=one) for one in commands]))
    by_id = {answer.command_id: answer for answer in answers}
    assert by_id["c1"].executed.result.state == by_id["c2"].executed.result.state == STATE_SUCCEEDED
    refused = by_id[""].refused
    assert refused.reason == REASON_INVALID_COMMAND
    assert sorted(violation.field for violation in refused.violations) == ["call_control_id", "command_id"]
    assert not refused.HasField("retry_delay")


async def test_an_unknown_wait_is_the_items_own_trouble(desk: Desk) -> None:
    """wait_for is checked for each item."""
    requests = [ExecuteStreamRequest(command=speak("c1"), wait_for=9), ExecuteStreamRequest(command=speak("c2"))]
    answers = {answer.command_id: answer for answer in await _all(desk.stub.ExecuteStream(requests))}
    assert [violation.field for violation in answers["c1"].refused.violations] == ["wait_for"]
    assert answers["c2"].executed.result.state == STATE_SUCCEEDED
    assert await desk.commands() == ["c2"]


async def test_a_log_that_fails_is_each_items_answer(tmp_path: Path) -> None:
    """Items that could not be appended are refused with when to try again; the stream goes on afterwards."""
    made: list[BrokenLog] = []

    def wrap(log: Any) -> BrokenLog:
        made.append(BrokenLog(log))
        return made[0]

    async with desk_at(tmp_path, wrap=wrap) as desk:
        made[0].failure = LogUnavailable("full")
        call = desk.stub.ExecuteStream()
        await call.write(ExecuteStreamRequest(command=speak("c1")))
        refused = (await call.read()).refused
        assert refused.reason == REASON_LOG_UNAVAILABLE
        assert refused.HasField("retry_delay")
        assert desk.server.waiting == 0
        made[0].failure = None
        await call.write(ExecuteStreamRequest(command=speak("c1")))
        await call.done_writing()
        assert (await call.read()).executed.result.state == STATE_SUCCEEDED


async def test_answers_come_when_they_are_known(desk: Desk) -> None:
    """A call that hangs does not hold up the answers of others."""
    desk.hands.respond = lambda work: None if work.key == "slow" else outcome_of(work)
    call = desk.stub.ExecuteStream()
    for name in ("slow", "fast"):
        await call.write(ExecuteStreamRequest(command=speak(name, call=name)))
    assert (await call.read()).command_id == "fast"
    await until(lambda: len(desk.hands.works) == 2)
    await desk.hands.report(outcome_of(next(work for work in desk.hands.works if work.key == "slow")))
    await call.done_writing()
    assert (await call.read()).command_id == "slow"
    assert await call.read() is grpc.aio.EOF


async def test_half_close_waits_for_the_answers(desk: Desk) -> None:
    """Who has no more to send still gets what is outstanding, completions too."""
    command = speak("c1")
    command.send_dtmf.digits = "1"
    request = ExecuteStreamRequest(command=command, wait_for=WAIT_FOR_COMPLETION)
    answers = await _all(desk.stub.ExecuteStream([request]))
    assert [answer.executed.completion.state for answer in answers] == [COMPLETION_STATE_COMPLETED]


async def test_a_stream_that_is_not_read_is_not_served_without_end(desk: Desk) -> None:
    """At most so many items are in hand; the rest waits on the wire until answers are due."""
    desk.hands.respond = lambda work: None
    call = desk.stub.ExecuteStream()

    async def send() -> None:
        for number in range(IN_FLIGHT_MAX * 2):
            await call.write(ExecuteStreamRequest(command=speak(f"c{number}", call=str(number))))

    sending = asyncio.create_task(send())
    await until(lambda: len(desk.hands.works) == IN_FLIGHT_MAX)
    await desk.hands.report(outcome_of(desk.hands.works[0]))
    await call.read()
    await until(lambda: len(desk.hands.works) == IN_FLIGHT_MAX + 1)
    assert desk.server.waiting == IN_FLIGHT_MAX
    call.cancel()
    sending.cancel()
    await until(lambda: desk.server.waiting == 0)


async def test_a_stream_that_breaks_leaves_nobody_waiting(desk: Desk) -> None:
    """A client that goes away in the middle is forgotten; what it sent is done."""
    desk.hands.respond = lambda work: None
    call = desk.stub.ExecuteStream()
    for number in range(20):
        await call.write(ExecuteStreamRequest(command=speak(f"c{number}", call=str(number))))
    await until(lambda: len(desk.hands.works) == 20)
    call.cancel()
    await until(lambda: desk.server.waiting == 0)
    assert len(await desk.commands()) == 20


async def test_a_streams_deadline_leaves_results_open(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the wait is over the items are answered as still open, and the stream ends well."""
    desk.hands.respond = lambda work: None
    monkeypatch.setattr(streams, "patience", lambda seconds_left: 0.01)
    call = desk.stub.ExecuteStream([ExecuteStreamRequest(command=speak("c1"))], timeout=20)
    answers = await _all(call)
    assert [answer.command_id for answer in answers] == ["c1"]
    assert not answers[0].executed.HasField("result")
    assert await call.code() is grpc.StatusCode.OK


async def test_an_item_that_is_no_message_is_its_answer(desk: Desk) -> None:
    """Bytes that cannot be read are refused by themselves; what comes after them is done."""
    raw = desk.channel.stream_stream("/cordboard.v1.DispatcherService/SubmitStream")
    good = SubmitStreamRequest(command=speak("good")).SerializeToString()
    call = raw(iter([b"\xff\xff\xff", good]), timeout=20)
    answers = [SubmitStreamResponse.FromString(answer) async for answer in call]
    assert {(one.command_id, one.WhichOneof("outcome")) for one in answers} == {("", "refused"), ("good", "accepted")}


async def test_steps_are_told_as_they_are_known(desk: Desk) -> None:
    """Acceptance, result, and at the end both, where that is asked for; else only the last word."""
    commands = [speak("c1", call="A"), speak("c2", call="B")]
    for command in commands:
        command.send_dtmf.digits = "1"

    async def requests() -> AsyncIterator[ExecuteStreamRequest]:
        for command, steps in zip(commands, (True, False), strict=True):
            yield ExecuteStreamRequest(command=command, wait_for=WAIT_FOR_COMPLETION, steps=steps)

    answers = await _all(desk.stub.ExecuteStream(requests()))
    told = [answer.WhichOneof("outcome") for answer in answers if answer.command_id == "c1"]
    assert told == ["accepted", "result", "executed"]
    assert [one.WhichOneof("outcome") for one in answers if one.command_id == "c2"] == ["executed"]
    assert all(
        one.executed.completion.state == COMPLETION_STATE_COMPLETED for one in answers if one.HasField("executed")
    )


async def test_steps_take_no_slots(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item has one until its last word, however many steps it is told."""
    monkeypatch.setattr(streams, "IN_FLIGHT_MAX", 2)
    names = [f"c{number}" for number in range(20)]

    async def requests() -> AsyncIterator[ExecuteStreamRequest]:
        for name in names:
            yield ExecuteStreamRequest(command=speak(name, call=name), steps=True)

    answers = await _all(desk.stub.ExecuteStream(requests()))
    assert sorted(one.command_id for one in answers if one.HasField("executed")) == sorted(names)
    assert sum(one.HasField("accepted") for one in answers) == len(names)
