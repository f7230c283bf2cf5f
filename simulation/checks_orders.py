"""Orders of operators: a pause holds everything back but what ends a call, and a cancelled group is not begun.

For histories whose account has an operator (habits.py). An order is in force for a process when it has read it: one to
which nothing happened has so long as the log may take.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.history import Command, Given, Release
from simulation.indexed import Check, Facts, Violation

_HEARD_SECONDS: Final = 4.0  # To read an order, and for what was decided before it.
_OBEYED_SECONDS: Final = {"kafka": 1.0, "embedded": 3.5}  # The same for a worker, which has little in hand.
_PASSING_SECONDS: Final = 8.0  # For a hangup to pass what is held back: an answer may hold its line for 5 s.
_BELIEF_SECONDS: Final = 60.0  # A process that was away meanwhile believes in a pause that is over.
_SKEW_MS: Final = 2_000  # Two times of one log, whose partitions may be led by two machines.


def pauses(facts: Facts) -> list[tuple[float, float]]:
    """From when to when the account was paused (virtual seconds)."""
    found: list[tuple[float, float]] = []
    begun: float | None = None
    for order in facts.history.orders:
        if order.kind == "pause" and begun is None:
            begun = order.at
        elif order.kind == "resume" and begun is not None:
            found.append((begun, order.at))
            begun = None
    return found if begun is None else [*found, (begun, facts.history.ended.closed_at)]


def was_paused(facts: Facts, since: float, until: float) -> bool:
    """Whether the account was paused at some time between these, as far as some process knew."""
    return any(begin < until and since < end + _BELIEF_SECONDS for begin, end in pauses(facts))


def nothing_leaves_while_paused(facts: Facts) -> Iterator[Violation]:
    """Workers that know of the pause send nothing but hangups and rejects."""
    for begin, end in pauses(facts):
        for request in facts.history.requests:
            is_within = begin + _OBEYED_SECONDS[facts.history.plan.kind] < request.at < end
            ends_call = request.action in ("hangup", "reject")
            if is_within and not ends_call and facts.is_calm("hand", begin, request.at):
                yield Violation(
                    0, "sent while paused", f"{request.action} at {request.at:.3f} s, paused at {begin:.3f} s"
                )


def nothing_is_released_while_paused(facts: Facts) -> Iterator[Violation]:
    """Dispatchers that know of the pause begin nothing but what ends a call."""
    for begin, end in pauses(facts):
        for command, release in _first_releases(facts):
            is_within = begin + _HEARD_SECONDS < release.at < end
            if is_within and not command.ends_call and facts.is_calm("brain", begin, release.at):
                what = f"{command.command_id} at {release.at:.3f} s, paused at {begin:.3f} s"
                yield Violation(0, "released while paused", what)


def hangups_pass_a_pause(facts: Facts) -> Iterator[Violation]:
    """What ends a call waits for nothing that a pause holds back: only for what is on its way already."""
    for begin, end in pauses(facts):
        for command in facts.accepted.values():
            since, plain = max(begin, command.at), not (command.requires or command.is_gated or command.sequence)
            due = since + _PASSING_SECONDS
            if not (command.ends_call and plain and command.is_home and due < end) or command.at > end:
                continue
            released = min((one.at for one in facts.releases[command.command_id]), default=due + 1)
            result = facts.result(command.command_id)
            is_over = min(released, due + 1 if result is None else result.at) <= due
            if not is_over and facts.is_calm("brain", since, due) and not _is_on_its_way(facts, command, due):
                yield Violation(
                    8, "behind a pause", f"{command.command_id} waited from {since:.3f} s to {released:.3f} s"
                )


def _is_on_its_way(facts: Facts, command: Command, due: float) -> bool:
    """Whether something else of the call was released, and had no result until shortly before."""
    for other in facts.accepted.values():
        if other.page == command.page and other is not command and facts.releases[other.command_id]:
            result, began = facts.result(other.command_id), facts.releases[other.command_id][0].at
            if began < due and (result is None or result.at > due - _PASSING_SECONDS):
                return True
    return False


def cancelled_groups_are_not_begun(facts: Facts) -> Iterator[Violation]:
    """What was accepted before its group was cancelled is not released by an owner that knows of it."""
    for order in facts.history.orders:
        for command, release in _first_releases(facts):
            is_late = release.at > order.at + _HEARD_SECONDS
            if cancels(order, command) and is_late and facts.is_calm("brain", order.at, release.at):
                what = f"{command.command_id} at {release.at:.3f} s, its group cancelled at {order.at:.3f} s"
                yield Violation(0, "released though cancelled", what)


def what_waited_is_cancelled(facts: Facts) -> Iterator[Violation]:
    """What of a cancelled group waited when it was cancelled says so soon, unless it has another end by then."""
    for order in facts.history.orders:
        for command in facts.accepted.values():
            result, due = facts.result(command.command_id), order.at + _HEARD_SECONDS
            is_begun = facts.releases[command.command_id] or facts.refused[command.command_id]
            waits = cancels(order, command) and not is_begun and command.is_home
            if waits and (result is None or result.at > due) and facts.is_calm("brain", order.at, due):
                came = "none" if result is None else f"{result.state} at {result.at:.3f} s"
                what = f"the result of {command.command_id} is {came}; its group was cancelled at {order.at:.3f} s"
                yield Violation(0, "cancelled late", what)


def cancels(order: Given, command: Command) -> bool:
    """Whether an order surely takes a command back, if it waits."""
    return may_cancel(order, command, margin_ms=_SKEW_MS)


def may_cancel(order: Given, command: Command, margin_ms: int = 0) -> bool:
    """Whether an order may have taken a command back, that was accepted at least so long before it."""
    is_meant = order.kind == "cancel" and order.group == command.label.group
    return is_meant and command.accept_ms <= order.time_ms - margin_ms


def _first_releases(facts: Facts) -> Iterator[tuple[Command, Release]]:
    for command in facts.accepted.values():
        first = facts.firsts(command.command_id).get(1)
        if first is not None:
            yield command, first


EVERY: Final[tuple[Check, ...]] = (
    nothing_leaves_while_paused,
    nothing_is_released_while_paused,
    hangups_pass_a_pause,
    cancelled_groups_are_not_begun,
    what_waited_is_cancelled,
)
