"""Who holds what in a group, as its coordinator tells it. A member's name travels behind its client id."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import GroupCoordinatorNotAvailableError

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.troubles import asking
from cordboard.log.port import LogUnavailable

ASK_SECONDS: Final = 5.0
_SIGN: Final = "@"
_SPREAD: Final = "Stable"  # In all other states partitions are on the move.


def named(client_id: str, name: str) -> str:
    """The client id of a member that has a name."""
    return f"{client_id}{_SIGN}{name}" if name else client_id


class Memberships:
    """Asks groups' coordinators."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._admin: AIOKafkaAdminClient | None = None
        self._starting = asyncio.Lock()

    async def holders(self, group: str, topic: str) -> dict[int, str]:
        """See the port. Raises LogUnavailable."""
        try:
            with asking(f"asking who holds what in group {group}"):
                async with asyncio.timeout(ASK_SECONDS):
                    admin = await self._started()
                    [told] = await admin.describe_consumer_groups([group])
        except LogUnavailable as error:
            await self.close()  # The next question finds its way anew.
            if isinstance(error.__cause__, GroupCoordinatorNotAvailableError):
                return {}  # Nobody has ever joined any group, or groups are on the move themselves.
            raise
        held: dict[int, str] = {}
        for _, _, state, _, _, members, *_ in told.groups:
            if state == _SPREAD:
                for member in members:
                    held |= _held_by(member, topic)
        return held

    async def close(self) -> None:
        """Ask nothing more."""
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()

    async def _started(self) -> AIOKafkaAdminClient:
        async with self._starting:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**self._connection.arguments(), request_timeout_ms=int(ASK_SECONDS * 1000))
                try:
                    await admin.start()
                except BaseException:
                    await admin.close()
                    raise
                self._admin = admin
        return self._admin


def _held_by(member: Any, topic: str) -> dict[int, str]:
    _, client_id, _, _, assignment, *_ = member
    _, sign, name = client_id.partition(_SIGN)
    if not sign or not assignment:
        return {}
    places = ConsumerProtocolMemberAssignment.decode(assignment).partitions()
    return {place.partition: name for place in places if place.topic == topic}
