"""What the pages say, in the end, of the lives of the calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.core.page import Life, decode
from simulation.broker import JournalBroker


@dataclass(frozen=True, slots=True)
class Belief:
    """Of one call: whether it is over, and whether Telnyx is to be asked as long as that is not known."""

    is_over: bool
    asks: bool


def beliefs_of(broker: JournalBroker, partitions: int) -> dict[str, Belief]:
    """By page, dials left out."""
    found = {}
    for number in range(partitions):
        for key, value in broker.ledger(number).pages.items():
            page = decode(value)
            if not page.is_dial:
                is_known = page.life in (Life.ALIVE, Life.ANSWERED) or page.asking.reached
                found[key] = Belief(page.life is Life.ENDED, bool(page.account) and is_known)
    return found


def undiscovered(beliefs: Mapping[str, Belief], calls: Mapping[str, float | None]) -> list[str]:
    """Calls that are over (`calls` has the ends), of which their pages do not know, and ask."""
    over = (call for call, ended_at in calls.items() if ended_at is not None)
    return [call for call in over if call in beliefs and beliefs[call].asks and not beliefs[call].is_over]
