"""One command, one trace: from the sender's own span through the door, the log and the worker to what completed it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from cordboard.http_server import HttpServer
from cordboard.settings import Tracing
from cordboard.v1 import WAIT_FOR_COMPLETION, SubmitStreamRequest
from tests.forwarding.stage import Service
from tests.promises.stage import ACCOUNT, ANSWERS_AT_ONCE, Stage, command, dial, until
from tests.tracing.collector import Collector, Span

SENDER = TracerProvider().get_tracer("a sender")
DOOR = "cordboard.v1.DispatcherService/Execute"
SAID, PRESSED = "the-secret-that-is-spoken", "4111222233334444"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as collector:
        yield collector


@pytest.fixture
async def stage(tmp_path: Path, collector: Collector) -> AsyncIterator[Stage]:
    async with Stage(tmp_path, tracing=Tracing(endpoint=collector.endpoint)) as stage:
        yield stage


async def told(stage: Stage, collector: Collector) -> None:
    """All that is known goes to the collector when the process stops."""
    await stage.all_told()
    await stage.close()


def trace_of(span: trace.Span) -> str:
    return f"{span.get_span_context().trace_id:032x}"


def one(spans: list[Span], name: str) -> Span:
    found = [span for span in spans if span.name == name]
    assert found, f"no {name} among {[span.name for span in spans]}"
    return found[0]


async def test_from_the_sender_to_what_completed_it(stage: Stage, collector: Collector):
    """
    The sender's span is above all; every span is in its trace, under one that is there.
    """
    with SENDER.start_as_current_span("campaign") as sender:
        answer = await stage.client.execute(dial("d1", to=ANSWERS_AT_ONCE), wait_for=WAIT_FOR_COMPLETION)
    assert answer.completion.event_type == "call.answered"
    await told(stage, collector)

    spans = collector.of(trace_of(sender))
    accepted = one(spans, "send cordboard.commands")
    assert one(spans, DOOR).parent == f"{sender.get_span_context().span_id:016x}"
    assert accepted.parent == one(spans, DOOR).id
    under = {span.name: span.kind for span in spans if span.parent == accepted.id}
    work = f"cordboard.work.{ACCOUNT}.dial"
    assert under == {
        "process cordboard.commands": "CONSUMER",
        "decide": "INTERNAL",
        f"process {work}": "CONSUMER",
        "process cordboard.outcomes": "CONSUMER",
        "process cordboard.webhooks": "CONSUMER",
    }
    assert one(spans, f"send {work}").parent == one(spans, "decide").id
    request = one(spans, "POST /calls")
    assert (request.kind, request.parent) == ("CLIENT", one(spans, f"process {work}").id)
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["server.address"] == "127.0.0.1"
    known = {span.id for span in spans} | {one(spans, DOOR).parent}
    assert [span.name for span in spans if span.parent not in known or span.ended_ns < span.began_ns] == []
    assert {span.service for span in spans} == {"cordboard-desk"}


async def test_the_webhook_has_a_trace_of_its_own_and_the_command_a_link_to_it(stage: Stage, collector: Collector):
    """
    From its arrival to its being handed on; what it completed is in the command's trace.
    """
    with SENDER.start_as_current_span("campaign") as sender:
        await stage.client.execute(dial("d1", to=ANSWERS_AT_ONCE), wait_for=WAIT_FOR_COMPLETION)
    await told(stage, collector)

    completing = one(collector.of(trace_of(sender)), "process cordboard.webhooks")
    (webhook,) = completing.links
    spans = collector.of(webhook)
    arrival = one(spans, "POST /webhooks/telnyx/{account}")
    assert (arrival.kind, arrival.parent, arrival.attributes["http.response.status_code"]) == ("SERVER", "", 200)
    assert one(spans, "send cordboard.webhooks").parent == arrival.id
    assert one(spans, "process cordboard.webhooks").parent == one(spans, "send cordboard.webhooks").id
    results = [span for span in collector.of(trace_of(sender)) if span.name == "send cordboard.results"]
    assert {span.attributes["cordboard.state"] for span in results} == {"SUCCEEDED", "COMPLETED"}


async def test_an_event_that_was_forwarded_is_in_its_webhook_s_trace(tmp_path: Path, collector: Collector):
    """
    From being handed on until its endpoint took it, however often it was tried; the endpoint is given the trace.
    """
    service = Service(usual=500)
    async with HttpServer(service.app(), "127.0.0.1", 0, drain_seconds=0.1) as service.server:
        tracing = Tracing(endpoint=collector.endpoint)
        async with Stage(tmp_path, tracing=tracing, forward_url=service.url) as stage:
            await stage.call(answered=False)
            assert await until(lambda: service.posts)
            service.usual = 200
            assert await until(lambda: len(service.posts) > 1)
            await told(stage, collector)

    forwarded = next(span for span in collector.spans if span.name == "process cordboard.events")
    assert forwarded.parent == one(collector.of(forwarded.trace), "send cordboard.webhooks").id
    assert forwarded.attributes["cordboard.tries"] > 1
    assert not forwarded.failed


async def test_each_request_that_was_sent_again_is_there(stage: Stage, collector: Collector):
    """
    With what came of it, and how many were before it.
    """
    call = await stage.call()
    stage.faults({"match": {"action": "speak"}, "status": 500, "times": 1})
    with SENDER.start_as_current_span("campaign") as sender:
        await stage.client.execute(command("s1", call))
    await told(stage, collector)

    spans = collector.of(trace_of(sender))
    tries = [span for span in spans if span.name == "POST /calls/{call_control_id}/actions/speak"]
    assert [(span.failed, span.attributes.get("error.type")) for span in tries] == [(True, "fault"), (False, None)]
    assert [span.attributes.get("http.request.resend_count") for span in tries] == [None, 1]


async def test_what_released_a_command_is_in_its_trace(stage: Stage, collector: Collector):
    """
    The outcome of the one before it, which has a span in both traces.
    """
    call = await stage.call()
    stage.door.hold("a1")
    with SENDER.start_as_current_span("first") as first:
        await stage.submit(command("a1", call))
    with SENDER.start_as_current_span("second") as second:
        await stage.submit(command("a2", call))
    await stage.fence()
    stage.door.let_go("a1")
    assert await stage.ended("a1", "a2") == []
    await told(stage, collector)

    spans = collector.of(trace_of(second))
    sent = one(spans, f"send cordboard.work.{ACCOUNT}.action")
    freed = next(span for span in spans if span.id == sent.parent)
    assert freed.name == "process cordboard.outcomes"
    offset = freed.attributes["messaging.kafka.offset"]
    assert (
        offset == one(collector.of(trace_of(first)), "process cordboard.outcomes").attributes["messaging.kafka.offset"]
    )


async def test_items_of_a_stream_have_traces_of_their_own(stage: Stage, collector: Collector):
    """
    Unless the stream's caller has one; a stream itself may last for hours.
    """
    call = await stage.call()
    for parent in ((), (("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"),)):
        stream = stage.client.stub.SubmitStream(metadata=parent)
        for name in "ab":
            wanted = command(f"{name}{len(parent)}", call)
            await stream.write(SubmitStreamRequest(command=wanted))
        await stream.done_writing()
        assert [answer.HasField("accepted") async for answer in stream] == [True, True]
    await told(stage, collector)

    sent = {
        span.attributes["cordboard.command_id"]: span
        for span in collector.spans
        if span.kind == "PRODUCER" and span.name == "send cordboard.commands"
    }
    assert (sent["a0"].parent, sent["b0"].parent) == ("", "")
    assert sent["a0"].trace != sent["b0"].trace
    assert {(sent[name].trace, sent[name].parent) for name in ("a1", "b1")} == {("a" * 32, "b" * 16)}


async def test_nothing_that_is_said_is_in_a_trace(stage: Stage, collector: Collector):
    """
    Ids and closed lists, no text, digit, number or key.
    """
    call = await stage.call()
    dtmf = command("t2", call, "send_dtmf")
    dtmf.send_dtmf.digits = PRESSED
    await stage.submit(command("t1", call, payload=SAID), dtmf, dial("t3", to="+15557654321"))
    assert await stage.ended("t1", "t2", "t3") == []
    await told(stage, collector)

    assert len(collector.spans) > 10
    secrets = (SAID, PRESSED, "5557654321", "key", "a-secret-of-this-stage")
    assert [
        secret for secret in secrets if f"{secret}".encode() in collector.raw.replace(b"messaging.kafka", b"")
    ] == []


async def test_whoever_does_not_keep_its_trace_costs_no_spans(tmp_path: Path, collector: Collector):
    """
    The sender's word counts, and for those who send none the ratio.
    """
    async with Stage(tmp_path, tracing=Tracing(endpoint=collector.endpoint, sample_ratio=0)) as stage:
        call = await stage.call()
        await stage.submit(command("u1", call))
        with SENDER.start_as_current_span("kept") as kept:
            await stage.client.execute(command("u2", call))
        await told(stage, collector)

    assert {span.trace for span in collector.spans} == {trace_of(kept)}


async def test_a_collector_that_is_away_is_no_trouble(tmp_path: Path):
    """
    Spans are lost, nothing else; and the stop does not wait for it.
    """
    async with Stage(tmp_path, tracing=Tracing(endpoint="http://127.0.0.1:9")) as stage:
        call = await stage.call()
        await stage.submit(command("v1", call))
        assert await stage.ended("v1") == []
        assert await until(lambda: stage.heard.of("v1"))
