"""Virtual time, and processes that die and freeze in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from simulation.loop import Life, Stuck, VirtualLoop, bury, virtual_time


def in_virtual_time(work: Callable[[VirtualLoop], Coroutine[Any, Any, None]]) -> VirtualLoop:
    """Run something in a loop of its own."""
    with virtual_time() as loop:
        loop.run_until_complete(work(loop))
        return loop


def test_sleeping_takes_no_time_but_moves_the_clock() -> None:
    """
    A day passes at once, and exactly.
    """

    async def sleep(loop: VirtualLoop) -> None:
        await asyncio.sleep(86_400)
        assert loop.time() == 86_400

    in_virtual_time(sleep)


def test_a_wait_for_nothing_is_an_error() -> None:
    """
    What would hang for ever says so.
    """

    async def wait(loop: VirtualLoop) -> None:
        await loop.create_future()

    with pytest.raises(Stuck):
        in_virtual_time(wait)


async def count(seen: list[float]) -> None:
    """Note the time, every second; and say goodbye."""
    try:
        while True:
            await asyncio.sleep(1)
            seen.append(asyncio.get_running_loop().time())
    finally:
        seen.append(-1.0)


def test_the_dead_do_nothing_any_more() -> None:
    """
    A process that dies stops where it is: no cleanup runs, no exception is raised in it.
    """

    async def kill(loop: VirtualLoop) -> None:
        seen: list[float] = []
        life = Life(loop, "victim")
        life.start(count(seen))
        await asyncio.sleep(2.5)
        life.end()
        await asyncio.sleep(10)
        assert seen == [1.0, 2.0]
        bury([*life.tasks])

    in_virtual_time(kill)


def test_the_frozen_go_on_where_they_stood() -> None:
    """
    A process that freezes does nothing until it thaws, and then all that has come meanwhile.
    """

    async def freeze(loop: VirtualLoop) -> None:
        seen: list[float] = []
        life = Life(loop, "victim")
        life.start(count(seen))
        await asyncio.sleep(1.5)
        life.freeze()
        await asyncio.sleep(10)
        assert seen == [1.0]
        life.thaw()
        await asyncio.sleep(1.2)
        assert seen == [1.0, 11.5, 12.5]
        bury([*life.tasks])

    in_virtual_time(freeze)


def test_a_fuse_burns_between_any_two_callbacks() -> None:
    """
    A process can be made to die after so many more of its steps, though no time passes between them.
    """

    async def burn(loop: VirtualLoop) -> None:
        steps: list[int] = []

        async def step() -> None:
            for number in range(100):
                steps.append(number)
                await asyncio.sleep(0)

        life = Life(loop, "victim")
        life.set_fuse(7, life.end)
        life.start(step())
        await asyncio.sleep(1)
        assert len(steps) == 7
        bury([*life.tasks])

    in_virtual_time(burn)
