"""Where the copies of the topics are: who leads a partition, and whether all are in sync."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

PATIENCE_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.2


class Replicas:
    """Asks the cluster, anew each time: whom it asked last may be away."""

    def __init__(self, servers: str) -> None:
        self._servers = servers

    async def leader(self, topic: str, partition: int) -> int:
        """The number of the broker that leads a partition. Raises TimeoutError where none does for long."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for one in await self._partitions():
                    if one["topic"] == topic and one["partition"] == partition and one["leader"] >= 0:
                        return int(one["leader"])
                await asyncio.sleep(_LOOK_SECONDS)

    async def in_sync(self) -> None:
        """Return when every copy of every partition is in sync and has a leader. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self._are_in_sync():  # noqa: ASYNC110 - it is the brokers who know.
                await asyncio.sleep(_LOOK_SECONDS)

    async def _are_in_sync(self) -> bool:
        partitions = await self._partitions()
        return bool(partitions) and all(
            one["leader"] >= 0 and len(one["isr"]) == len(one["replicas"]) for one in partitions
        )

    async def _partitions(self) -> list[dict[str, Any]]:
        """All partitions of all topics; none where nobody answers."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=5_000)
        try:
            await admin.start()
            topics = await admin.describe_topics()
            return [part | {"topic": topic["topic"]} for topic in topics for part in topic["partitions"]]
        except (KafkaError, OSError, TimeoutError):
            return []
        finally:
            await admin.close()
