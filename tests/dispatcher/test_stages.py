"""How long each stage took and what waits, as the dispatcher counts it; and its lines of the log."""

from __future__ import annotations

import logging

import pytest
import structlog
from prometheus_client import CollectorRegistry

from cordboard.log.port import Record
from cordboard.work import Lane, Verdict
from dispatcher import journal
from dispatcher.core.decision import HandOn
from dispatcher.core.inputs import Heard
from dispatcher.metrics import DispatcherMetrics
from dispatcher.observing import Decided, Lost, Owned, Said, Settled
from dispatcher.pages import Pages
from tests.dispatcher.harness import TOPICS, HandClock, connect, make_broker, speak, staged

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_what_waits_is_counted_and_known_after_a_restart():
    """
    Of three commands of a call one is released and two wait, whoever owns the partition.
    """
    clock = HandClock()
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as stage:
        for name in "abc":
            await stage.submit(speak(name))
        await stage.applied()
        await stage.until(lambda: [seen for seen in stage.seen if isinstance(seen, Settled) and seen.waiting == 2])

    async with staged(connect(broker), clock) as stage:
        assert sorted(seen.waiting for seen in stage.seen if isinstance(seen, Owned)) == [0, 2]
        (work,) = await stage.works()
        await stage.report(work)
        await stage.until(lambda: [seen for seen in stage.seen if isinstance(seen, Settled) and seen.waiting == 1])


async def test_each_stage_takes_its_time():
    """
    In line, from the log to the decision, and to the result; by lane and topic.
    """
    clock, registry = HandClock(), CollectorRegistry()
    count = DispatcherMetrics(registry)
    async with staged(connect(make_broker(clock)), clock) as stage:
        await stage.submit(speak("a"))
        await stage.submit(speak("b"))
        await stage.applied()
        clock.time_ms += 3_000
        (work,) = await stage.works()
        await stage.report(work)
        await stage.applied()
        for seen in stage.seen:
            count(seen)

    lane = {"lane": Lane.ACTION.value}
    assert registry.get_sample_value("cordboard_release_seconds_sum", lane) == 3
    assert registry.get_sample_value("cordboard_release_seconds_count", lane) == 2
    assert registry.get_sample_value("cordboard_result_seconds_sum", {"action": "speak"}) == 3
    assert registry.get_sample_value("cordboard_input_seconds_count", {"topic": TOPICS.commands}) == 2
    assert registry.get_sample_value("cordboard_input_seconds_count", {"topic": TOPICS.outcomes}) == 1


def test_a_webhook_counts_from_telnyx_s_own_time():
    """
    Never less than nothing, where the clocks differ.
    """
    registry = CollectorRegistry()
    count = DispatcherMetrics(registry)
    heard = Heard("main", "e", "call.answered", 10_000)
    for now_ms in (12_500, 9_000):
        count(Said(HandOn(heard=heard, command_id="", late=False), 0, None, now_ms))
        count(Decided("t", "heard", Record("t", 0, 0, 10_000, b"", b""), now_ms))

    assert registry.get_sample_value("cordboard_event_seconds_sum") == 2.5
    assert registry.get_sample_value("cordboard_input_seconds_sum", {"topic": "t"}) == 2.5


def test_the_series_of_a_partition_goes_with_it():
    """
    Who gave it up does not tell of it any more.
    """
    registry = CollectorRegistry()
    count = DispatcherMetrics(registry)
    count(Owned(3, 10, 7))
    assert registry.get_sample_value("cordboard_line_commands", {"partition": "3"}) == 7
    count(Lost(3, "fenced"))
    count(Lost(3, "stopped"))
    assert registry.get_sample_value("cordboard_line_commands", {"partition": "3"}) is None


def test_pages_know_the_sum_of_what_waits():
    """
    A page that is put without a number has as many as before; a page that is dropped has none.
    """
    pages = Pages()
    for key, waiting in (("a", 2), ("b", 3), ("a", 1), ("b", None), ("c", 0)):
        pages.put(key, b"", 0, waiting)
    assert pages.waiting == 4
    pages.drop("b")
    pages.drop("nobody")
    assert pages.waiting == 1


@pytest.mark.parametrize(
    ("verdict", "level", "said"),
    [
        (Verdict.DONE, logging.INFO, []),
        (Verdict.DONE, logging.DEBUG, [("debug", "SUCCEEDED")]),
        (Verdict.REFUSED, logging.INFO, [("info", "FAILED")]),
        (Verdict.SERVER_ERROR, logging.WARNING, [("warning", "UNKNOWN")]),
    ],
)
async def test_how_a_command_ended_is_a_line(verdict: Verdict, level: int, said: list[tuple[str, str]]):
    """
    By command, call and trace; of what went well only at debug.
    """
    clock, logger = HandClock(), logging.getLogger("cordboard.dispatcher")
    before = logger.level
    logger.setLevel(level)
    try:
        async with staged(connect(make_broker(clock)), clock) as stage:
            await stage.submit(speak("a"), (("traceparent", TRACE.encode()),))
            await stage.applied()
            (work,) = await stage.works()
            await stage.report(work, verdict)
            await stage.applied()
            with structlog.testing.capture_logs() as lines:
                for seen in stage.seen:
                    journal.write(seen)
    finally:
        logger.setLevel(before)

    ended = [line for line in lines if line["event"] == "command_ended"]
    assert [(line["log_level"], line["state"]) for line in ended] == said
    assert all((line["call"], line["command_id"], line["trace_id"]) == ("A", "a", TRACE[3:35]) for line in ended)
