"""Health by grpc.health.v1: the whole process, the service, and one name each for an orchestrator's two questions.

`liveness` says that this process answers, and nothing more. `readiness` follows what the process says of itself, asked
once a second. The others end when the stop begins, so that nobody sends anything new here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from cordboard.v1 import dispatcher_service_pb2

SERVICE: Final = dispatcher_service_pb2.DESCRIPTOR.services_by_name["DispatcherService"].full_name
LIVENESS: Final = "liveness"
READINESS: Final = "readiness"
ASK_SECONDS: Final = 1.0
SET_SECONDS: Final = 0.3
Ready = Callable[[], Awaitable[bool]]

_log = structlog.get_logger(__name__)
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING


class Health:
    """Answers for the process. `ready` says whether work should be sent here."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self._servicer = health.aio.HealthServicer()
        self._task: asyncio.Task[None] | None = None

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """The door is open."""
        for name in ("", SERVICE, LIVENESS):
            await self._set(name, _SERVING)
        await self._ask()
        self._task = asyncio.create_task(self._keep_asking(), name="readiness")

    async def stop(self) -> None:
        """The door is closing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for name in (READINESS, SERVICE, ""):
            await self._set(name, _NOT_SERVING)

    async def _set(self, name: str, status: int) -> None:
        """The servicer writes to all who watch before it goes on, and one that does not read must hold up nobody."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SET_SECONDS):
                await self._servicer.set(name, status)

    async def _ask(self) -> None:
        try:
            ready = await self._ready()
        except Exception:  # Whatever it meets, it is not ready; and it is asked again.
            _log.exception("readiness could not be told")
            ready = False
        await self._set(READINESS, _SERVING if ready else _NOT_SERVING)

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(ASK_SECONDS)
            await self._ask()
