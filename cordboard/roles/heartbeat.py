"""The heartbeat of a process: what it is, does and misses, said every few seconds for whoever asks (presence.py).

It begins when the log is open, before anything is served, so that a long restore is seen; and it ends with a word of
leaving. A word that cannot be written is left out: the next one tells the same.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Collection, Mapping
from typing import Final

import structlog
from prometheus_client import CollectorRegistry

from cordboard.build import VERSION
from cordboard.clock import Clock
from cordboard.liveness import Liveness, Standing
from cordboard.log.port import Appending, LogError
from cordboard.operations import Check, Remark, asked
from cordboard.presence import EVERY_SECONDS, LaneWord, PartitionWord, PoolWord, Presence, record_of
from cordboard.roles.hands import Workers
from dispatcher.dispatcher import Dispatcher

_log: Final = structlog.get_logger(__name__)
_CHECK_SECONDS_MAX: Final = 2.0
_LAST_WORD_SECONDS: Final = 1.0  # The group tells the same, later.
Place = tuple[tuple[str, ...], int]


class Heartbeat:
    """Says what this process is, from `start` to `stop`. What it is told of as the process starts, it tells."""

    def __init__(
        self,
        roles: Collection[str],
        topic: str,
        checks: Mapping[str, Check],
        clock: Clock,
        rng: random.Random,
        registry: CollectorRegistry,
    ) -> None:
        self._roles = tuple(sorted(roles))
        self._topic = topic
        self._checks = checks
        self._clock = clock
        self._registry = registry
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._name = f"{self._host}/{self._pid}-{rng.getrandbits(32):08x}"
        self._started_ms = clock.now_ms()
        self._log: Appending | None = None
        self._beating: asyncio.Task[None] | None = None
        self._is_heard = True
        self.address = ""
        self.dispatcher: Dispatcher | None = None
        self.workers: Workers | None = None
        self.looks: list[Liveness] = []

    async def start(self, log: Appending) -> None:
        """Begin to speak."""
        self._log = log
        self._beating = asyncio.create_task(self._beat(), name="heartbeat")

    async def stop(self) -> None:
        """Say that the process leaves, and nothing more."""
        if self._beating is None:
            return
        self._beating.cancel()
        await asyncio.wait((self._beating,))
        try:
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                await self._say(leaving=True)
        except TimeoutError:
            pass

    async def word(self, *, leaving: bool = False) -> Presence:
        """What there is to say now."""
        answers = await asked(self._checks, _CHECK_SECONDS_MAX)
        said = [(name, answer) for name, answer in sorted(answers.items()) if answer is not None]
        return Presence(
            name=self._name,
            host=self._host,
            pid=self._pid,
            version=VERSION,
            roles=self._roles,
            started_ms=self._started_ms,
            every_ms=round(EVERY_SECONDS * 1000),
            address=self.address,
            leaving=leaving,
            troubles=tuple((name, answer) for name, answer in said if not isinstance(answer, Remark)),
            remarks=tuple((name, str(answer)) for name, answer in said if isinstance(answer, Remark)),
            partitions=() if leaving else self._partitions(),
            lanes=() if leaving else self._lanes(),
            pools=() if leaving else self._pools(),
        )

    async def _beat(self) -> None:
        while True:
            await self._say()
            await asyncio.sleep(EVERY_SECONDS)

    async def _say(self, *, leaving: bool = False) -> None:
        if self._log is None:
            return
        try:
            await self._log.append([record_of(self._topic, await self.word(leaving=leaving))])
            self._is_heard = True
        except LogError as error:
            if self._is_heard:  # Once, until it is heard again: readiness tells what is wrong with the log.
                _log.warning("cordboard status does not hear of this process", topic=self._topic, why=str(error))
            self._is_heard = False

    def _found(self) -> dict[Place, Standing]:
        return {(one.post.holder, one.post.partition): one for look in self.looks for one in look.found}

    def _partitions(self) -> tuple[PartitionWord, ...]:
        if self.dispatcher is None:
            return ()
        found = self._found()
        return tuple(
            self._partition(number, pages, found.get(((), number)))
            for number, pages in sorted(self.dispatcher.holdings.items())
        )

    def _partition(self, number: int, pages: int, found: Standing | None) -> PartitionWord:
        if self.dispatcher is not None and number in self.dispatcher.broken:
            return PartitionWord(number, "broken", pages)
        if self.dispatcher is not None and number in self.dispatcher.restoring:
            return PartitionWord(number, "restoring", pages, self._restored(number))
        if found is None:
            return PartitionWord(number, "served", pages)
        return PartitionWord(number, "served", pages, None, sum(found.lags.values()), found.stalled_seconds)

    def _restored(self, number: int) -> float | None:
        """As the log's own gauge has it, where the log is one that takes its time."""
        return self._registry.get_sample_value("cordboard_kafka_restore_ratio", {"partition": str(number)})

    def _lanes(self) -> tuple[LaneWord, ...]:
        if self.workers is None:
            return ()
        found, held = self._found(), self.workers.held
        words: list[LaneWord] = []
        for (pool, lane), load in sorted(self.workers.loads.items()):
            numbers = held.get((pool, lane), ())
            looked = [one for number in numbers if (one := found.get(((pool, lane), number))) is not None]
            lag = sum(sum(one.lags.values()) for one in looked) if looked or not numbers else None
            stalled = max((one.stalled_seconds for one in looked), default=0.0)
            words.append(LaneWord(pool, lane, numbers, load.in_flight, load.room, lag, stalled))
        return tuple(words)

    def _pools(self) -> tuple[PoolWord, ...]:
        if self.workers is None:
            return ()
        return tuple(PoolWord(pool, is_open) for pool, is_open in sorted(self.workers.breakers.items()))
