"""The tracer of a process, where one is wanted; OpenTelemetry is imported for that alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cordboard.log.port import LogError
from cordboard.settings import Duties, Settings
from cordboard.tracing.port import Tracer

_CLOSE_SECONDS_MAX: Final = 3.0


class TracingMissing(LogError):
    """Traces are wanted, and what makes them is not installed."""


@asynccontextmanager
async def tracing(settings: Settings, duties: Duties) -> AsyncIterator[Tracer | None]:
    """The tracer, or None where no endpoint is set; what it still has is sent at the end. Raises TracingMissing."""
    if settings.tracing.endpoint is None:
        yield None
        return
    try:
        from cordboard.tracing.otel import OtelTracer  # noqa: PLC0415 - not there without the extra, and slow to import
    except ImportError as error:
        raise TracingMissing(
            f"tracing.endpoint is set, and OpenTelemetry is not installed ({error.name}): install cordboard[tracing], "
            "or leave tracing.endpoint out"
        ) from error
    role = next(iter(duties.roles)).value if len(duties.roles) == 1 else "desk"
    tracer = OtelTracer(settings.tracing, role, "kafka" if settings.log.kind == "kafka" else "cordboard")
    try:
        yield tracer
    finally:
        closing = asyncio.to_thread(tracer.close)
        try:
            await asyncio.wait_for(closing, _CLOSE_SECONDS_MAX)
        except TimeoutError:
            pass  # The collector is away; the process does not wait for it.
