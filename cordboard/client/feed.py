"""Results or events, one after another, from a watch: a typed iterator that can be resumed where it was left."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Generic, Self, TypeVar

from cordboard.client.told import Event, Told, event_of, told_of
from cordboard.client.watch import Watch
from cordboard.v1.dispatcher_service_pb2 import WatchResponse

T = TypeVar("T")


class Feed(Generic[T]):
    """Iterate over it with `async for`. One task at a time; use it as a context, or `cancel` it.

    `cursor` is where to go on after what was handed out: keep it with what was done about it, and a new feed resumes
    there, also after a restart. Raises CommandRefused for what trying again does not mend, such as CURSOR_EXPIRED.
    """

    def __init__(self, watch: Watch, read: Callable[[WatchResponse], T | None]) -> None:
        self._watch = watch
        self._read = read

    @property
    def cursor(self) -> str:
        """Where to go on."""
        return self._watch.cursor

    async def positioned(self) -> Self:
        """Return once nothing that happens from now on will be missed; before that, what happens may be."""
        await self._watch.positioned()
        return self

    def cancel(self) -> None:
        """Stop."""
        self._watch.cancel()

    async def __aenter__(self) -> Self:
        return await self.positioned()

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            item = self._read(await anext(self._watch))
            if item is not None:
                return item


def events_of(watch: Watch, types: Collection[str]) -> Feed[Event]:
    """The events of a watch; of these types, or of all if there are none."""

    def read(response: WatchResponse) -> Event | None:
        event = event_of(response)
        return event if event is None or not types or event.type in types else None

    return Feed(watch, read)


def results_of(watch: Watch) -> Feed[Told]:
    """The results of a watch."""
    return Feed(watch, told_of)
