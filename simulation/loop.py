"""An event loop in virtual time: when nothing is ready, the clock jumps to the next timer. No I/O, no threads.

Every callback belongs to the simulated process in whose context it was scheduled. That makes processes mortal: what
belongs to a dead one is dropped, so that its tasks stop where they stand without a word of cleanup, and what belongs to
a frozen one is held until it thaws.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import enum
import heapq
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from typing import Any, Final, TypeVar

T = TypeVar("T")
TURNS_MAX: Final = 300_000  # A history takes some ten thousand: more is a loop in which no time passes.


class Standing(enum.Enum):
    """Whether a process goes on."""

    ALIVE = "alive"
    FROZEN = "frozen"
    DEAD = "dead"


class Stuck(Exception):
    """The history is not over, and nothing will ever happen again, or time does not pass any more."""


class Life:
    """One life of one process, from its start to its end. `context` is where all its callbacks are scheduled."""

    def __init__(self, loop: VirtualLoop, name: str) -> None:
        self.name = name
        self.standing = Standing.ALIVE
        self.cut_off = False  # It runs, and cannot reach the log.
        self.sluggish = False  # What it reads of the log comes late, and one record at a time.
        self.held: list[asyncio.Handle] = []
        self.tasks: list[asyncio.Task[Any]] = []  # Kept, so that nobody collects, and so unwinds, what just stopped.
        self.on_death: list[Callable[[], None]] = []
        self.context = contextvars.copy_context()
        self.context.run(_current.set, self)
        self._loop = loop
        self._fuse: int | None = None
        self._blow: Callable[[], None] = self.end

    @property
    def is_heard(self) -> bool:
        """Whether the brokers hear its heartbeats."""
        return self.standing is Standing.ALIVE and not self.cut_off

    def start(self, work: Coroutine[Any, Any, T], name: str = "") -> asyncio.Task[T]:
        """Have the process do something."""
        return self._loop.create_task(work, context=self.context, name=name or None)

    def end(self) -> None:
        """Die now: nothing scheduled for this life will ever run."""
        self.standing = Standing.DEAD
        self.held.clear()
        deaths, self.on_death = self.on_death, []
        for heard in deaths:
            heard()

    def freeze(self) -> None:
        """Stand still until `thaw`."""
        self.standing = Standing.FROZEN

    def thaw(self) -> None:
        """Go on, with all that has come meanwhile."""
        if self.standing is Standing.FROZEN:
            self.standing = Standing.ALIVE
            held, self.held = self.held, []
            self._loop.resume(held)

    def set_fuse(self, callbacks: int, blow: Callable[[], None]) -> None:
        """Call `blow` after so many more callbacks of this life: between any two awaits, if need be."""
        self._fuse, self._blow = callbacks, blow

    def lets_run(self, handle: asyncio.Handle) -> bool:
        """Whether a callback may run now; if not, it is held or dropped."""
        if self.standing is Standing.FROZEN:
            self.held.append(handle)
        if self.standing is not Standing.ALIVE:
            return False
        if self._fuse is not None:
            self._fuse -= 1
            if self._fuse < 0:
                self._fuse = None
                self._blow()
                return self.lets_run(handle)
        return True


_current: ContextVar[Life | None] = ContextVar("life", default=None)


class VirtualLoop(asyncio.BaseEventLoop):
    """See the head of this module. Callbacks that are ready run in the order in which they became so."""

    _ready: Any  # BaseEventLoop's deque of handles that may run, and its heap of timers.
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, turns_max: int = TURNS_MAX) -> None:
        super().__init__()
        self._now = 0.0
        self._turns = 0
        self._turns_max = turns_max
        self.broken: list[str] = []  # What nobody caught.
        self.set_task_factory(_keeping)
        self.set_exception_handler(self._note_broken)

    def time(self) -> float:
        """Virtual seconds since the beginning."""
        return self._now

    def resume(self, handles: list[asyncio.Handle]) -> None:
        """Let callbacks run that were held."""
        self._ready.extend(handles)

    def _run_once(self) -> None:
        if not self._ready:
            self._jump()
        scheduled = self._scheduled
        while scheduled and scheduled[0].when() <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False  # type: ignore[attr-defined] # As BaseEventLoop does.
            self._ready.append(handle)
        self._turns += 1
        if self._turns > self._turns_max:
            raise Stuck(f"no end is in sight at {self._now:.3f} s")
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if handle._cancelled:
                continue
            life = handle._context.get(_current)
            if life is None or life.lets_run(handle):
                handle._run()

    def _jump(self) -> None:
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False  # type: ignore[attr-defined] # As above.
        if scheduled:
            self._now = max(self._now, scheduled[0].when())
        elif not self._stopping:
            raise Stuck(f"nothing is left to happen at {self._now:.3f} s")

    _stopping: bool

    def _process_events(self, event_list: object) -> None:
        """There are none: nothing is ever waited for but time."""

    def _write_to_self(self) -> None:
        """There are no threads to be woken by."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    def _note_broken(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.broken.append(f"{context.get('message')}: {error!r}")


def _keeping(
    loop: asyncio.AbstractEventLoop, work: Any, context: contextvars.Context | None = None
) -> asyncio.Task[Any]:
    task = asyncio.Task(work, loop=loop, context=context)
    life = _current.get() if context is None else context.get(_current)
    if life is not None:
        if len(life.tasks) >= 512:
            life.tasks = [one for one in life.tasks if not one.done()]
        life.tasks.append(task)
    return task


@contextlib.contextmanager
def virtual_time(turns_max: int = TURNS_MAX) -> Iterator[VirtualLoop]:
    """A loop of one's own; whatever still stands when the block ends is dropped."""
    loop = VirtualLoop(turns_max)
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def bury(tasks: list[asyncio.Task[Any]]) -> None:
    """Unwind tasks that will never run again; what they say on the way out is heard by nobody."""
    warnings.simplefilter("ignore", RuntimeWarning)  # "Never awaited": yes, it was dropped before it began.
    for task in tasks:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined] # It is meant to be dropped.
            with contextlib.suppress(BaseException):
                task.get_coro().close()
