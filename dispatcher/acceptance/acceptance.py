"""The parts behind every door, put together: one reader of results, one table of who waits, one intake."""

from __future__ import annotations

from cordboard.clock import Clock
from cordboard.log.port import Log
from cordboard.topics import Topics
from dispatcher.acceptance.execute import Executor
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.judging import Judge
from dispatcher.acceptance.tail import Tail
from dispatcher.acceptance.waiting import Waiters
from dispatcher.accounts import Accounts
from dispatcher.finding import Finder


class Acceptance:
    """Takes commands for all doors of one process. `finder` knows pages, wherever they are.

    Started before the first door opens, stopped after the last one has closed.
    """

    def __init__(self, log: Log, topics: Topics, accounts: Accounts, clock: Clock, finder: Finder) -> None:
        self.waiters = Waiters()
        self._tail = Tail(log, topics.results, self.waiters.hear)
        judge = Judge(topics, accounts, finder)
        self.intake = Intake(log, topics, accounts, clock, judge.knows)
        self.executor = Executor(self.intake, self.waiters, judge)

    async def start(self) -> None:
        """Hear results from now on. Raises LogError."""
        await self._tail.start()

    async def stop(self) -> None:
        """Hear nothing any more."""
        await self._tail.stop()

    @property
    def hears_results(self) -> bool:
        """Whether the results topic is followed: for readiness."""
        return self._tail.healthy
