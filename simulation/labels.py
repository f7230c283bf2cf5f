"""What commands, results and cancel requests say of whose they are, read from their records."""

from __future__ import annotations

from typing import Final

import orjson

from cordboard.identity import page_key
from cordboard.v1 import Command, CommandResult, command_pb2, result_pb2
from simulation.broker import Written
from simulation.habits import ACCOUNT
from simulation.history import Cancel, CancelReport, Given, Label, Spot

_NO_ACTION: Final = ""


def label_of_command(command: Command) -> Label:
    """As it was sent; without an account it is the default one's."""
    action = command.WhichOneof("action") or _NO_ACTION
    account = command.account or ACCOUNT
    return Label(command.call_control_id, account, action, command.source, command.group)


def label_of_result(result: CommandResult) -> Label:
    """As the result has it; of a dial without the call, which was not sent: it is among what it dialled."""
    call = "" if result.action == "dial" else result.call_control_id
    return Label(call, result.account, result.action, result.source, result.group)


def cancel_of(written: Written) -> Cancel:
    """A cancel request; of a dial it names the one command."""
    request = command_pb2.CancelRequest.FromString(written.record.value)
    named = list(request.command_ids)
    meant = Command(call_control_id=request.call_control_id, command_id=named[0] if named else "")
    return Cancel(
        written.number, page_key(meant, ACCOUNT), frozenset(named), request.group, spot_of(written), request.cancel_id
    )


def report_of(written: Written) -> CancelReport:
    """What became of a cancel request."""
    told = result_pb2.CancelReport.FromString(written.record.value)
    lists = (told.cancelled_command_ids, told.too_late_command_ids, told.unknown_command_ids)
    return CancelReport(written.number, told.cancel_id, *(frozenset(one) for one in lists))


def order_of(written: Written) -> Given:
    """An order of an operator, by its key: pause/<account>, cancel/<account>/<group>."""
    kind, _, subject = (written.record.key or b"").decode().partition("/")
    if kind == "pause" and not orjson.loads(written.record.value).get("paused"):
        kind = "resume"
    return Given(written.number, written.at, written.record.time_ms, kind, subject.partition("/")[2])


def spot_of(written: Written) -> Spot:
    """Where an input stands."""
    return Spot(written.record.partition, written.record.topic, written.record.offset)
