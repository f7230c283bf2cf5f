"""The record by which a command is accepted: its topic, its key, its headers."""

from __future__ import annotations

from cordboard.cloudevents import from_headers
from cordboard.v1 import PLACEMENT_LAST, PLACEMENT_NOW, Command, SubmitRequest
from tests.rpc.door import TOPICS, Desk, dial, hangup, speak

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_record_is_a_cloud_event(desk: Desk) -> None:
    """Binary mode, named by the command, from who sent it, in the caller's trace."""
    command = speak("c1", source="ivr/one two")
    await desk.stub.Submit(SubmitRequest(command=command), timeout=20, metadata=(("traceparent", TRACE),))
    (record,) = await desk.all_of(TOPICS.commands)
    event = from_headers(record.headers)
    assert (event.id, event.type) == ("c1", "cordboard.command.v1")
    assert event.source == "/cordboard/ivr/one%20two"
    assert (event.content_type, event.traceparent) == ("application/protobuf", TRACE)
    assert (record.key, Command.FromString(record.value)) == (b"A", command)


async def test_what_is_no_trace_is_left_out(desk: Desk) -> None:
    """A caller cannot write what it likes into the headers."""
    await desk.stub.Submit(SubmitRequest(command=speak("c1")), timeout=20, metadata=(("traceparent", "x" * 500),))
    (record,) = await desk.all_of(TOPICS.commands)
    event = from_headers(record.headers)
    assert (event.traceparent, event.source) == ("", "/cordboard/grpc")


async def test_what_must_not_wait_goes_to_its_own_topic(desk: Desk) -> None:
    """Placement NOW, and only that, is read first."""
    for command in (
        hangup("h1", placement=PLACEMENT_NOW),
        hangup("h2", call="B", placement=PLACEMENT_LAST),
        speak("s1", call="C", placement=PLACEMENT_NOW),
    ):
        await desk.stub.Submit(SubmitRequest(command=command), timeout=20)
    now = [Command.FromString(record.value).command_id for record in await desk.all_of(TOPICS.now)]
    assert sorted(now) == ["h1", "s1"]


async def test_a_dial_is_keyed_by_its_own_page(desk: Desk) -> None:
    """Two dials under one id meet on one page, whoever sends them."""
    await desk.stub.Submit(SubmitRequest(command=dial("d1")), timeout=20)
    (record,) = await desk.all_of(TOPICS.commands)
    assert record.key == b"dial:main/d1"


async def test_the_answer_has_the_logs_time(desk: Desk) -> None:
    """accept_time is when the log took it: the default expiry counts from there."""
    answer = await desk.stub.Submit(SubmitRequest(command=speak("c1")), timeout=20)
    (record,) = await desk.all_of(TOPICS.commands)
    assert (answer.command_id, answer.accept_time.ToMilliseconds()) == ("c1", record.time_ms)
