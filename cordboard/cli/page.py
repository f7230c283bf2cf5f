"""`cordboard call`: a call's page as people read it."""

from __future__ import annotations

from typing import Final

from rich.text import Text

from cordboard.cli.connection import dispatcher
from cordboard.cli.screen import Screen, plain, style_of, time_of
from cordboard.cli.send import plain_json
from cordboard.v1 import (
    PHASE_RELEASED,
    PHASE_WAITING,
    START_AFTER_PREVIOUS_COMPLETED,
    CallState,
    CallView,
    CommandView,
    Direction,
    Phase,
    State,
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


async def show_call(call: str, account: str, target: str, screen: Screen) -> None:
    """Ask for a call, and show it."""
    async with dispatcher(target) as client:
        view = await client.get_call(call, account)
    if screen.json:
        screen.record(plain_json(view))
    else:
        _show(screen, view)


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
