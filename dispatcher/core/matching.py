"""Matching: which of a call's commands an event belongs to, of those that it could belong to.

No webhook names its command. What an event means to a command is said by the contract (`Completion` in options.proto):
it completes it, says that it has begun, belongs to it otherwise, or ends what went on after its completion. Of several
commands the event belongs to the one that comes first by:

1. how little of what the event repeats is another than the command asked for (see cordboard.marks): what agrees comes
   before what does not. A lone command in conflict is still taken, as Telnyx may write an address otherwise, but for
   what is repeated exactly;
2. whether it was cleared before it began, for all that is known: nothing is told of such a one any more;
3. for the event that says that something has begun: whether it had begun before;
4. how far from when the command was done lies the time at which the event says that its recording began;
5. how much of what the event repeats is what it asked for;
6. its age, as Telnyx keeps what waits on a call in order.

Which stops an event completes is decided in `stops`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from cordboard import marks
from cordboard.catalogue import CATALOGUE
from dispatcher.core.commands import CALL_ENDING, DIAL, Ask
from dispatcher.core.page import Clue, Flight, Open, Page
from dispatcher.core.rivals import completing_events, is_stop
from dispatcher.core.turn import GRACE_MS


class Role(enum.Enum):
    """What an event means to a command."""

    COMPLETES = enum.auto()
    STARTS = enum.auto()
    ENDS = enum.auto()  # What went on after its completion.
    ACCOMPANIES = enum.auto()


@dataclass(frozen=True, slots=True)
class Match:
    """A command that an event could belong to. `rank` sorts; one that is still in the workers' hands is a Flight."""

    rank: tuple[int, bool, bool, int, int, int]
    command: Open | Flight
    role: Role

    @property
    def conflicts(self) -> int:
        """In how many things the event says another than the command."""
        return self.rank[0]

    @property
    def is_gone(self) -> bool:
        """Whether the command was cleared before it began, for all that is known."""
        return self.rank[1]

    @property
    def order(self) -> int:
        """The command's place among all that were released."""
        return self.rank[-1]


def owner_of(page: Page, clue: Clue) -> Match | None:
    """The command to which an event belongs; stops and commands in doubt are no owners."""
    found = [match for one in page.running if (match := _match(one, clue, _role_going_on(one, clue)))]
    waiting = [one for one in page.open if not one.doubtful and not is_stop(one.action)]
    found += [match for one in waiting if (match := match_of(one, clue))]
    best = min(found, key=_rank, default=None)
    sooner = [match for one in page.flights if (match := _on_its_way(one, clue))]
    better = min(sooner, key=_rank, default=None)
    if better is None or best is None:
        return better or best
    # What is on its way comes behind what was certainly done, unless only that is in conflict, or was cleared.
    is_closer = (better.conflicts, False) < (best.conflicts, best.is_gone)
    return better if is_closer or _has_cleared(better, best) else best


def _has_cleared(better: Match, best: Match) -> bool:
    flight, waiting = better.command, best.command
    if not isinstance(flight, Flight) or not isinstance(waiting, Open) or waiting.begun or not flight.stopped:
        return False
    return clears(flight.ask.action, flight.ask.marks, waiting)


def clears(action: str, its_marks: bytes, one: Open) -> bool:
    """Whether an action that clears takes away what another command started."""
    rule = CATALOGUE[action].completion.clears
    return rule is not None and one.action in rule.actions and marks.compare(its_marks, one.marks) is not None


def match_of(waiting: Open, clue: Clue) -> Match | None:
    """How an event belongs to a command that is open; None where it cannot."""
    if clue.event_type in completing_events(waiting.action, endless=waiting.endless):
        return _match(waiting, clue, Role.COMPLETES)
    return _match(waiting, clue, _role_beside(waiting, clue))


def is_end_of(waiting: Open, event_type: str) -> bool:
    """Whether an event ends what a command started, so that nothing of it goes on."""
    rule = CATALOGUE[waiting.action].completion
    ends = rule.completed_by | rule.failed_by if waiting.endless else rule.goes_on.until if rule.goes_on else ()
    return event_type in ends


def is_ended_by(waiting: Open, clue: Clue) -> bool:
    """Whether an event is the end of what this command, and no other, started."""
    return is_end_of(waiting, clue.event_type) and _match(waiting, clue, Role.ENDS) is not None


def _rank(match: Match) -> tuple[int, bool, bool, int, int, int]:
    return match.rank


def telling_events(ask: Ask) -> frozenset[str]:
    """The events that change what is known of a command."""
    rule = CATALOGUE[ask.action].completion
    telling = completing_events(ask.action, endless=ask.endless)
    if rule.goes_on is None:
        return telling | rule.started_by
    return telling | rule.started_by | rule.goes_on.until if ask.goes_on else telling


def _role_beside(one: Open, clue: Clue) -> Role | None:
    rule = CATALOGUE[one.action].completion
    if clue.event_type in rule.progress:
        return Role.ACCOMPANIES
    if rule.goes_on and not one.goes_on:  # It was asked for nothing that could begin, or end.
        return None
    if clue.event_type in rule.started_by:
        return Role.STARTS
    return Role.ACCOMPANIES if rule.goes_on and clue.event_type in rule.goes_on.until else None


def _role_going_on(one: Open, clue: Clue) -> Role | None:
    return Role.ENDS if is_end_of(one, clue.event_type) else _role_beside(one, clue)


def _match(one: Open, clue: Clue, role: Role | None) -> Match | None:
    # A call ends once, and a dial hears only of its own legs: whatever the clocks say.
    is_certain = one.action in CALL_ENDING or one.action == DIAL
    if role is None or not (is_certain or one.sent_ms - GRACE_MS <= _effect_ms(one, clue)):
        return None
    if clue.begun_ms and one.done_ms and one.done_ms + GRACE_MS < clue.begun_ms:
        return None
    if (compared := marks.compare(one.marks, clue.marks)) is None:
        return None
    conflicts, agreements = compared
    if conflicts and one.surely_sent_ms - GRACE_MS > clue.occurred_ms:
        return None
    has_begun = one.begun and clue.event_type in CATALOGUE[one.action].completion.started_by
    return Match((conflicts, one.gone, has_begun, _apart_ms(one, clue), -agreements, one.order), one, role)


def _effect_ms(one: Open, clue: Clue) -> int:
    """When a command had its effect, if the event is by it: a recording says when it began, and when it was ended."""
    return (clue.over_ms if is_stop(one.action) else clue.begun_ms) or clue.occurred_ms


def _apart_ms(one: Open, clue: Clue) -> int:
    if not clue.begun_ms or is_stop(one.action):
        return 0
    return apart_ms(one, clue.begun_ms)


def apart_ms(one: Open, at_ms: int) -> int:
    """How far a time lies from those at which the command may have been done."""
    return max(one.sent_ms - at_ms, at_ms - (one.done_ms or one.sent_ms), 0)


def _on_its_way(flight: Flight, clue: Clue) -> Match | None:
    ask = flight.ask
    if flight.answered or is_stop(ask.action) or clue.event_type not in telling_events(ask):
        return None
    began_ms = clue.begun_ms or clue.occurred_ms
    if flight.first_ms - GRACE_MS > began_ms or (compared := marks.compare(ask.marks, clue.marks)) is None:
        return None
    conflicts, agreements = compared
    return Match((conflicts, False, False, 0, -agreements, flight.order), flight, Role.ACCOMPANIES)
