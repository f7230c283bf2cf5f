"""`cordboard serve`, and a command for each role: all of them or one, by the settings of file and environment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Final

import structlog

from cordboard import journal
from cordboard.cli.exits import Status
from cordboard.cli.running import ending_within, ready_file, sentences, unless
from cordboard.clock import Clock
from cordboard.roles.desk import Desk
from cordboard.settings import Duties, Settings, secrets_of

_log: Final = structlog.get_logger(__name__)


async def serve(
    settings: Settings, duties: Duties, stopping: asyncio.Event, clock: Clock, rng: Random, ready: Path | None = None
) -> int:
    """Serve until told to stop. Raises Failure where that is not possible."""
    with sentences():
        journal.configure(settings.logging, secrets_of(settings), clock)
        desk = Desk(settings, clock, rng, duties=duties)
        async with ending_within(desk.stop_seconds, stopping):
            if await unless(stopping, desk.__aenter__()) is None:
                return Status.OK
            try:
                with ready_file(ready, desk.places):
                    _log.info("serving", roles=sorted(desk.roles), stop_seconds=desk.stop_seconds, **desk.places)
                    await stopping.wait()
                    _log.info("stopping", stop_seconds=desk.stop_seconds)
            finally:
                began = asyncio.get_running_loop().time()
                await desk.__aexit__()
            _log.info("stopped", seconds=round(asyncio.get_running_loop().time() - began, 3))
    return Status.OK
