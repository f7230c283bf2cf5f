"""Chaos: the whole of Cordboard killed at random moments under load, again and again, and then held to its promises.

    python -m tests.e2e.chaos --kills 200 --seed 1

The sandbox and the clients live here and survive; Cordboard is another process, which is killed as `kill -9` does. When
it is killed depends on the seed, and on what was counted since its last start: acknowledged commands, requests that
reached the sandbox, results, events. Some are killed while they still start. Nobody waits for quiet in between.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from cordboard.client import Client
from tests.e2e.checker import Violation
from tests.e2e.keeping import in_rounds, say
from tests.e2e.load import Traffic, few
from tests.e2e.observer import Observer, until
from tests.e2e.process import Cordboard
from tests.e2e.trial import GRPC, Summary, Trial, losses

KILLS_PER_ROUND: Final = 25
_TRAFFIC: Final = Traffic(6.0, few)
_COUNT_MAX: Final = 80
_STUCK_SECONDS: Final = 90.0
_CATCH_UP_SECONDS: Final = 60.0


class Run:
    """One run on one directory: `async with`, then `rage`, then `conclude`."""

    def __init__(
        self, directory: Path, seed: int, tell: Callable[[str], None], make: Callable[..., Cordboard] = Cordboard
    ) -> None:
        self._make = make
        self._directory = directory
        self._trial = Trial(seed, tell)
        self._stack = AsyncExitStack()
        self._kills = 0

    async def __aenter__(self) -> Self:
        """Start the sandbox and Cordboard, and begin to watch and to call."""
        began = asyncio.get_running_loop().time()
        trial = await self._stack.enter_async_context(self._trial)
        self.cordboard = self._make(self._directory, trial.sandbox.base_url, trial.sandbox.public_key)
        self._stack.callback(self.cordboard.abandon)
        self._client = await self._stack.enter_async_context(Client(self.cordboard.target, options=GRPC))
        self.cordboard.start()
        self._observer = Observer(self._client)
        await self._observer.take_place()
        self._start_seconds = asyncio.get_running_loop().time() - began
        await trial.put_faults(losses(trial.seed))
        watching = asyncio.create_task(self._observer.run())
        await trial.begin(self._client, self._observer, watching, _TRAFFIC, self.cordboard.webhook_url)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing running."""
        await self._stack.aclose()

    async def rage(self, kills: int) -> None:
        """Kill it so many times, and let it come back each time."""
        for _ in range(kills):
            moment = await self._moment()
            self.cordboard.kill()
            self._kills += 1
            self._trial.tell(f"kill {self._kills}/{kills} {moment}")
            self.cordboard.start()

    async def conclude(self) -> Summary:
        """Let everything come to its end without further faults, and judge."""
        await self._trial.quiet_down()
        evidence = await self._trial.evidence()
        return self._trial.verdict(evidence, self._kills, [*await self._second_look(), *await self._stopped()])

    async def _moment(self) -> str:
        """Return when it is time for the next kill; says when that is."""
        rng = self._trial.rng
        what = rng.choice((*self._counts(), "start"))
        if what == "start":
            seconds = rng.uniform(0.3, 1.0) * self._start_seconds
            await asyncio.sleep(seconds)
            return f"{seconds:.2f} s after its start"
        more, before = rng.randint(1, _COUNT_MAX), self._counts()[what]
        if not await until(lambda: self._counts()[what] >= before + more, _STUCK_SECONDS, 0.001):
            raise AssertionError(f"no {more} {what} in {_STUCK_SECONDS} s: {self.cordboard.last_words()}")
        return f"after {more} {what}"

    def _counts(self) -> dict[str, int]:
        self.cordboard.check()
        return self._trial.counts()

    async def _second_look(self) -> list[Violation]:
        """A watch that begins where the first one began sees the same, neither more nor less."""
        second = Observer(self._client, self._observer.first_cursor)
        looking = asyncio.create_task(second.run())
        await until(lambda: second.items >= self._observer.items, _CATCH_UP_SECONDS)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        missed, more = second.items - self._observer.items, self._observer.items - second.items
        found = [Violation("missed by the watch", repr(item)) for item in missed]
        return [*found, *(Violation("not in the log", repr(item)) for item in more)]

    async def _stopped(self) -> list[Violation]:
        """After all that it still stops as it should, and never met what it had not expected."""
        status = await self.cordboard.stop()
        found = [Violation("complained", line) for line in self.cordboard.complaints()]
        return [Violation("did not stop well", f"status {status}"), *found] if status else found


async def chaos(directory: Path, seed: int, kills: int, tell: Callable[[str], None]) -> Summary:
    """Rage and conclude. Raises where the run could not be brought to its end."""
    async with Run(directory, seed, tell) as run:
        await run.rage(kills)
        return await run.conclude()


def main() -> int:
    """Rounds until there were so many kills; a line for each. The exit status is 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description="Kill Cordboard under load, and hold it to its promises.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()

    def one(directory: Path, seed: int, kills: int) -> Summary:
        return asyncio.run(chaos(directory, seed, kills, say))

    return in_rounds("embedded", one, wanted.seed, wanted.kills, KILLS_PER_ROUND)


if __name__ == "__main__":
    sys.exit(main())
