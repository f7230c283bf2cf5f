"""The logs: what a line looks like, whose lines they are, and what is never in them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from cordboard import journal
from cordboard.log.port import LogUnavailable
from cordboard.settings import Logging

KEY = "KEY0123456789"


class FixedClock:
    """A clock that stands still, unless it is set."""

    time_ms = 1_517_610_327_521

    def now_ms(self) -> int:
        return self.time_ms


class Lines(io.StringIO):
    """What was written, as a terminal or not, and read back."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal

    def read_back(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines() -> Lines:
    lines = Lines()
    journal.configure(Logging(), frozenset({KEY}), FixedClock(), lines)
    return lines


def test_a_line_of_ours(lines: Lines):
    """
    Time, level, event and logger come first; the fields follow.
    """
    structlog.get_logger("cordboard.test").info("call ended", call_control_id="v3:a", attempts=2)

    assert lines.getvalue() == (
        '{"timestamp":"2018-02-02T22:25:27.521Z","level":"info","event":"call ended","logger":"cordboard.test",'
        '"call_control_id":"v3:a","attempts":2}\n'
    )


def test_lines_of_libraries_look_the_same(lines: Lines):
    """
    What uvicorn or aiohttp says through the standard library goes the same way, extras and tracebacks with it.
    """
    try:
        raise OSError(KEY)
    except OSError:
        logging.getLogger("aiohttp.server").exception("Error %s", "here", extra={"request": 5})

    (line,) = lines.read_back()
    assert (line["level"], line["event"], line["logger"]) == ("error", "Error here", "aiohttp.server")
    assert line["request"] == 5
    assert "OSError: ***" in line["exception"]


def test_aiokafka_is_brief_and_discreet(lines: Lines):
    """
    A warning of it is one line without a traceback; requests, which it writes out at debug, are never there.
    """
    journal.set_level("debug")
    try:
        raise ConnectionError("broker\naway")
    except ConnectionError:
        logging.getLogger("aiokafka.conn").exception("Unexpected exception\nin %s", "AIOKafkaConnection")
    logging.getLogger("aiokafka.consumer.fetcher").warning("Fetch failed")
    logging.getLogger("aiokafka.conn").debug("Request: SaslAuthenticateRequest(sasl_auth_bytes=b'...')")
    logging.getLogger("aiokafka").info("Joined group")

    said, brief = lines.read_back()
    assert (said["level"], said["event"]) == ("error", "Unexpected exception in AIOKafkaConnection")
    assert said["why"] == "ConnectionError: broker away"
    assert "Traceback" not in lines.getvalue()
    assert brief["event"] == "Fetch failed"
    assert "exception" not in said
    assert "why" not in brief


def test_what_aiokafka_repeats_is_said_once_a_minute():
    """
    A broker that is away is a line for each thing that fails, not hundreds every second; and nobody else is cut short.
    """
    lines, clock = Lines(), FixedClock()
    journal.configure(Logging(), clock=clock, stream=lines)
    for node in (1, 1, 2):
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", node)
    logging.getLogger("aiohttp.server").error("the same")
    logging.getLogger("aiohttp.server").error("the same")
    clock.time_ms += 60_000
    logging.getLogger("aiokafka").error("Unable connect to node with id %s", 1)

    assert [line["event"] for line in lines.read_back()] == [
        "Unable connect to node with id 1",
        "Unable connect to node with id 2",
        "the same",
        "the same",
        "Unable connect to node with id 1",
    ]


def test_bound_context_is_on_every_line(lines: Lines):
    """
    What was bound for a task is on its lines.
    """
    with structlog.contextvars.bound_contextvars(account="main"):
        structlog.get_logger().warning("slow")

    assert lines.read_back()[0]["account"] == "main"


def test_the_level_changes_at_run_time(lines: Lines):
    """
    A logger that was used before hears of the new level; libraries that tell of every request only talk at debug.
    """
    log = structlog.get_logger()
    log.debug("unsaid")
    logging.getLogger("httpx").info("unsaid")
    assert journal.level() == "info"

    journal.set_level("debug")
    log.debug("said")
    logging.getLogger("httpx").info("said")
    journal.set_level("error")
    log.warning("unsaid")

    assert [line["event"] for line in lines.read_back()] == ["said", "said"]
    assert journal.level() == "error"


def test_a_second_set_up_replaces_the_first(lines: Lines):
    """
    Nothing is said twice.
    """
    again = Lines()
    log = structlog.get_logger()
    log.info("first")
    journal.configure(Logging(), clock=FixedClock(), stream=again)
    log.info("second")

    assert [line["event"] for line in lines.read_back()] == ["first"]
    assert [line["event"] for line in again.read_back()] == ["second"]


def test_readable_text_on_a_terminal():
    """
    A person gets text unless JSON was asked for.
    """
    terminal, asked = Lines(), Lines()
    terminal.terminal = asked.terminal = True
    journal.configure(Logging(), stream=terminal)
    structlog.get_logger().info("call ended", to="+15551234567")
    journal.configure(Logging(format="json"), stream=asked)
    structlog.get_logger().info("call ended")

    assert "call ended" in terminal.getvalue()
    assert "+1555" not in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert asked.read_back()[0]["event"] == "call ended"


@pytest.mark.parametrize(
    "fields",
    [
        {"api_key": "anything"},
        {"Authorization": "Bearer anything"},
        {"detail": f"sent {KEY} away"},
        {"nested": {"deep": [{"x": KEY}]}},
        {"nested": {"token": "anything"}},
        {"raw": KEY.encode()},
        {"error": RuntimeError(KEY)},
        {"pair": (KEY, 1)},
        {"nested": {KEY: 1}},
    ],
)
def test_no_secret_is_written(lines: Lines, fields: dict[str, Any]):
    """
    Known secrets and fields that hold secrets are masked, however they are wrapped.
    """
    structlog.get_logger().info("tried", **fields)

    assert KEY not in lines.getvalue()
    assert "anything" not in lines.getvalue()


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("to", "+15551234567", "**********67"),
        ("from", "sip:ann@example.org", "*****************rg"),
        ("from_number", 15551234567, "*********67"),
        ("to", "911", "***"),
        ("to", ["+15551234567", "+15551234568"], ["**********67", "**********68"]),
        ("event_text", "dialling +15551234567 now", "dialling **********67 now"),
        ("zone", "2026-11-23T15:00:00+0100", "2026-11-23T15:00:00+0100"),
        ("count", 15551234567, 15551234567),
        ("to", None, None),
        ("ok", True, True),
    ],
)
def test_telephone_numbers_are_masked(lines: Lines, field: str, value: object, shown: object):
    """
    By the field's name, and by their form in any text; two digits stay to tell them apart.
    """
    structlog.get_logger().info("said", **{field: value})

    assert lines.read_back()[0][field] == shown


