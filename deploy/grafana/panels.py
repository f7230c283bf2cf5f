"""What the dashboard shows, row by row: a command from stage to stage, Telnyx, webhooks, the log, the processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: what is asked, and by what each line is called. `unit` is Grafana's name of it."""

    title: str
    unit: str
    queries: Mapping[str, str]  # By legend.
    says: str = ""
    stacked: bool = False


def rate(metric: str, by: str, matching: str = "") -> str:
    """How often something happens, per second."""
    return f'sum by ({by}) (rate({metric}{{job=~"$job"{", " + matching if matching else ""}}}[$__rate_interval]))'


def quantile(metric: str, by: str = "", share: float = 0.95) -> str:
    """How long it takes at most for that share."""
    grouped = f"le, {by}" if by else "le"
    return f'histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket{{job=~"$job"}}[$__rate_interval])))'


def total(metric: str, by: str = "") -> str:
    """What a gauge is, over all processes."""
    grouped = f" by ({by})" if by else ""
    return f'sum{grouped} ({metric}{{job=~"$job"}})'


def most(metric: str, by: str) -> str:
    """What a gauge is where it is highest."""
    return f'max by ({by}) ({metric}{{job=~"$job"}})'


def timed(title: str, metric: str, by: str = "", says: str = "") -> Panel:
    """A histogram's 95th percentile, by a label."""
    return Panel(title, "s", {f"{{{{{by}}}}}" if by else "p95": quantile(metric, by)}, says)


_UNKNOWN: Final = 'kind="result", state="UNKNOWN"'

