"""The tracer of a process, where one is wanted; OpenTelemetry is imported for that alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from cordboard.log.port import LogError
from cordboard.settings import Duties, Settings
from cordboard.tracing.port import Tracer

_CLOSE_SECONDS_MAX: Final = 1.0


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
        await _within(_CLOSE_SECONDS_MAX, tracer.close)


async def _within(seconds: float, close: Callable[[], None]) -> None:
    """Run what blocks in a thread that nobody waits for when the time is over: the collector may be away."""
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        close()
        with suppress(RuntimeError):  # The loop may be gone by then.
            loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=run, name="sending the last spans", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await closed.wait()
