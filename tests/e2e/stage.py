"""The stage for runs on many processes: three brokers, every role apart, the sandbox, the load, and all topics read."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Final, Self

from brokers import Cluster
from cordboard.client import Client
from cordboard.topics import Topics
from tests.e2e.apart import Pieces
from tests.e2e.checker import Sent, Violation
from tests.e2e.guards import LISTENER, Guards
from tests.e2e.load import Traffic
from tests.e2e.process import NOTHING
from tests.e2e.records import Records, in_order_of_acceptance
from tests.e2e.releases import sent_twice
from tests.e2e.story import keep, keep_records
from tests.e2e.straight import Producer
from tests.e2e.trial import GRPC, Summary, Trial

PARTITIONS: Final = 4
BROKERS: Final = 3
_WEBHOOK_ATTEMPTS_MAX: Final = 8  # Half a minute: longer than an ingress is frozen.
_CATCH_UP_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2


class Stage:
    """`async with` has everything up and calls coming and going; `conclude` lets it end, and judges."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        traffic: Traffic,
        tell: Callable[[str], None],
        more: Mapping[str, str] = NOTHING,
        *,
        guarded: bool = False,
    ) -> None:
        """`more` is in the environment of all pieces. `guarded`: nobody comes in without certificate, token, password.

        What looks at the topics, to judge, stays outside of that.
        """
        self.folder = folder
        self._guards = Guards(folder / "guards") if guarded else None
        self._more = {**(self._guards.environment if self._guards else NOTHING), **more}
        self.trial = Trial(seed, tell, _WEBHOOK_ATTEMPTS_MAX)
        self.topics = Topics(f"run-{uuid.uuid4().hex[:8]}")
        listeners = [self._guards.listener] if self._guards else []
        self.cluster = Cluster(folder / "kafka", nodes=BROKERS, listeners=listeners)
        self._traffic = traffic
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._set_up()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave nothing running."""
        if kind is not None:
            keep_records(self.folder, self.records)
        await self._stack.aclose()

    async def _set_up(self) -> None:
        enter = self._stack.enter_async_context
        self._stack.callback(self.cluster.leave)
        self._stack.callback(self.cluster.kill)
        await asyncio.to_thread(self.cluster.start)
        servers = self.cluster.bootstrap_servers
        trial = await enter(self.trial)
        sandbox = trial.sandbox
        way_in = self.cluster.servers_of(LISTENER) if self._guards else servers
        self.pieces = Pieces(
            self.folder, way_in, self.topics.prefix, sandbox.base_url, sandbox.public_key, more=self._more
        )
        await enter(self.pieces)
        target = self.pieces.target
        client = await enter(self._guards.client(target, GRPC) if self._guards else Client(target, options=GRPC))
        straight = await enter(Producer(servers, self.topics, PARTITIONS, Random(trial.seed)))
        self.records = Records(servers, self.topics, PARTITIONS)
        watching = asyncio.create_task(self.records.run(), name="the topics")
        await trial.begin(client, self.records, watching, self._traffic, self.pieces.webhook_url, straight)

    async def conclude(
        self,
        faults: Sequence[object],
        thaws: Sequence[float] = (),
        counted: str = "",
        excused: Sequence[str] = (),
    ) -> Summary:
        """Let everything come to its end without further faults, judge, and keep what shows what was wrong.

        `thaws` are moments (Unix seconds); `excused` is what the processes may complain of.
        """
        await self.trial.quiet_down()
        await self._read_all()
        accepted = self.records.commands()
        evidence = await self.trial.evidence(
            self._sent(),
            redelivers=True,
            thaws=thaws,
            set_aside=[
                line.headers.get("dlq.errors.reason", "") for line in self.records.by_topic[self.topics.dead_letters]
            ],
        )
        numbers = f"{len(accepted)} records of commands, {self.records.redelivered} events redelivered, {counted}"
        found = [*await self._stopped(excused), *sent_twice(self.records.by_topic[self.topics.outcomes])]
        summary = self.trial.verdict(evidence, len(faults), found, numbers)
        if summary.violations:
            keep(self.folder, summary, faults, self.records, evidence)
        return summary

    async def _read_all(self) -> None:
        """Wait until every record is read, whoever wrote it last."""
        async with asyncio.timeout(_CATCH_UP_SECONDS):
            while await self.records.behind():  # noqa: ASYNC110 - it is the brokers who know.
                await asyncio.sleep(_LOOK_SECONDS)

    def _sent(self) -> list[Sent]:
        """What was sent, in the order in which the log has it; what is not in it stands behind."""
        order = in_order_of_acceptance(self.records.commands(), self.records.told, PARTITIONS)
        place = {command_id: number for number, command_id in enumerate(order)}
        return sorted(self.trial.journal.sent(), key=lambda sent: place.get(sent.command_id, len(place)))

    async def _stopped(self, excused: Sequence[str]) -> list[Violation]:
        """After all that each piece still stops as it should, and never met what it had not expected."""
        found = []
        for piece in self.pieces:
            if not piece.ended and (status := await piece.stop()):
                found.append(Violation("did not stop well", f"{piece.name}: status {status}"))
            found += [Violation("complained", f"{piece.name}: {line}") for line in piece.complaints(excused)]
        return found
