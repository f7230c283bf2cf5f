"""`cordboard call`: a call's page and its story as people read them."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from cordboard.cli.connection import dispatcher
from cordboard.cli.screen import Screen, plain, style_of, time_of
from cordboard.cli.send import plain_json
from cordboard.cli.target import Target
from cordboard.v1 import (
    PHASE_RELEASED,
    PHASE_WAITING,
    START_AFTER_PREVIOUS_COMPLETED,
    TIMELINE_ORIGIN_PAGE_NO_RECORDER,
    TIMELINE_ORIGIN_PAGE_RECORDER_AWAY,
    CallState,
    CallView,
    CommandView,
    Direction,
    GetCallResponse,
    Phase,
    State,
    TimelineEntry,
    TimelineKind,
    TimelineOrigin,
)

_COLUMNS: Final = (
    ("  action", 22),
    ("phase", 8),
    ("place", 5),
    ("result", 9),
    ("number", 6),
    ("accepted", 13),
    ("expires", 13),
    ("id", 0),
)

_STORY: Final = (("  time", 15), ("what", 16), ("action", 20), ("state", 26), ("detail", 60), ("command", 0))
_REMARKS: Final = {
    TIMELINE_ORIGIN_PAGE_NO_RECORDER: "no recorder is configured: what has ended is not told",
    TIMELINE_ORIGIN_PAGE_RECORDER_AWAY: "the recorder's tables cannot be read now: what has ended is not told",
}


async def show_call(call: str, account: str, target: Target, screen: Screen) -> None:
    """Ask for a call, and show it."""
    async with dispatcher(target) as client:
        found = await client.get_timeline(call, account)
    if screen.json:
        story = {"timeline": [plain_json(one) for one in found.timeline], "timeline_origin": _origin(found)}
        screen.record(plain_json(found.call) | story)
        return
    _show(screen, found.call)
    _tell(screen, found)


def _origin(found: GetCallResponse) -> str:
    return TimelineOrigin.Name(found.timeline_origin)


def _tell(screen: Screen, found: GetCallResponse) -> None:
    screen.show()
    screen.line(*((name, width, "dim") for name, width in _STORY))
    for one in found.timeline:
        words = (
            f"  {time_of(one.time)}",
            plain(TimelineKind.Name(one.kind), "TIMELINE_KIND_").lower().replace("_", " "),
            one.action,
            " ".join(filter(None, (one.state, one.reason))),
            ", ".join(filter(None, (f"by {one.source}" if one.source else "", one.detail, _attempt(one)))),
            one.command_id,
        )
        styles = ("dim", "bold", "", style_of(one.state), "", "dim")
        screen.line(*zip(words, (width for _, width in _STORY), styles, strict=True))
    if remark := _REMARKS.get(found.timeline_origin):
        screen.show(Text(f"  {remark}", "yellow"))


def _attempt(one: TimelineEntry) -> str:
    return f"attempt {one.attempt}" if one.attempt > 1 else ""


def _show(screen: Screen, view: CallView) -> None:
    state = plain(CallState.Name(view.state), "CALL_STATE_")
    screen.show(Text.assemble(("call ", "dim"), (view.call_control_id, "bold"), "  ", (state, "bold cyan")))
    ended = " ".join(filter(None, (time_of(view.end_time), view.hangup_cause)))
    for label, text in (
        ("account", view.account),
        ("direction", plain(Direction.Name(view.direction), "DIRECTION_").lower()),
        ("leg", view.call_leg_id),
        ("session", view.call_session_id),
        ("first seen", time_of(view.first_seen_time)),
        ("ended", ended),
        ("next number", str(view.next_sequence)),
    ):
        if text:
            screen.line((f"  {label}", 14, "dim"), (text, 0, ""))
    commands = [*view.in_flight, *view.line, *view.open]
    if not commands:
        screen.show(Text("  nothing waits, is under way or is open", "dim"))
        return
    screen.show()
    screen.line(*((name, width, "dim") for name, width in _COLUMNS))
    for command in commands:
        _show_command(screen, command)


def _show_command(screen: Screen, view: CommandView) -> None:
    known = view.settlement if view.HasField("settlement") else view.result
    state = plain(State.Name(known.state), "STATE_")
    words = (
        f"  {view.action}",
        plain(Phase.Name(view.phase), "PHASE_").lower(),
        str(view.position or ""),
        state,
        str(view.sequence or ""),
        time_of(view.accept_time),
        _expiry(view),
        view.command_id,
    )
    styles = ("bold", "", "", style_of(state), "", "", "", "dim")
    widths = (width for _, width in _COLUMNS)
    screen.line(*zip(words, widths, styles, strict=True))


def _expiry(view: CommandView) -> str:
    if view.phase not in {PHASE_WAITING, PHASE_RELEASED}:
        return ""  # It was sent in time.
    if view.HasField("expire_time"):
        return time_of(view.expire_time)
    gated = view.phase == PHASE_WAITING and view.start_after == START_AFTER_PREVIOUS_COMPLETED
    return "from its turn" if gated else "never"
