"""Questions to the cluster as a whole, asked again while a broker is away.

aiokafka's admin asks whichever broker it happens on, and does not try a second one: where one of three has just died,
most of what takes more than one question fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.reach import reach
from cordboard.log.kafka.troubles import asking
from cordboard.log.port import LogUnavailable

_ASK_MS: Final = 10_000
# A broker that died is known as one of the cluster until its session is over, 9 s unless set otherwise.
_AWAY_SECONDS_MAX: Final = 20.0
_AGAIN_SECONDS: Final = 0.2

T = TypeVar("T")


async def asked(connection: Connection, ask: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
    """What `ask` gets from an admin client, which it may be given more than once.

    Raises LogUnavailable, NotLetIn; what `ask` raises of its own passes.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _AWAY_SECONDS_MAX
    while True:
        try:
            async with _admin(connection) as admin:
                return await ask(admin)
        except LogUnavailable as error:
            if not isinstance(error.__cause__, KafkaError) or loop.time() >= deadline:
                raise
        await asyncio.sleep(_AGAIN_SECONDS)


@asynccontextmanager
async def _admin(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    await reach(connection)
    admin: Any = AIOKafkaAdminClient(**connection.arguments(), request_timeout_ms=_ASK_MS)
    try:
        with asking("the cluster cannot be asked for its topics"):
            await admin.start()
            yield admin
    finally:
        await admin.close()
