"""Saying a thing seldom."""

from __future__ import annotations

from cordboard.seldom import Seldom


class Clock:
    """A clock that is set by hand."""

    time_ms = 0

    def now_ms(self) -> int:
        return self.time_ms


def test_each_thing_is_said_once_a_minute():
    """
    A flood of refusals is one line, and what is still wrong a minute later is said again.
    """
    clock = Clock()
    seldom = Seldom(clock)

    assert [seldom.now("a"), seldom.now("a"), seldom.now("b")] == [True, False, True]
    clock.time_ms = 59_999
    assert not seldom.now("a")
    clock.time_ms = 60_000
    assert seldom.now("a")


def test_what_was_said_takes_bounded_room():
    """
    Names from outside cannot fill the memory.
    """
    seldom = Seldom(Clock())
    for name in range(1001):
        seldom.now(name)

    assert seldom.now(0)
    assert not seldom.now(1000)
