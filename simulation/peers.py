"""The roads between dispatchers: questions about pages whose owner is another process, which may die over them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from random import Random

from dispatcher.rpc.channels import ANSWER_SECONDS_MAX, Unreachable
from simulation.doors import served
from simulation.process import Process
from simulation.senders import Broken


class PeerRoads:
    """The ways of one life to the others, by the names of their processes."""

    def __init__(self, processes: Sequence[Process], rng: Random) -> None:
        self._processes = {process.name: process for process in processes}
        self._rng = rng

    async def ask(self, name: str, question: bytes) -> bytes:
        """Bring a question to a process, and its answer back. Raises Unreachable."""
        await asyncio.sleep(self._rng.uniform(0.0005, 0.005))
        process = self._processes[name]
        brain, life = process.brain, process.life
        if brain is None or life is None:
            raise Unreachable(f"nobody listens at {name}")
        try:
            answer: bytes = await served(life, lambda: brain.answering.answer(question), ANSWER_SECONDS_MAX)
        except (Broken, TimeoutError) as error:
            raise Unreachable(f"{name} does not answer") from error
        return answer

    def keep(self, names: Collection[str]) -> None:
        """No road is closed."""
