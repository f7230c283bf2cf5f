"""A history told in plain text: what it was made of, everything that happened in its order, and what it broke."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simulation.history import History
from simulation.indexed import Violation
from simulation.script import Plan


def told(history: History, violations: Sequence[Violation]) -> str:
    """The whole story."""
    lines = [*plan_in_words(history.plan), "", *_happenings(history), ""]
    lines += [f"! {violation}" for violation in violations] or ["Every promise was kept."]
    return "\n".join(lines)


def plan_in_words(plan: Plan) -> Iterator[str]:
    """What the history was made of."""
    yield f"seed {plan.seed}, {plan.kind} log, {plan.partitions} partitions, faults for {plan.span:.1f} s"
    for name, error_ms in zip(plan.processes, plan.errors_ms, strict=False):
        yield f"  process {name}, its clock {error_ms:+d} ms"
    for call in plan.calls:
        origin = f"dialled to {call.to}" if call.dialled else "comes in"
        yield f"  call {call.name} {origin} at {call.at:.1f} s" + (", numbered" if call.numbered else "")
        for index, step in enumerate(call.steps):
            yield f"    {call.name}-{index} {step}"
    for fault in plan.faults:
        yield f"  fault {fault}"


def _happenings(history: History) -> Iterator[str]:
    lines = [(at, 1, f"{who:9} {what}") for at, who, what in history.story]
    lines += [(at, 0, f"log       {what}") for at, what in _log_lines(history)]
    lines += [
        (one.at, 0, f"telnyx    webhook {one.event_type} of {one.call[:12]}: {one.status}")
        for one in history.deliveries
    ]
    return (f"{at:9.3f}  {line}" for at, _, line in sorted(lines, key=lambda line: line[:2]))


def _log_lines(history: History) -> Iterator[tuple[float, str]]:
    for command in history.commands:
        stray = "" if command.is_home else ", on a partition that is not its own"
        yield command.at, f"command {command.command_id} ({command.action}){stray}"
    for release in history.releases:
        yield release.at, f"work {release.command_id}, attempt {release.attempt}"
    for result in history.results:
        yield result.at, f"{result.kind} of {result.command_id}: {result.state} {result.reason}"
    for one in history.completions:
        yield one.at, f"completion of {one.command_id}: {one.state} {one.reason} {one.event_type}"
    for event in history.events:
        tie = f", of {event.command_id}" if event.command_id else ""
        yield event.at, f"event {event.event_type} of {event.subject[:12] or 'nobody'}{tie}"
