"""`cordboard calls` and `cordboard forget`: calls that were recorded."""

from __future__ import annotations

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.cli.connection import dispatcher
from cordboard.cli.durations import milliseconds
from cordboard.cli.exits import Failure, Status
from cordboard.cli.progress import working
from cordboard.cli.screen import Screen, plain, style_of
from cordboard.cli.send import plain_json
from cordboard.cli.target import Target
from cordboard.clock import Clock
from cordboard.cloudevents import parse_rfc3339
from cordboard.v1 import CallState, CallSummary, Direction, ListCallsRequest

_PAGE: Final = 500
_COLUMNS: Final = (
    ("first seen", 24),
    ("state", 7),
    ("outcome", 18),
    ("direction", 9),
    ("from", 16),
    ("to", 16),
    ("account", 10),
    ("call", 0),
)


def search_of(number: str, account: str, outcome: str, since: str, until: str, clock: Clock) -> ListCallsRequest:
    """The search that was asked for. Raises Failure."""
    request = ListCallsRequest(number=number, account=account, outcome=outcome)
    for text, name in ((since, "start_time"), (until, "end_time")):
        if text:
            option = "--since" if name == "start_time" else "--until"
            getattr(request, name).CopyFrom(_timestamp(_moment(text, option, clock)))
    return request


def _moment(text: str, option: str, clock: Clock) -> int:
    """A time, or how long ago it was (Unix milliseconds). Raises Failure."""
    if text[:1].isdigit() and text[-1:].isalpha() and "T" not in text:
        return clock.now_ms() - milliseconds(text, option)
    try:
        return parse_rfc3339(text)
    except ValueError:
        sentence = f"{option} must be a time with its zone, such as 2026-11-23T15:00:00Z, or how long ago, such as 2h"
        raise Failure(sentence, Status.USAGE) from None


def _timestamp(time_ms: int) -> Timestamp:
    return Timestamp(seconds=time_ms // 1000, nanos=time_ms % 1000 * 1_000_000)


async def show_calls(request: ListCallsRequest, count: int, target: Target, screen: Screen) -> None:
    """Find calls, and show them."""
    shown = 0
    async with dispatcher(target) as client:
        while shown < count:
            request.page_size = min(count - shown, _PAGE)
            with working(f"finding calls, {shown} so far" if shown else "finding calls"):
                found = await client.list_calls(request)
            if not shown and not screen.json:
                _head(screen, any_found=bool(found.calls))
            for call in found.calls:
                _show(screen, call)
            shown += len(found.calls)
            request.page_token = found.next_page_token
            if not request.page_token:
                return


def _head(screen: Screen, *, any_found: bool) -> None:
    if any_found:
        screen.line(*((name, width, "dim") for name, width in _COLUMNS))
    else:
        screen.show("no call was found")


def _show(screen: Screen, call: CallSummary) -> None:
    if screen.json:
        screen.record(plain_json(call))
        return
    words = (
        call.first_seen_time.ToDatetime().isoformat(timespec="milliseconds") + "Z",
        plain(CallState.Name(call.state), "CALL_STATE_"),
        call.outcome,
        plain(Direction.Name(call.direction), "DIRECTION_").lower(),
        "forgotten" if call.HasField("forget_time") else call.from_number,
        call.to_number,
        call.account,
        call.call_control_id,
    )
    styles = ("dim", "", style_of(call.outcome), "", "", "", "", "bold")
    screen.line(*zip(words, (width for _, width in _COLUMNS), styles, strict=True))


async def forget_call(call: str, target: Target, screen: Screen) -> None:
    """Have a call forgotten."""
    async with dispatcher(target) as client:
        with working("forgetting"):
            entries = await client.forget_call(call)
    if screen.json:
        screen.record({"call_control_id": call, "entries": entries})
        return
    screen.show(f"forgotten: {entries} entries had contents, and so will none that is recorded from now on")
    screen.show("the log keeps its records until its topics' time is over (7 days), dead letters 14")
