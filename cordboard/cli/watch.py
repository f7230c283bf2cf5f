"""`cordboard watch`: what happens, as it happens; a restarted dispatcher is found again, and nothing is missed."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Final

from cordboard.cli.connection import dispatcher, reach
from cordboard.cli.exits import Failure, Status
from cordboard.cli.happenings import as_json, happening
from cordboard.cli.screen import Cell, Screen, style_of, time_of
from cordboard.cli.target import Target
from cordboard.v1 import (
    WATCH_KIND_COMPLETIONS,
    WATCH_KIND_EVENTS,
    WATCH_KIND_RESULTS,
    WatchKind,
    WatchRequest,
    WatchResponse,
)


class Kind(StrEnum):
    """What may be watched."""

    RESULTS = "results"
    COMPLETIONS = "completions"
    EVENTS = "events"


_KINDS: Final = {
    Kind.RESULTS: WATCH_KIND_RESULTS,
    Kind.COMPLETIONS: WATCH_KIND_COMPLETIONS,
    Kind.EVENTS: WATCH_KIND_EVENTS,
}


def kinds_of(text: str) -> list[WatchKind.ValueType]:
    """Kinds from words with commas between them; none: all. Raises Failure."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if unknown := set(words) - set(Kind):
        known = ", ".join(Kind)
        raise Failure(f"--kind must be some of {known}, but has {', '.join(sorted(unknown))}", Status.USAGE)
    return [_KINDS[Kind(word)] for word in words]


async def watch(request: WatchRequest, target: Target, screen: Screen, count: int | None = None) -> None:
    """Show what happens until `count` things have, or for ever."""
    shown = 0
    async with dispatcher(target) as client:
        async with client.watch() as probe:  # From a cursor on, a watch would look for a dispatcher for ever.
            await reach(probe, target)
        watching = client.watch(
            account=request.account,
            call_control_id=request.call_control_id,
            kinds=request.kinds,
            cursor=request.cursor,
        )
        await watching.positioned()
        _tell(f"watching {target}")
        async for response in watching:
            _show(screen, response, of_one_call=bool(request.call_control_id))
            shown += 1
            if shown == count:
                return


def _show(screen: Screen, response: WatchResponse, *, of_one_call: bool) -> None:
    told = happening(response)
    if screen.json:
        screen.record(as_json(response))
    elif told is not None:
        call: tuple[Cell, ...] = () if of_one_call else ((told.call, 58, "dim"),)
        screen.line(
            (time_of(told.time), 13, "dim"),
            (told.what, 22, ""),
            (told.state, 10, style_of(told.state)),
            *call,
            (told.detail, 0, ""),
        )


def _tell(text: str) -> None:
    print(f"cordboard: {text}", file=sys.stderr, flush=True)  # noqa: T201 - beside what is watched, not part of it.
