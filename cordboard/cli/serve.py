"""`cordboard serve`: every role in one process, by the settings of file and environment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Final

import structlog

from cordboard import journal
from cordboard.cli.exits import Status
from cordboard.cli.running import ready_file, sentences, unless
from cordboard.clock import Clock
from cordboard.roles.desk import Desk
from cordboard.roles.listening import address
from cordboard.settings import Settings, secrets_of

_log: Final = structlog.get_logger(__name__)


async def serve(
    settings: Settings, stopping: asyncio.Event, clock: Clock, rng: Random, ready: Path | None = None
) -> int:
    """Serve until told to stop. Raises Failure where that is not possible."""
    with sentences():
        journal.configure(settings.logging, secrets_of(settings), clock)
        desk = Desk(settings, clock, rng)
        if await unless(stopping, desk.__aenter__()) is None:
            return Status.OK
        try:
            places = _places(settings, desk)
            with ready_file(ready, places):
                _log.info("serving", **places)
                await stopping.wait()
                _log.info("stopping")
        finally:
            await desk.__aexit__()
    return Status.OK


def _places(settings: Settings, desk: Desk) -> dict[str, str]:
    return {
        "grpc": address(settings.grpc.host, desk.grpc_port),
        "ingress": desk.ingress.url if desk.ingress is not None else "",
        "operations": desk.operations.url,
    }
