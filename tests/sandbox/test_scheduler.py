"""Sandbox time on an event loop: its pace, and the calendar beside it."""

import asyncio

import pytest

from sandbox.scheduler import LoopScheduler


class Loop:
    """An event loop's clock that the test moves."""

    def __init__(self, monkeypatch) -> None:
        self.seconds = 100.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.seconds)


async def test_time_passes_as_fast_as_it_is_told(monkeypatch):
    """
    Sandbox time is scaled, real time is not, and a change of speed moves neither backwards nor forwards.
    """
    loop = Loop(monkeypatch)
    scheduler = LoopScheduler(speed=10, clock=lambda: 5_000 + loop.seconds)
    loop.seconds += 2
    assert (scheduler.now(), scheduler.elapsed(), scheduler.unix()) == (20, 2, 5_102)

    scheduler.set_speed(100)
    assert scheduler.now() == 20
    loop.seconds += 1
    assert (scheduler.now(), scheduler.elapsed()) == (120, 3)


async def test_moments_have_a_date(monkeypatch):
    """
    A moment of sandbox time lies where real time was then, so that what is told is never in the future.
    """
    loop = Loop(monkeypatch)
    scheduler = LoopScheduler(speed=10, clock=lambda: 5_000 + loop.seconds)
    loop.seconds += 4

    assert scheduler.unix_at(scheduler.now()) == pytest.approx(scheduler.unix())
    assert scheduler.unix_at(0) == 5_100


async def test_waking_is_scaled():
    """
    An hour of sandbox time at a high speed is over at once.
    """
    woken = asyncio.Event()
    scheduler = LoopScheduler(speed=1_000_000)
    scheduler.wake_at(scheduler.now() + 3_600, woken.set)

    await woken.wait()
    assert scheduler.now() >= 3_600
