"""The parts behind every door, put together: one reader of results, one table of who waits, one intake."""

from __future__ import annotations

from collections.abc import Callable

from cordboard.clock import Clock
from cordboard.log.port import Log
from cordboard.orders import NO_ORDERS, Orders
from cordboard.tail import Tail
from cordboard.topics import Topics
from cordboard.tracing.port import Tracer
from dispatcher.acceptance.execute import Executor
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.judging import Judge
from dispatcher.acceptance.waiting import Waiters
from dispatcher.accounts import Accounts
from dispatcher.finding import Finder


class Acceptance:
    """Takes commands for all doors of one process. `finder` knows pages, wherever they are.

    Each door starts it before it opens and stops it after it has closed: it hears results from the first to the last.
    """

    def __init__(
        self,
        log: Log,
        topics: Topics,
        accounts: Accounts,
        clock: Clock,
        finder: Finder,
        tracer: Tracer | None = None,
        orders: Callable[[], Orders] = lambda: NO_ORDERS,
    ) -> None:
        self.waiters = Waiters()
        self._doors = 0
        self._tail = Tail(log, topics.results, self.waiters.hear)
        judge = Judge(topics, accounts, finder)
        self.intake = Intake(log, topics, accounts, clock, judge.knows, tracer, orders)
        self.executor = Executor(self.intake, self.waiters, judge)

    async def start(self) -> None:
        """Hear results from now on. Raises LogError."""
        self._doors += 1
        if self._doors == 1:
            await self._tail.start()

    async def stop(self) -> None:
        """Hear nothing any more, when this was the last door."""
        self._doors = max(self._doors - 1, 0)
        if not self._doors:
            await self._tail.stop()

    @property
    def hears_results(self) -> bool:
        """Whether the results topic is followed: for readiness."""
        return self._tail.healthy
