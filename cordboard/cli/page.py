"""`cordboard call`: a call's page as people read it."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from cordboard.cli.connection import dispatcher
from cordboard.cli.screen import Screen, plain, style_of, time_of
from cordboard.cli.send import plain_json
from cordboard.v1 import CallState, CallView, CommandView, Direction, Phase, State


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
    screen.show(_table(commands) if commands else Text("  nothing waits, is under way or is open", "dim"))


def _table(commands: list[CommandView]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 2))
    for heading in ("action", "phase", "place", "result", "number", "accepted", "expires", "id"):
        table.add_column(heading, no_wrap=True)
    for view in commands:
        state = plain(State.Name(view.result.state), "STATE_")
        table.add_row(
            Text(view.action, "bold"),
            plain(Phase.Name(view.phase), "PHASE_").lower(),
            str(view.position or ""),
            Text(state, style_of(state)),
            str(view.sequence or ""),
            time_of(view.accept_time),
            time_of(view.expire_time) or "never",
            view.command_id,
        )
    return table
