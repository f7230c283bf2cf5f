"""What is still owed while a history goes on: when nothing is, it may end."""

from __future__ import annotations

from typing import Final

from cordboard.cloudevents import header
from cordboard.log.port import Record
from cordboard.v1 import command_pb2, result_pb2
from dispatcher.reading import CANCEL_TYPE
from simulation.broker import JournalBroker
from simulation.facts import KINDS
from simulation.roles import TOPICS
from simulation.telnyx import Telnyx

_FOR_NOW: Final = frozenset({"LINE_FULL", "SEQUENCE_GAP", "INVALID_COMMAND"})
_THROUGH: Final = frozenset({result_pb2.STATE_SUCCEEDED, result_pb2.STATE_UNKNOWN})


class Tally:
    """Keeps count of what is still owed, looking at everything only once."""

    def __init__(self, broker: JournalBroker, telnyx: Telnyx) -> None:
        self._broker = broker
        self._telnyx = telnyx
        self._read = 0
        self._accepted: set[str] = set()
        self._ended: set[str] = set()
        self.handed_on: set[str] = set()
        self._hung_up: dict[str, str] = {}  # Calls that were to be ended, by the command.

    def is_over(self) -> bool:
        """Whether every command has its end, every webhook its readers, and every call that was hung up is over."""
        journal = self._broker.journal
        while self._read < len(journal):
            self._take(journal[self._read].record)
            self._read += 1
        acknowledged = {one.event_id for one in self._telnyx.station.truth.deliveries if one.status == 200}
        return self._accepted <= self._ended and acknowledged <= self.handed_on and not any(self._alive())

    def _alive(self) -> list[str]:
        calls = self._telnyx.station.exchange.calls
        wanted = {call for command, call in self._hung_up.items() if command in self._ended}
        return [call for call in sorted(wanted) if call in calls and calls[call].ended_at is None]

    def _take(self, record: Record) -> None:
        ce_type = header(record.headers, "ce_type")
        if record.topic in (TOPICS.commands, TOPICS.now) and ce_type != CANCEL_TYPE:
            command = command_pb2.Command.FromString(record.value)
            self._accepted.add(command.command_id)
        elif record.topic == TOPICS.results and ce_type in KINDS:
            self._take_result(record, KINDS[ce_type])
        elif record.topic == TOPICS.events:
            self.handed_on.add(header(record.headers, "ce_id"))

    def _take_result(self, record: Record, kind: str) -> None:
        result = result_pb2.CommandResult.FromString(record.value)
        reason = result_pb2.Reason.Name(result.reason).removeprefix("REASON_")
        if kind == "result" or reason in _FOR_NOW:
            self._ended.add(result.command_id)
        if kind == "result" and result.action == "hangup" and result.state in _THROUGH:
            self._hung_up[result.command_id] = record.key.decode() if record.key else ""
