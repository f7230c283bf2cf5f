"""Group commit: everything that waits to be written goes into one transaction and one fsync.

While one batch is being made durable the next one gathers. Nothing is shown to readers or acknowledged to writers
before COMMIT has returned, and requests take effect in the order in which they came.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from cordboard.clock import Clock
from cordboard.log.port import AppendUncertain, LogError, LogUnavailable
from cordboard.log.store import Batch, Store

T = TypeVar("T")
_ROWS_MAX: Final = 8_192  # A batch takes no more requests beyond this, so that no one waits long behind a flood.
_HEAL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class BatchEnded:
    """One transaction has ended: how long it took from its beginning to being durable, and what was in it."""

    seconds: float
    requests: int
    records: int
    durable: bool


@dataclass(slots=True)
class _Request:
    """What somebody waits for: `apply` puts it into a batch, `done` is resolved when that is durable."""

    apply: Callable[[Batch], Any]
    done: asyncio.Future[Any]
    on_failure: Callable[[], None] | None
    result: Any = None


class GroupCommit:
    """Gathers requests on the event loop and commits them, batch by batch, on one thread."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        durable: Callable[[Batch], None],
        observe: Callable[[BatchEnded], None] | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._durable = durable  # Told of a batch before those who wait for it.
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._time_ms = store.latest_ms()
        self._waiting: deque[_Request] = deque()
        self._committing: Batch | None = None
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self.healthy = True
        self._begun = 0.0
        self._jobs: SimpleQueue[list[_Request] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._commit_forever, name="log-commit", daemon=True)
        self._thread.start()

    def write(self, apply: Callable[[Batch], T], on_failure: Callable[[], None] | None = None) -> asyncio.Future[T]:
        """Have something written. The future ends with what `apply` returned, once that is durable.

        A LogError that `apply` raises is the requester's alone: it must be raised before the batch is touched.
        `on_failure` is called before anything else is begun when the request was not, or perhaps not, written.
        """
        done: asyncio.Future[T] = self._loop.create_future()
        if self._closed:
            done.set_exception(LogUnavailable("the log is closed"))
            return done
        self._waiting.append(_Request(apply, done, on_failure))
        if not self._scheduled and self._committing is None:
            # Not at once: whoever else runs in this turn of the loop may want to come along.
            self._schedule()
        return done

    def now_ms(self) -> int:
        """The log's time: the clock's, but never going back."""
        self._time_ms = max(self._time_ms, self._clock.now_ms())
        return self._time_ms

    @property
    def ahead_ms(self) -> int:
        """How far the log's time is ahead of the clock: more than 0 only when the clock was set back."""
        return max(0, self._time_ms - self._clock.now_ms())

    def committing_since_ms(self) -> int | None:
        """The time of the records that are being made durable just now, if there are any."""
        return None if self._committing is None else self._committing.time_ms

    async def close(self) -> None:
        """Write what waits, then stop."""
        self._closed = True
        await self._idle.wait()
        self._jobs.put(None)
        self._thread.join()

    def _schedule(self) -> None:
        self._scheduled = True
        self._idle.clear()
        self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._scheduled = False
        batch, requests = self._gather()
        if not requests:
            self._next()
            return
        self._begun = self._loop.time()
        self._committing = batch
        try:
            self._store.write(batch)
        except Exception as error:  # Whatever it is, these requests are answered and the next batch has its turn.
            self._store.rollback()
            self._ended(requests, LogUnavailable(f"the log cannot be written: {error}"))
        else:
            self._jobs.put(requests)

    def _gather(self) -> tuple[Batch, list[_Request]]:
        batch = Batch(self.now_ms())
        requests: list[_Request] = []
        while self._waiting and len(batch.rows) < _ROWS_MAX:
            request = self._waiting.popleft()
            if request.done.cancelled():
                _fail(request, None)
                continue
            try:
                request.result = request.apply(batch)
            except Exception as error:  # This request's alone.
                _fail(request, error)
            else:
                requests.append(request)
        return batch, requests

    def _commit_forever(self) -> None:
        while (requests := self._jobs.get()) is not None:
            failure: LogError | None = None
            try:
                self._store.commit()
            except Exception as error:  # Whatever it is: a thread that ended would leave everybody waiting for ever.
                failure = self._commit_failed(error)
            self._loop.call_soon_threadsafe(self._ended, requests, failure)

    def _commit_failed(self, error: Exception) -> LogError:
        # No room: the frame that would have made it count was never written. After any other error, that of an fsync
        # above all, the frames may be in the file and come to life when it is next opened after a crash.
        self._store.rollback()
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            return LogUnavailable(f"the log cannot be written: {error}")
        return AppendUncertain(f"the log did not acknowledge a write: {error}")

    def _ended(self, requests: list[_Request], failure: LogError | None) -> None:
        batch, self._committing = self._committing, None
        assert batch is not None  # noqa: S101 - exactly one batch is between _begin and here
        self.healthy = failure is None
        if failure is None:
            self._durable(batch)
            batch.publish()
            for request in requests:
                if not request.done.done():
                    request.done.set_result(request.result)
        else:
            batch.undo()
            for request in requests:
                _fail(request, failure)
            self._loop.call_later(_HEAL_SECONDS, self._heal)
        if self._observe is not None:
            seconds = self._loop.time() - self._begun
            self._observe(BatchEnded(seconds, len(requests), len(batch.rows), failure is None))
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._schedule()
        else:
            self._idle.set()

    def _heal(self) -> None:
        # Nobody sends anything to a process that is not ready: find out by ourselves when the disk is back.
        if not self.healthy and not self._closed:
            self.write(_touch).add_done_callback(asyncio.Future.exception)


def _touch(batch: Batch) -> None:
    batch.settings["healed_ms"] = batch.time_ms


def _fail(request: _Request, error: Exception | None) -> None:
    if request.on_failure is not None:
        request.on_failure()
    if error is not None and not request.done.done():
        request.done.set_exception(error)
