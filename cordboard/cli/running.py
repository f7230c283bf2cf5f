"""Running a server from the command line: signals, the event loop, and what the outside is told when it is up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import structlog

from cordboard.cli.exits import Failure, Status
from cordboard.log.port import LogError, LogUnavailable
from cordboard.roles.listening import CannotListen
from cordboard.settings import IdentitiesUnusable
from cordboard.tls.identity import Unfit

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_log: Final = structlog.get_logger(__name__)
_COLLECT_AFTER: Final = 20_000  # Objects more than there were; Python's own default is 700.

T = TypeVar("T")
# Gets an event that is set when the process is asked to stop; gives the exit status.
Main = Callable[[asyncio.Event], Coroutine[Any, Any, int]]


def run(main: Main) -> int:
    """Run until `main` returns. The first SIGINT or SIGTERM asks it to stop, a second one ends the process."""
    _collect_seldom()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_with_signals(main))


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work gives; None where the stop came first, and the work was cancelled."""
    working, asked = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
    finally:
        asked.cancel()
        if not working.done():
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
    return None


@contextlib.asynccontextmanager
async def ending_within(seconds: float, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Bound the stop: where the block lasts longer than that from the stop's beginning, the process is ended.

    It ends as by a kill, which every part is made to survive; a supervisor that waited longer would do the same.
    """
    watching = asyncio.create_task(_end_after(seconds, stopping), name="the stop's bound")
    await asyncio.sleep(0)  # So that it waits before the block does, and hears of the stop first.
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _end_after(seconds: float, stopping: asyncio.Event) -> None:
    await stopping.wait()
    # A thread, because what lasts too long may be what the event loop is stuck in.
    timer = threading.Timer(seconds, _end_now, (seconds,))
    timer.daemon = True
    timer.start()
    try:
        await asyncio.get_running_loop().create_future()  # Until the block has ended.
    finally:
        timer.cancel()


def _end_now(seconds: float) -> None:
    _log.error("the stop took too long; what was under way is cut off", stop_seconds=seconds)
    os._exit(Status.FAILED)


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Turn what a start may meet into a Failure."""
    try:
        yield
    except LogUnavailable as error:
        raise Failure(str(error), Status.UNREACHABLE) from error
    except (LogError, CannotListen, IdentitiesUnusable, Unfit) as error:
        raise Failure(str(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Failure(f"{where}{error.strerror or error}") from error


@contextlib.contextmanager
def ready_file(path: Path | None, addresses: Mapping[str, Any]) -> Iterator[None]:
    """A file of JSON that is there, whole, for as long as the servers are up."""
    if path is None:
        yield
        return
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(orjson.dumps(addresses))
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def _with_signals(main: Main) -> int:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop() -> None:
        stopping.set()
        for number in _SIGNALS:  # From here on a signal does what it does to any process.
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        if sys.stderr.isatty():
            print("Stopping; once more ends it at once.", file=sys.stderr, flush=True)  # noqa: T201 - for who typed it

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    return await main(stopping)


def _collect_seldom() -> None:
    """Leave what was imported to live as long as the process, and look for cycles among what came since less often.

    Nothing on a command's way makes cycles that would pile up; looking for them took a twelfth of the CPU.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop
