"""Cordboard on Kafka, each role a process of its own, beside the SDK; then more workers, and a ledger to restore."""

from __future__ import annotations

import base64
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import processes, report, restore
from bench.cells import KAFKA_EXECUTE, WEBHOOKS, Place
from bench.measuring import Measuring, say
from bench.plan import ON_KAFKA, WORKERS, Kind
from bench.truth import Sandbox
from bench.webhook_sender import HandedOn
from cordboard.work import Lane
from tests.e2e.apart import Pieces, ready, until
from tests.e2e.process import ACCOUNT

_WARMING: Final = Kind(KAFKA_EXECUTE, 64, 0)
_ONE_OF_EACH: Final = ("dispatcher-1", "worker-1", "ingress")


class OnKafka:
    """Everything that runs, from `async with` on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = AsyncExitStack()
        self.prefix = f"bench-{os.getpid()}"
        self._key = Ed25519PrivateKey.generate()

    async def __aenter__(self) -> OnKafka:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        enter = self._stack.enter_async_context
        self.servers, self._broker = await enter(processes.broker(self._folder / "broker"))
        self._api, self._sandbox_pid = await enter(processes.sandbox())
        public_key = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        pieces = Pieces(self._folder, self.servers, self.prefix, f"{self._api}/v2", public_key, _ONE_OF_EACH)
        self._pieces = await enter(pieces)
        await self._until_spread(1)
        self._handed_on = await enter(HandedOn(self.servers, self.prefix))
        self._sandbox = await enter(Sandbox(self._api))

    def measuring(self) -> Measuring:
        """Measure on what runs now."""
        return Measuring(self._place(), self._folder, self._sandbox, {WEBHOOKS: self._handed_on})

    async def have_workers(self, count: int) -> None:
        """Have so many workers, each with its share of the partitions."""
        workers = sum(piece.name.startswith("worker") for piece in self._pieces)
        for more in [self._pieces.another("worker") for _ in range(count - workers)]:
            more.start()
            await ready(more)
        await self._until_spread(count)

    def _place(self) -> Place:
        pids = {piece.name: piece.pid for piece in self._pieces}
        return Place(
            api_url=f"{self._api}/v2",
            grpc_target=self._pieces["dispatcher-1"].places["grpc"],
            pids={**pids, **self._broker, "sandbox": self._sandbox_pid},
            kafka_servers=self.servers,
            topic_prefix=self.prefix,
            webhook_url=self._pieces.webhook_url,
            signing_key=base64.b64encode(self._key.private_bytes_raw()).decode(),
        )

    async def _until_spread(self, workers: int) -> None:
        """Return when every lane's partitions are spread over so many workers."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            for lane in Lane:
                group = f"{self.prefix}.worker.{ACCOUNT}.{lane.value}"
                await until(partial(_is_spread, admin, group, workers), f"{workers} workers in {group}")
        finally:
            await admin.close()


async def _is_spread(admin: AIOKafkaAdminClient, group: str, members: int) -> bool:
    [told] = await admin.describe_consumer_groups([group])
    return all(state == "Stable" and len(found) == members for _, _, state, _, _, found, *_ in told.groups)


async def run(folder: Path, rounds: int, restored_pages: int, warm_ups: int) -> dict[str, Any]:
    """Measure in `folder`; `restored_pages` 0 restores none.

    Before that come `warm_ups`: until Java has compiled what the broker runs, that takes as much CPU as all the rest
    of it.
    """
    async with OnKafka(folder) as kafka:
        async with kafka.measuring() as measuring:
            await measuring.warm_up(_WARMING, warm_ups)
            rows = await measuring.measure(ON_KAFKA, rounds)
        failures = measuring.failures
        told: dict[str, Any] = {"ratios": report.kafka_ratios(measuring.measured)}
        for kind in WORKERS:
            await kafka.have_workers(kind.workers)
            async with kafka.measuring() as more:
                rows += await more.measure([kind], rounds)
            failures += more.failures
        if restored_pages:
            say(f"{restored_pages} pages to be restored")
            told["restore"] = await restore.weigh(kafka.servers, kafka.prefix, restored_pages)
    return {"rows": rows, **told, "failures": failures}
