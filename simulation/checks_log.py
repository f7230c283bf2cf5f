"""What stands behind the promises: every decision is taken once and said, nothing undecided is said, nothing breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from simulation.history import CANCEL_REPORT
from simulation.indexed import Check, Facts, Violation

_SAYING_SECONDS_MAX: Final = 1.0


def decided_once(facts: Facts) -> Iterator[Violation]:
    """Of all settles that count, one says a result, hands on an event, or releases an attempt; never two."""
    says = Counter(name for decision in facts.history.decisions for name in decision.says)
    for name, count in says.items():
        # A cancel request that stands in the log twice is answered twice, each time by what waits then.
        if count > 1 and not name.startswith(CANCEL_REPORT):
            promise = 9 if ".events|" in name else 4 if ".results|" in name else 6
            yield Violation(promise, "decided twice", f"{name} in {count} settles")


def decided_is_said(facts: Facts) -> Iterator[Violation]:
    """What counts is said, and what is said counts."""
    history = facts.history
    decided = {name for decision in history.decisions for name in decision.says}
    # Calls live on to the very end, which may come between a decision and its saying.
    last = history.ended.closed_at - _SAYING_SECONDS_MAX
    just_now = {name for decision in history.decisions if decision.at > last for name in decision.says}
    for name in sorted(decided - just_now - history.spoken.keys()):
        yield Violation(4, "owed for ever", name)
    for name in sorted(history.spoken.keys() - decided):
        yield Violation(2, "said without being decided", name)


def nothing_breaks(facts: Facts) -> Iterator[Violation]:
    """No input of these histories is poison, and no task ends by an exception that nobody foresaw."""
    for reason in facts.history.dead_letters:
        yield Violation(0, "dead letter", reason)
    for what in facts.history.broken:
        yield Violation(0, "exception", what)


EVERY: Final[tuple[Check, ...]] = (decided_once, decided_is_said, nothing_breaks)