ROWS: Final[Mapping[str, Sequence[Panel]]] = {
    "At a glance": (
        Panel("Results", "reqps", {"{{state}}": rate("cordboard_results_total", "state")}, stacked=True),
        Panel(
            "From acceptance to result",
            "s",
            {f"p{share * 100:g}": quantile("cordboard_result_seconds", "", share) for share in (0.5, 0.95, 0.99)},
            "A command that waits for the one before it to complete is in here with all of that time.",
        ),
        Panel(
            "UNKNOWN, of all results",
            "percentunit",
            {
                "share": rate("cordboard_results_total", "job", _UNKNOWN)
                + " / "
                + rate("cordboard_results_total", "job", 'kind="result"'),
            },
        ),
        Panel(
            "Partitions",
            "short",
            {
                "there are": 'max(cordboard_partitions{job=~"$job"})',
                "owned": total("cordboard_partitions_owned"),
                "of which nobody can tell": total("cordboard_partitions_unjudged"),
            },
        ),
    ),
    "A command, stage by stage": (
        Panel(
            "Commands taken in, by RPC", "reqps", {"{{grpc_method}}": rate("grpc_server_handled_total", "grpc_method")}
        ),
        Panel("Turned away at the door", "reqps", {"{{reason}}": rate("cordboard_grpc_refused_total", "reason")}),
        timed(
            "1 At the door", "grpc_server_handling_seconds", "grpc_method", "Execute and Watch wait; Submit does not."
        ),
        timed("2 From the log to the decision", "cordboard_input_seconds", "topic"),
        timed("3 In the line of its call", "cordboard_release_seconds", "lane"),
        timed("4 From the decision to being durable", "cordboard_settle_seconds"),
        timed("5 From release to a worker's start", "cordboard_worker_lag_seconds", "lane"),
        timed("6 A request to Telnyx", "cordboard_worker_request_seconds", "lane"),
        timed("6 The same, by action", "cordboard_worker_request_seconds", "action"),
        timed("All: from acceptance to result", "cordboard_result_seconds", "action"),
        timed("All: from acceptance to completion", "cordboard_completion_seconds", "action"),
        Panel(
            "Commands that wait in lines",
            "short",
            {"partition {{partition}}": total("cordboard_line_commands", "partition")},
        ),
        Panel("Releases", "reqps", {"{{lane}}, again: {{again}}": rate("cordboard_releases_total", "lane, again")}),
    ),
    "Telnyx": (
        Panel(
            "Requests, by what came of them",
            "reqps",
            {"{{meaning}}": rate("cordboard_worker_requests_total", "meaning")},
        ),
        Panel("Requests, by action", "reqps", {"{{action}}": rate("cordboard_worker_requests_total", "action")}),
        Panel("Answers 429", "reqps", {"{{pool}} {{lane}}": rate("cordboard_worker_rate_limited_total", "pool, lane")}),
        Panel("Sent again", "reqps", {"{{pool}} {{lane}}": rate("cordboard_worker_resends_total", "pool, lane")}),
        Panel("Outcomes", "reqps", {"{{verdict}}": rate("cordboard_worker_outcomes_total", "verdict")}),
        Panel("In flight", "short", {"{{pool}} {{lane}}": total("cordboard_worker_in_flight", "pool, lane")}),
        Panel(
            "Why commands did not succeed",
            "reqps",
            {"{{reason}}": rate("cordboard_results_total", "reason", 'state!="SUCCEEDED"')},
        ),
        Panel(
            "Asked whether a call lives",
            "reqps",
            {"{{why}}: {{answer}}": rate("cordboard_calls_asked_total", "why, answer")},
        ),
    ),
    "Webhooks": (
        Panel("At the public port", "reqps", {"{{result}}": rate("cordboard_ingress_webhooks_total", "result")}),
        timed("1 From arrival to durable", "cordboard_ingress_durable_seconds"),
        timed("2 From Telnyx's time to handed on", "cordboard_event_seconds"),
        timed("3 From handed on to forwarded", "cordboard_forward_lag_seconds", "pool"),
        Panel("Handed on", "reqps", {"late: {{late}}, tied: {{tied}}": rate("cordboard_events_total", "late, tied")}),
        Panel("Completions", "reqps", {"{{state}} {{reason}}": rate("cordboard_completions_total", "state, reason")}),
        Panel("Oldest that is not forwarded", "s", {"{{pool}}": most("cordboard_forward_oldest_seconds", "pool")}),
        Panel("In the spool", "short", {"webhooks": total("cordboard_ingress_spool_events")}),
    ),
    "The log": (
        Panel(
            "Not settled, begun or forwarded",
            "short",
            {"{{topic}} {{pool}}": total("cordboard_partition_lag_records", "topic, pool")},
        ),
        Panel(
            "Standing still",
            "s",
            {
                "partition {{partition}}": most("cordboard_partition_stalled_seconds", "partition"),
                "{{pool}} {{lane}} {{partition}}": most("cordboard_worker_stalled_seconds", "pool, lane, partition"),
            },
        ),
        timed("Kafka: a write", "cordboard_kafka_write_seconds", "topic"),
        timed("Embedded: a transaction", "cordboard_log_commit_seconds"),
        Panel(
            "Writes that failed",
            "reqps",
            {
                "{{topic}}": rate("cordboard_kafka_write_failures_total", "topic"),
                "embedded": rate("cordboard_log_failed_commits_total", "job"),
            },
        ),
        Panel("Rebalances", "reqps", {"{{group}}": rate("cordboard_kafka_rebalance_seconds_count", "group")}),
        Panel(
            "Restored", "percentunit", {"partition {{partition}}": most("cordboard_kafka_restore_ratio", "partition")}
        ),
        Panel(
            "Dead letters and what was passed over",
            "reqps",
            {
                "{{topic}}": rate("cordboard_dead_letters_total", "topic"),
                "{{topic}} {{why}}": rate("cordboard_kafka_passed_over_records_total", "topic, why"),
                "{{pool}} not forwarded": rate("cordboard_forward_given_up_total", "pool"),
            },
        ),
    ),
    "Processes": (
        Panel("CPU", "percentunit", {"{{instance}}": rate("process_cpu_seconds_total", "instance")}),
        Panel("Memory", "bytes", {"{{instance}}": total("process_resident_memory_bytes", "instance")}),
        Panel("Clock, against the log's", "s", {"{{instance}}": most("cordboard_clock_skew_seconds", "instance")}),
        Panel(
            "Certificates end in",
            "s",
            {
                "{{certificate}}": "min by (certificate) "
                '(cordboard_certificate_expiry_timestamp_seconds{job=~"$job"}) - time()',
            },
        ),
    ),
}
