"""Holds a history against the promises: pure, from plain facts to a list of what was broken.

What nothing can fence is excluded where it would happen (telnyx.py: no freeze between a worker's last check and the
socket, no request held for a minute; plan.py: no clock that is further off than readiness allows), or is known here by
its result:

- after an UNKNOWN, a request that outlived its worker may still arrive: so an UNKNOWN command may take effect behind
  those that came after it;
- the 90 s of promise 4 are counted without the time in which a process that had to play its part could not, and with
  what it took to notice (`Patience`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from simulation import (
    checks_aliases,
    checks_completion,
    checks_effects,
    checks_forwarding,
    checks_hands,
    checks_limits,
    checks_line,
    checks_log,
    checks_orders,
    checks_questions,
    checks_reasons,
    checks_releases,
    checks_results,
    checks_senders,
    checks_sounds,
    checks_waiting,
    checks_webhooks,
)
from simulation.history import History
from simulation.indexed import Check, Facts, Violation

EVERY: Final[tuple[Check, ...]] = (
    *checks_results.EVERY,
    *checks_reasons.EVERY,
    *checks_completion.EVERY,
    *checks_effects.EVERY,
    *checks_releases.EVERY,
    *checks_hands.EVERY,
    *checks_line.EVERY,
    *checks_waiting.EVERY,
    *checks_webhooks.EVERY,
    *checks_sounds.EVERY,
    *checks_aliases.EVERY,
    *checks_forwarding.EVERY,
    *checks_log.EVERY,
    *checks_senders.EVERY,
    *checks_questions.EVERY,
    *checks_limits.EVERY,
    *checks_orders.EVERY,
)


def check(history: History, checks: Sequence[Check] = EVERY) -> list[Violation]:
    """Everything that a history broke."""
    facts = Facts(history)
    return [violation for one in checks for violation in one(facts)]
