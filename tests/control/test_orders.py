"""What the records of the control topic come to."""

from __future__ import annotations

from cordboard import orders
from cordboard.log.port import NewRecord, Record
from cordboard.orders import CANCEL_MEMORY_MS, NO_ORDERS, Orders

TOPIC = "t.control"


def told(*records: NewRecord, start_ms: int = 1_000) -> Orders:
    """The orders after these, one a millisecond."""
    now = NO_ORDERS
    for number, record in enumerate(records):
        now = now.after(Record(TOPIC, 0, number, start_ms + number, record.key, record.value))
    return now


def test_the_last_word_on_an_account_counts() -> None:
    """
    Paused, resumed, paused; others are not touched.
    """
    pause, resume = (orders.pause(TOPIC, "main", paused=paused) for paused in (True, False))

    assert told(pause).paused == {"main"}
    assert told(pause, resume).paused == frozenset()
    assert told(pause, resume, pause, orders.pause(TOPIC, "other", paused=True)).paused == {"main", "other"}


def test_what_was_given_before_the_one_in_force_is_void() -> None:
    """
    However late it is written: and what is in force can be said again.
    """
    early, resume = (orders.pause(TOPIC, "main", paused=one, given_ms=at) for one, at in ((True, 500), (False, 510)))
    late = told(resume, early)

    assert late.paused == frozenset()
    assert [(one.key, one.value) for one in late.restated(TOPIC)] == [(resume.key, resume.value)]
    assert told(resume, early, *late.restated(TOPIC)).void == frozenset()
    assert told(early, resume).void == frozenset()
    assert told(early, resume, orders.pause(TOPIC, "main", paused=True, given_ms=510)).paused == {"main"}


def test_an_order_is_given_after_all_that_are_known() -> None:
    """
    Also by a door whose clock is behind that of the one before.
    """
    known = told(orders.pause(TOPIC, "main", paused=True, given_ms=2_000))

    assert known.next_ms("main", 1_500) == 2_001
    assert known.next_ms("main", 2_500) == 2_500
    assert known.next_ms("other", 1_500) == 1_500


def test_only_a_resume_opens_what_a_restore_has_closed() -> None:
    """
    A pause is what a careful operator does next.
    """
    closed, paused, resumed = (
        orders.pause(TOPIC, "main", paused=True, closed=True),
        orders.pause(TOPIC, "main", paused=True),
        orders.pause(TOPIC, "main", paused=False),
    )

    assert told(closed, paused).closed == {"main"}
    assert told(closed, paused, resumed).closed == frozenset()


def test_a_record_that_was_deleted_resumes() -> None:
    """
    An operator's tombstone says the same as a resume.
    """
    assert told(orders.pause(TOPIC, "main", paused=True), NewRecord(TOPIC, b"pause/main", b"")).paused == frozenset()


def test_a_cancel_reaches_what_was_accepted_by_then() -> None:
    """
    Of its group and its account; a later one reaches further.
    """
    once = told(orders.cancel(TOPIC, "main", "spring"))

    assert once.cancels("main", "spring", 1_000)
    assert not once.cancels("main", "spring", 1_001)
    assert not once.cancels("other", "spring", 1_000)
    assert not once.cancels("main", "", 0)
    assert told(*[orders.cancel(TOPIC, "main", "spring")] * 2).cancels("main", "spring", 1_001)


def test_old_cancels_are_forgotten() -> None:
    """
    Nothing is left that they could reach, and the table of them stays small.
    """
    first = told(orders.cancel(TOPIC, "main", "old"))
    record = orders.cancel(TOPIC, "main", "new")
    later = first.after(Record(TOPIC, 0, 9, 1_000 + CANCEL_MEMORY_MS, record.key, record.value))

    assert list(later.cancelled) == [("main", "new")]


def test_what_nobody_understands_changes_nothing() -> None:
    """
    Another key, no JSON, no group: an order that cannot be read must not stop calls.
    """
    before = told(orders.pause(TOPIC, "main", paused=True))
    for key, value in ((b"guard/main", b"{}"), (b"pause/main", b"nonsense"), (b"cancel/main", b"{}"), (None, b"")):
        assert before.after(Record(TOPIC, 0, 7, 2_000, key, value)) == before


def test_an_account_is_closed_until_it_is_resumed() -> None:
    """
    It is paused, and takes nothing meanwhile; a pause alone closes nothing.
    """
    closed = orders.pause(TOPIC, "main", paused=True, closed=True)
    resumed = orders.pause(TOPIC, "main", paused=False)

    assert (told(closed).paused, told(closed).closed) == ({"main"}, {"main"})
    assert (told(closed, resumed).paused, told(closed, resumed).closed) == (frozenset(), frozenset())
    assert told(orders.pause(TOPIC, "main", paused=True)).closed == frozenset()


def test_what_was_taken_before_a_restore_is_lost() -> None:
    """
    As the log's own time has it; where nothing was restored, nothing is.
    """
    once = told(orders.restore(TOPIC, "from a backup of yesterday"))

    assert once.has_lost(1_000)
    assert not once.has_lost(1_001)
    assert not NO_ORDERS.has_lost(1)
