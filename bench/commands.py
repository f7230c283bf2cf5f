"""The command that is measured, and what a result says is wrong with it."""

from __future__ import annotations

from typing import Final

from cordboard.v1 import Command, actions_sound_pb2
from cordboard.v1.result_pb2 import STATE_SUCCEEDED, CommandResult, State

DIGITS: Final = "1"


def command(call: str, command_id: str) -> Command:
    """One that Telnyx is done with when it has accepted it."""
    return Command(command_id=command_id, call_control_id=call, send_dtmf=actions_sound_pb2.SendDtmf(digits=DIGITS))


def wrong(result: CommandResult) -> str:
    """What is wrong with a result, or ""."""
    return "" if result.state == STATE_SUCCEEDED else f"{State.Name(result.state)}: {result.message}"
