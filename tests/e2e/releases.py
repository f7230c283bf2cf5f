"""Rule 6, seen from outside: of one release one worker says what became of it, however often it says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from cordboard.work import decode_outcome
from tests.e2e.checker import Violation
from tests.e2e.records import Line


def sent_twice(outcomes: Sequence[Line]) -> Iterator[Violation]:
    """Releases whose first request was sent at two times: by two workers, then, or by one that took it twice."""
    begun: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    for line in outcomes:
        outcome = decode_outcome(line.value)
        if outcome.sent_ms:
            begun[outcome.key, outcome.command_id, outcome.attempt].add(outcome.sent_ms)
    for (_, command_id, attempt), times in begun.items():
        if len(times) > 1:
            yield Violation("release sent twice", f"attempt {attempt} of {command_id}: {len(times)} times", command_id)
