"""What each alert is to see: series under which it fires, and series under which it does not, a sample each minute.

Values are in promtool's notation: `0+6x40` counts six a minute, `_x20` is a series that is not there yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Series = Mapping[str, str]
AT: Final = "30m"  # When it is looked at, unless a history says otherwise.
_ALL: Final = "0+60x60"
_NONE: Final = "0+0x60"


@dataclass(frozen=True, slots=True)
class History:
    """`fires` are series under which the alert fires at `at`; each of `quiet`, series under which it does not."""

    fires: tuple[Series, ...]
    quiet: tuple[Series, ...]
    at: str = AT


def stages(input_le: str, lag_le: str, request_le: str) -> Series:
    """All of the commands take up to this bucket in each stage."""
    buckets = {
        "cordboard_input_seconds_bucket": (input_le, ("0.05", "5.0", "15.0", "+Inf")),
        "cordboard_worker_lag_seconds_bucket": (lag_le, ("0.05", "5.0", "15.0", "+Inf")),
        "cordboard_worker_request_seconds_bucket": (request_le, ("0.1", "2.0", "3.0", "+Inf")),
    }
    return {
        f'{name}{{le="{le}"}}': _ALL if les.index(le) >= les.index(within) else _NONE
        for name, (within, les) in buckets.items()
        for le in les
    }


def results(values: str, **labels: str) -> Series:
    """Results of that kind, state or reason."""
    said = {"kind": "result", "state": "SUCCEEDED", "reason": "NONE", "job": "dispatcher"} | labels
    return {f"cordboard_results_total{braced(said)}": values}


def requests(meaning: str, values: str) -> Series:
    """Requests to Telnyx of that meaning."""
    return {f'cordboard_worker_requests_total{{pool="main", lane="action", meaning="{meaning}"}}': values}


def webhooks(result: str, values: str) -> Series:
    """Requests at the public port that came to that."""
    return {f'cordboard_ingress_webhooks_total{{job="ingress", result="{result}"}}': values}


def asked(answer: str, values: str) -> Series:
    """Questions whether a silent call lives."""
    return {f'cordboard_calls_asked_total{{job="d", why="silence", answer="{answer}"}}': values}


def braced(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


LINES: Final = 'cordboard_line_commands{job="d", partition="0"}'
EVENTS: Final = 'cordboard_events_total{job="dispatcher", late="no", tied="yes"}'
LIMITED: Final = 'cordboard_worker_rate_limited_total{pool="main", lane="action"}'
DEAD: Final = 'cordboard_dead_letters_total{job="d", topic="cordboard.commands"}'
RATIO: Final = 'cordboard_kafka_restore_ratio{job="d", instance="a", partition="3"}'
PASSED: Final = 'cordboard_kafka_passed_over_records_total{job="d", topic="t", why="overtaken"}'
UNOPENED = 'cordboard_sealing_unopened_total{job="d", topic="t.webhooks", why="unknown_key"}'
SKEW: Final = 'cordboard_clock_skew_seconds{job="d", instance="a"}'
REFUSED: Final = 'cordboard_certificate_refused{job="d", instance="a", certificate="tls.certificate_file"}'
EXPIRY: Final = 'cordboard_certificate_expiry_timestamp_seconds{job="d", instance="a", certificate="kafka"}'
BROKEN: Final = 'cordboard_identities_file_broken{job="d", instance="a"}'
STALLED: Final = 'cordboard_partition_stalled_seconds{job="d", partition="0"}'
LANE_STALLED: Final = 'cordboard_worker_stalled_seconds{job="w", pool="main", lane="dial", partition="0"}'
THERE_ARE: Final = {'cordboard_partitions{job="d", instance="a"}': "4x60"}
OWNED: Final = "cordboard_partitions_owned"

HISTORIES: Final[Mapping[str, History]] = {
    "CordboardResultsLate": History(
        (stages("15.0", "0.05", "0.1"), stages("0.05", "15.0", "0.1"), stages("5.0", "5.0", "3.0")),
        (stages("0.05", "0.05", "0.1"), stages("0.05", "0.05", "3.0")),
    ),
    "CordboardLinesGrowing": History(
        ({LINES: "0+5x60"}, results("0+0x15 1x45", reason="LINE_FULL"), results("_x20 1x40", reason="LINE_FULL")),
        ({LINES: "80x60"}, {LINES: "500x60"}, results(_ALL), results("1x60", reason="LINE_FULL")),
    ),
    "CordboardOutcomesUnknown": History(
        ({**results(_ALL), **results("0+3x60", state="UNKNOWN", reason="NO_ANSWER")},),
        (
            {**results("0+600x60"), **results("0+1x60", state="UNKNOWN", reason="NO_ANSWER")},
            {**results("0+1x60"), **results("0x25 1x60", state="UNKNOWN", reason="NO_ANSWER")},
            results(_ALL),
        ),
    ),
    "CordboardCallsSilent": History(
        (asked("ended", "0+1x120"), asked("ended", "_x60 8x60")),
        (asked("alive", "0+9x120"), asked("ended", "0x60 2x60"), asked("ended", "9x120")),
        at="100m",
    ),
    "CordboardTelnyxDown": History(
        (
            {**requests("accepted", _NONE), **requests("unanswered", _ALL)},
            {**requests("accepted", "0+10x60"), **requests("fault", "0+30x60"), **requests("unreached", "0+5x60")},
        ),
        (
            {**requests("accepted", _ALL), **requests("unanswered", "0+30x60")},
            requests("refused", _ALL),
            requests("unanswered", "0x25 2x60"),
        ),
    ),
    "CordboardRateLimited": History(
        ({**requests("accepted", _ALL), LIMITED: "0+12x60"},),
        ({**requests("accepted", _ALL), LIMITED: "0+3x60"}, {**requests("accepted", "0+1x60"), LIMITED: "0x25 1x60"}),
    ),
    "CordboardCredentialsRefused": History(
        (results("_x29 1x40", reason="CREDENTIALS_REFUSED"), results("0x28 1x40", reason="CREDENTIALS_REFUSED")),
        (results(_ALL), results("3x60", reason="CREDENTIALS_REFUSED")),
    ),
    "CordboardNoWebhooks": History(
        (results(_ALL), {**results(_ALL), EVENTS: "700x60"}),
        ({**results(_ALL), EVENTS: "0+1x60"}, {**results("9x60"), EVENTS: "9x60"}, results(_ALL, state="FAILED")),
    ),
    "CordboardWebhooksRefused": History(
        ({**webhooks("accepted", "0+50x60"), **webhooks("forged", "0+10x60")}, webhooks("format_one", _ALL)),
        (
            {**webhooks("accepted", _ALL), **webhooks("forged", "0+2x60")},
            {**webhooks("accepted", "0+1x60"), **webhooks("unknown_path", _ALL)},
            webhooks("unsigned", "0x25 1x60"),
        ),
    ),
    "CordboardWebhooksNotKept": History(
        ({**webhooks("accepted", _ALL), **webhooks("uncertain", "0+1x60")}, webhooks("log_unavailable", _ALL)),
        ({**webhooks("accepted", _ALL), **webhooks("log_unavailable", "5x60")}, webhooks("spooled", _ALL)),
    ),
    "CordboardSpoolWaiting": History(
        ({'cordboard_ingress_spool_oldest_seconds{job="i", instance="a"}': "0x10 0+60x60"},),
        ({'cordboard_ingress_spool_oldest_seconds{job="i", instance="a"}': "0x10 0+60x4 0x60"},),
    ),
    "CordboardForwardingLate": History(
        ({'cordboard_forward_oldest_seconds{job="w", pool="main"}': "0x10 0+60x60"},),
        ({'cordboard_forward_oldest_seconds{job="w", pool="main"}': "0x10 0+60x4 2x60"},),
    ),
    "CordboardPartitionStalled": History(
        ({STALLED: "0x28 31 61 91"}, {STALLED: "0x60", LANE_STALLED: "0x28 31 61 91"}),
        ({STALLED: "0x60", LANE_STALLED: "0x60"}, {STALLED: "31x10 0x50"}),
    ),
    "CordboardPartitionUnowned": History(
        ({**THERE_ARE, f'{OWNED}{{job="d", instance="a"}}': "4x20 3x40"},),
        (
            {**THERE_ARE, f'{OWNED}{{job="d", instance="a"}}': "3x60", f'{OWNED}{{job="d", instance="b"}}': "1x60"},
            {**THERE_ARE, f'{OWNED}{{job="d", instance="a"}}': "4x28 0 4x40"},
        ),
    ),
    "CordboardPartitionUnjudged": History(
        ({'cordboard_partitions_unjudged{job="d", role="dispatcher"}': "0x20 2x40"},),
        ({'cordboard_partitions_unjudged{job="d", role="dispatcher"}': "0x28 2 0x40"},),
    ),
    "CordboardLogFailing": History(
        (
            {'cordboard_kafka_write_failures_total{job="d", topic="t"}': "0+1x60"},
            {'cordboard_log_failed_commits_total{job="d"}': "0x20 0+1x40"},
            {'cordboard_log_healthy{job="d"}': "1x20 0x40"},
        ),
        (
            {'cordboard_kafka_write_failures_total{job="d", topic="t"}': "4x60"},
            {'cordboard_log_failed_commits_total{job="d"}': "0x60", 'cordboard_log_healthy{job="d"}': "1x60"},
        ),
    ),
    "CordboardRecordsPassedOver": History(
        ({PASSED: "_x60 7x60"}, {PASSED: "1x60 8x60"}), ({PASSED: "7x150"},), at="100m"
    ),
    "CordboardSealedUnopened": History(({UNOPENED: "_x20 1+1x40"}, {UNOPENED: "3x20 4+1x40"}), ({UNOPENED: "7x60"},)),
    "CordboardRestoreSlow": History(
        ({RATIO: "_x25 0.1 0.2 0.3 0.4 0.5 0.6 0.7"},), ({RATIO: "_x10 0.1 0.5 0.9 stale"},)
    ),
    "CordboardDeadLetters": History(
        (
            {DEAD: "_x20 1x40"},
            {DEAD: "1x20 2x40"},
            {'cordboard_forward_given_up_total{job="w", pool="main", reason="refused"}': "_x20 1x40"},
            {'cordboard_worker_set_aside_total{job="w", pool="main", lane="dial", reason="unreadable"}': "0+1x60"},
        ),
        (
            {DEAD: "5x60"},
            {'cordboard_worker_set_aside_total{job="w", pool="main", lane="dial", reason="copy"}': "0+1x60"},
        ),
    ),
    "CordboardGone": History(
        ({"up": "1x60"}, {OWNED: "4x10 stale"}), ({OWNED: "0x60"}, {OWNED: "4x10 stale _x16 4x30"})
    ),
    "CordboardClockSkew": History(({SKEW: "2.5x60"}, {SKEW: "-3x60"}), ({SKEW: "-1.5x60"}, {SKEW: "0x28 3 0x60"})),
    "CordboardIdentitiesBroken": History(({BROKEN: "1x60"},), ({BROKEN: "0x60"}, {BROKEN: "0x5 1x3 0x50"})),
    "CordboardCertificateExpires": History(({EXPIRY: "1000000x60"}, {EXPIRY: "0x60"}), ({EXPIRY: "2000000x60"},)),
    # Files that are written one after another are at odds for a moment.
    "CordboardCertificateRefused": History(({REFUSED: "1x60"},), ({REFUSED: "0x60"}, {REFUSED: "0x27 1x2 0x31"})),
}
