"""Queues of calls, by name: first in, first bridged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox.core.life import Life
from sandbox.core.problems import documented, not_now
from sandbox.core.timers import Timer

if TYPE_CHECKING:
    from sandbox.core.call import Call

_SIZE_MAX: Final = 100


class Queues:
    """Who waits where, since when, and for how long at most."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._waiting: dict[str, list[Call]] = {}
        self._sizes: dict[str, int] = {}  # As the first one in it said: an existing queue keeps its size.
        self._patience: dict[str, Timer] = {}

    def enter(self, call: Call, body: dict[str, Any]) -> None:
        """Put a call at the end. Raises Refused: 90038 when it is there already, 90036 when the queue is full."""
        name = body["queue_name"]
        if call.queue == name:
            raise documented("90038", "Call is already in this queue")
        size = self._sizes.get(name, body.get("max_size", _SIZE_MAX))
        if len(self._waiting.get(name, ())) >= size:
            raise documented("90036", "Queue is full")
        self.leave(call, "leave")
        self._sizes[name] = size
        queue = self._waiting.setdefault(name, [])
        queue.append(call)
        call.queue = name
        if seconds := body.get("max_wait_time_secs"):
            self._patience[call.id] = self._life.after(float(seconds), lambda: self.leave(call, "timeout"))
        self._life.tell(call, "call.enqueued", parties=False, queue=name, current_position=len(queue))

    def leave(self, call: Call, reason: str) -> None:
        """Take a call out, if it waits anywhere."""
        name, call.queue = call.queue, None
        if name is None:
            return
        queue = self._waiting[name]
        position = queue.index(call) + 1
        queue.remove(call)
        if not queue:
            del self._waiting[name], self._sizes[name]
        self._life.timers.cancel(self._patience.pop(call.id, None))
        self._life.tell(call, "call.dequeued", parties=False, queue=name, queue_position=position, reason=reason)

    def first(self, name: str) -> Call:
        """Who has waited longest. Raises Refused when nobody waits."""
        queue = self._waiting.get(name)
        if not queue:
            raise not_now(f"Nobody waits in the queue {name!r}.")
        return queue[0]