def test_a_line_that_json_cannot_hold_is_written_all_the_same(lines: Lines):
    """
    Odd values never break logging, and never the code that logs.
    """
    looped: dict[str, Any] = {}
    looped["self"] = looped
    structlog.get_logger().info("odd", big=2**80, text="\ud800", keys={1: 2, (1, 2): 3}, thing=object(), looped=looped)

    (line,) = lines.read_back()
    assert line["big"] == 2**80
    assert line["keys"] == {"1": 2, "(1, 2)": 3}


def test_a_caller_who_hung_up_is_no_error(lines: Lines):
    """
    gRPC calls it one of the method's that nobody was there to take its answer; what the method raised itself is one.
    """
    from grpc._cython.cygrpc import ExecuteBatchError

    for error in (ExecuteBatchError("send", ()), TypeError("a bug")):
        try:
            raise error
        except Exception:
            logging.getLogger("grpc._cython.cygrpc").exception("raised in core by servicer method")

    [line] = lines.read_back()
    assert "a bug" in line["exception"]


def test_an_exception_says_where_and_only_if_harmless_what(lines: Lines):
    """
    Its text may be what somebody said on the telephone; causes and those of a group are no exception.
    """
    said = ("41" + "11", "55" + "00", "34" + "00")  # The lines of the code are shown.
    try:
        try:
            raise ValueError(said[0])
        except ValueError as error:
            raise ExceptionGroup(said[1], [KeyError(said[2]), LogUnavailable("the disk is full")]) from error
    except ExceptionGroup:
        structlog.get_logger().exception("tried")

    (line,) = lines.read_back()
    assert "test_journal.py" in line["exception"]
    assert "ValueError (its text is not written down)\nwhich led to:" in line["exception"]
    assert "LogUnavailable: the disk is full" in line["exception"]
    assert [digits for digits in said if digits in lines.getvalue()] == []


@pytest.mark.parametrize("field", ["payload", "digits", "body", "text", "client_state"])
def test_what_is_said_and_pressed_is_masked(lines: Lines, field: str):
    """
    No line has such a field; one that had would not show it.
    """
    structlog.get_logger().info("said", nested={field: "1234"})

    assert lines.read_back()[0]["nested"] == {field: "***"}


async def test_another_level_for_a_while(lines: Lines):
    """
    It goes back by itself to that of the settings; a change in between counts from then on.
    """
    levels = journal.Levels()
    levels.change("error", 3_600)
    levels.change("debug", 0.001)
    assert (levels.now, levels.usual) == ("debug", "info")
    while levels.now != "info":  # noqa: ASYNC110 - the timer tells nobody else
        await asyncio.sleep(0.001)

    assert [(line["now"], line["seconds"]) for line in lines.read_back()] == [
        ("error", 3_600),
        ("debug", 0.001),
        ("info", None),
    ]


def test_what_opentelemetry_repeats_is_said_once_a_minute(lines: Lines):
    """
    Each time with another number in it, for as long as its collector is away.
    """
    for seconds in (0.8, 0.9, 1.1):
        logging.getLogger("opentelemetry.exporter").warning("retrying in %.2fs", seconds)

    assert [line["event"] for line in lines.read_back()] == ["retrying in 0.80s"]
