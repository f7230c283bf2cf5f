"""Rules of the design taken away, and bugs put into the product: the checker sees each one, and nothing else."""

from __future__ import annotations

import pytest

from dispatcher.core import line
from simulation.flaws import FLAWS, MUTATIONS, flawed
from simulation.hunting import hunt
from simulation.mutation import Change, Mutation, instead, mutation
from simulation.running import attempt
from simulation.scenes import plan_of
from simulation.world import happen

# Where the hunt begins, so that it is short: a seed that was seen to catch it.
SEEN_AT = {
    "no-fencing": 59,
    "no-contiguity": 69,
    "neither-fence": 69,
    "nothing-owed": 3,
    "positions-first": 16,
    "outputs-first": 3,
    "commits-unfenced": 2,
    "no-reservation": 2,
    "unsynced": 1,
    "torn": 6,
    "long-window": 173,
    "short-silence": 2,
    "uncontested": 188,
    "deaf-to-late-words": 31,
    "late-is-no": 32,
    "dial-again": 10,
    "impatient-line": 0,
    "full-at-the-end": 5,
    "open-to-the-dead": 0,
    "one-hangup": 21,
    "mortal-hangup": 21,
    "patient-hangup": 34,
    "polite-now": 5,
    "whatever-became": 12,
    "no-numbers": 6,
    "no-memory": 0,
    "blind-to-pending": 2,
    "same-is-same": 4,
    "cancelled-in-name": 6,
    "every-event-new": 7,
    "deaf-dial": 0,
    "last-word": 32,
    "any-time": 98,
    "completed-and-kept": 0,
    "first-success": 157,
    "deaf-to-90018": 0,
    "ended-by-the-other": 6,
    "never-again": 10,
    "never-proven": 5,
    "events-prove-nothing": 5,
    "revived": 2,
    "over-by-any-no": 0,
    "other-bytes": 2,
    "all-alike": 4,
    "loops-forgotten": 126,
    "never-cleared": 31,
    "stops-what-comes": 53,
    "prompts-are-nobodys": 493,
    "last-attempt-counts": 25,
    "mortal-record-stop": 5,
    "shared-recording": 0,
    "impatient-alias": 37,
    "twice-by-name": 0,
    "nameless-calls": 0,
    "ended-by-its-leg": 8,
    "forgetful-session": 64,
    "deaf-to-legs": 12,
    "never-asks": 0,
    "deaf-to-answers": 0,
    "ringing-is-over": 27,
    "asks-again": 95,
    "late-in-use": 5,
    "late-rings-on": 80,
    "never-late": 4,
    "heedless-timers": 104,
    "early-timers": 0,
    "settled-anyway": 3,
    "no-timers-restored": 11,
    "position-off-by-one": 3,
    "applied-off-by-one": 0,
    "at-home-everywhere": 9,
    "pages-first": 59,
    "accepted-anyway": 9,
    "refused-anyway": 738,
    "watch-from-now": 1,
    "no-signatures": 0,
    "kept-before-written": 1,
    "answered-before-written": 1,
    "spinning-owner": 6,
    "no-not-after": 32,
    "no-expiry": 16,
    "no-reading-back": 10,
    "short-memory": 10,
    "copies-count": 10,
    "no-commit": 1,
    "sent-then-reserved": 2,
    "reserved-off-by-one": 1,
    "given-back-off-by-one": 2,
    "dial-resent": 22,
    "5xx-is-no": 0,
    "4xx-is-no": 188,
    "broken-is-unsent": 11,
    "silence-is-unsent": 2,
    "doubt-forgotten": 2,
    "no-resend": 0,
    "paced-hangups": 20,
    "one-hangup-at-a-time": 114,
    "one-pair-of-hands": 40,
    "rest": 0,
    "tidied-bodies": 0,
    "unsigned-events": 0,
    "undated-events": 0,
    "nameless-events": 0,
    "a-second-is-old": 5,
    "narrow-line": 0,
    "never-enough": 2,
    "nobody-asked": 3,
    "unsent-is-refused": 5,
    "no-groups": 0,
    "nameless-legs": 0,
    "always-200": 0,
    "silent-completions": 0,
    "rung-is-answered": 2,
    "unwatched-completions": 0,
    "open-gates": 5,
    "cancel-nothing": 5,
    "next-is-last": 0,
    "gap-at-once": 25,
    "gap-for-good": 6,
    "no-hold": 0,
    "full-for-hangups": 49,
    "endless-line": 49,
    "posted-once": 1,
    "posted-at-once": 1,
    "posted-in-one-line": 9,
    "posted-too-far": 8,
    "unsigned-posts": 1,
    "forgetful-spool": 6,
    "hasty-spool": 174,
    "swept-spool": 6,
    "no-spool": 6,
    "pause-of-all": 18,
    "pause-unsent": 459,
    "pause-unheeded": 145,
    "pause-of-hangups": 171,
    "group-forgotten": 345,
    "group-unseen": 345,
    "slots-for-all": 110,
    "slot-back-at-once": 110,
    "credit-for-all": 18,
}
HARMLESS = mutation("harmless", "nothing is other than it was", Change(line, "release", lambda original: original))


@pytest.mark.parametrize("name", FLAWS)
def test_no_flaw_goes_unseen(name: str) -> None:
    """
    With the flaw a promise is broken, within a few hundred histories from where it was seen.
    """
    caught = hunt(name, first=SEEN_AT[name], seeds=300)

    assert caught.seed is not None


def test_there_are_bugs_of_every_part() -> None:
    """
    The core, what is around it, and the workers each have their share.
    """
    assert len(MUTATIONS) >= 32
    assert {mutation.name for mutation in MUTATIONS} <= FLAWS.keys() == SEEN_AT.keys()


@pytest.mark.parametrize("seed", [*range(0, 200, 20)])
def test_a_bug_that_changes_nothing_is_not_seen(seed: int) -> None:
    """
    What the hunt sees is the bug's doing, not the planting's.
    """
    assert attempt(seed, HARMLESS).violations == []


def test_a_bug_that_changes_nothing_changes_nothing() -> None:
    """
    The history is the same one, byte for byte.
    """
    whole = happen(plan_of(3)).digest

    with flawed(HARMLESS) as broken:
        assert happen(plan_of(3), broken).digest == whole


@pytest.mark.parametrize("bug", MUTATIONS, ids=lambda bug: bug.name)
def test_the_product_is_whole_afterwards(bug: Mutation) -> None:
    """
    What was changed is what it was, also where the history broke off; while it lasts it is something else.
    """
    before = [getattr(change.owner, change.name) for change in bug.changes]

    with flawed(bug):
        during = [getattr(change.owner, change.name) for change in bug.changes]
    with pytest.raises(RuntimeError), flawed(bug):
        raise RuntimeError

    assert all(one is not other for one, other in zip(before, during, strict=True))
    assert [getattr(change.owner, change.name) for change in bug.changes] == before


def test_a_bug_in_what_is_not_there_is_refused() -> None:
    """
    A function that was renamed leaves no bug that is planted nowhere.
    """
    gone = mutation("gone", "a function that is no more", instead(line, "no_such_function", None))

    with pytest.raises(AttributeError, match="no_such_function"), gone.planted():
        pass
