"""What is due when, in order, and cancelled in time."""

import random

from sandbox.core.timers import Timers


def fired(timers: Timers, now: float) -> list[float]:
    moments = []
    while due := timers.pop_due(now):
        moments.append(due[0])
        due[1]()
    return moments


def test_the_soonest_comes_first():
    """
    Whatever the order in which timers were set; equal moments keep that order.
    """
    timers, said = Timers(), []
    for due, name in ((2, "b"), (1, "a"), (2, "c")):
        timers.at(due, lambda name=name: said.append(name))

    assert fired(timers, 1.9) == [1]
    assert timers.next_due() == 2
    assert fired(timers, 2) == [2, 2]
    assert said == ["a", "b", "c"]
    assert timers.next_due() is None


def test_a_cancelled_timer_does_not_fire():
    """
    Cancelling twice, after firing, or nothing at all is fine.
    """
    timers = Timers()
    first, second = timers.at(1, lambda: None), timers.at(2, lambda: None)
    timers.cancel(first)
    timers.cancel(first)
    timers.cancel(None)

    assert timers.next_due() == 2
    assert fired(timers, 9) == [2]
    timers.cancel(second)
    assert len(timers) == 0


def test_cancelled_timers_do_not_pile_up():
    """
    Time limits of hours on calls of seconds leave nothing behind.
    """
    timers = Timers()
    for _ in range(10_000):
        timers.cancel(timers.at(14_400, lambda: None))

    assert len(timers._heap) < 1_000


def test_against_a_dumb_twin():
    """
    A heap with cancelling agrees with sorting a list.
    """
    rng = random.Random(5)
    timers = Timers()
    twin: list[tuple[float, object]] = []
    for now in range(500):
        for _ in range(rng.randrange(4)):
            due = now + rng.randrange(40)
            twin.append((due, timers.at(due, lambda: None)))
        for entry in rng.sample(twin, len(twin) // 3):
            twin.remove(entry)
            timers.cancel(entry[1])
        expected = sorted(due for due, _ in twin if due <= now)
        twin = [(due, timer) for due, timer in twin if due > now]

        assert fired(timers, now) == expected
        assert len(timers) == len(twin)
