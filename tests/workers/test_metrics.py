"""What the workers' events become for people: numbers and lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cordboard.observers import each_of
from cordboard.work import Lane, Outcome, TelnyxError, Verdict, Work
from workers import journal
from workers.core.outcome import Meaning, Reading
from workers.events import Ended, Event, Load, LogTrouble, Tried, Unreadable, Unreported, Voided, ignore
from workers.metrics import Metrics

MakeWork = Callable[..., Work]
SECRET = "+4930123456"


@pytest.fixture
def events(make_work: MakeWork) -> list[Event]:
    work = make_work(body=SECRET.encode())
    errors = (TelnyxError("90018", "ended", SECRET),)
    refused = Outcome(
        key=work.key,
        command_id="c1",
        attempt=1,
        verdict=Verdict.REFUSED,
        http_status=422,
        errors=errors,
        message=SECRET,
    )
    return [
        Tried(work, Reading(Meaning.LIMITED, 429, message=SECRET, reset_ms=1_000), 0.2, 0),
        Tried(work, Reading(Meaning.UNREACHED, message="ConnectError"), 0.2, 1),
        Ended(work, refused, 30),
        Load(Lane.ACTION, 3, 2),
        Voided(work),
        Unreadable(Lane.DIAL, 1, 17),
        LogTrouble(Lane.URGENT, "report", "the disk is full"),
        Unreported(work, "cut off by the drain"),
    ]


class TestMetrics:
    def test_every_event_is_counted(self, events: list[Event]) -> None:
        """
        Each kind of event moves its own series.
        """
        registry = CollectorRegistry()
        observe = each_of(Metrics(registry).of("main"), ignore)
        for event in events:
            observe(event)

        def value(name: str, **labels: str) -> float | None:
            return registry.get_sample_value(f"cordboard_worker_{name}", {"pool": "main", **labels})

        assert value("requests_total", lane="action", action="speak", meaning="limited") == 1
        assert value("request_seconds_count", lane="action", action="speak") == 2
        assert value("resends_total", lane="action") == 1
        assert value("rate_limited_total", lane="action") == 1
        assert value("outcomes_total", lane="action", verdict="refused") == 1
        assert value("lag_seconds_sum", lane="action") == 0.03
        assert value("in_flight", lane="action") == 3
        assert value("reserved", lane="action") == 2
        assert value("set_aside_total", lane="action", reason="copy") == 1
        assert value("set_aside_total", lane="dial", reason="unreadable") == 1
        assert value("log_errors_total", lane="urgent", doing="report") == 1
        assert value("unreported_total", lane="action") == 1

    def test_pools_share_the_series_and_not_the_numbers(self, events: list[Event]) -> None:
        """
        Two accounts in one process are two values of the label `pool` in one registry.
        """
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        main, second = metrics.of("main"), metrics.of("second")
        for event in events:
            main(event)
        for event in [*events, *events]:
            second(event)

        labels = {"lane": "action", "action": "speak"}
        counted = [
            registry.get_sample_value("cordboard_worker_request_seconds_count", {"pool": pool, **labels})
            for pool in ("main", "second")
        ]
        assert counted == [2, 4]


class TestJournal:
    def test_a_line_says_which_command_and_why(self, events: list[Event]) -> None:
        """
        What went wrong is found by its command, and what cannot be read by its place.
        """
        with capture_logs() as lines:
            for event in events:
                journal.write(event)

        assert [line["event"] for line in lines] == [
            "request_failed",
            "request_failed",
            "release_ended",
            "copy_voided",
            "work_unreadable",
            "log_trouble",
            "release_unreported",
        ]
        assert lines[1]["why"] == "ConnectError"
        assert (lines[2]["command_id"], lines[2]["codes"]) == ("c1", ["90018"])

    def test_no_line_holds_what_people_said_or_dialled(self, events: list[Event]) -> None:
        """
        Neither bodies nor Telnyx's own texts, which quote them, are written.
        """
        with capture_logs() as lines:
            for event in events:
                journal.write(event)

        assert SECRET not in str(lines)

    def test_what_went_well_writes_nothing(self, make_work: MakeWork) -> None:
        """
        A busy worker's log is not a list of successes.
        """
        work = make_work()
        done = Outcome(key=work.key, command_id="c1", attempt=1, verdict=Verdict.DONE)
        with capture_logs() as lines:
            journal.write(Tried(work, Reading(Meaning.ACCEPTED, 200), 0.1, 0))
            journal.write(Ended(work, done, 1))

        assert lines == []
