"""What operators want of all processes, as the control topic has it: paused accounts, cancelled groups, a restore.

A record's key names the subject and its last word counts: `pause/<account>`, `cancel/<account>/<group>`, `restore`. The
value is JSON, for whoever looks. What cannot be read is passed over: an order that nobody understands must not stop
calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from cordboard.log.port import NewRecord, Record

# No command waits for longer: what was accepted before a cancel, and is read after it, is younger than this.
CANCEL_MEMORY_MS: Final = 2 * 86_400_000
_PAUSE: Final = "pause"
_CANCEL: Final = "cancel"
_RESTORE: Final = "restore"


class _Order(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The value of a record."""

    paused: bool = False
    closed: bool = False
    comment: str = ""
    source: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Order)


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders in force. `cancelled` says, by account and group, when the log took the latest cancel (Unix ms).

    `closed` are those paused accounts for which no command is taken either. `restored_ms`: when the log was restored
    from a backup, 0 for never; what became since the backup of what it had taken by then, nobody can know.
    """

    paused: frozenset[str] = frozenset()
    cancelled: Mapping[tuple[str, str], int] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    restored_ms: int = 0

    def cancels(self, account: str, group: str, accept_ms: int) -> bool:
        """Whether a command of this group that was accepted then has been cancelled since."""
        return bool(group) and accept_ms <= self.cancelled.get((account, group), -1)

    def has_lost(self, accept_ms: int) -> bool:
        """Whether what was accepted, or released, then may have been sent in a life of the log that was lost."""
        return accept_ms <= self.restored_ms

    def after(self, record: Record) -> Orders:
        """The orders once this record is read."""
        kind, _, subject = (record.key or b"").decode(errors="replace").partition("/")
        try:
            said = _decoder.decode(record.value) if record.value else _Order()
        except msgspec.MsgspecError:
            return self
        account, _, group = subject.partition("/")
        if kind == _PAUSE:
            here = frozenset({account})
            return replace(
                self,
                paused=self.paused | here if said.paused else self.paused - here,
                closed=self.closed | here if said.closed else self.closed - here,
            )
        if kind == _RESTORE:
            return replace(self, restored_ms=record.time_ms)
        if kind == _CANCEL and group and record.value:
            since_ms = record.time_ms - CANCEL_MEMORY_MS
            kept = {subject: at for subject, at in self.cancelled.items() if at > since_ms}
            return replace(self, cancelled={**kept, (account, group): record.time_ms})
        return self


NO_ORDERS: Final = Orders()


def pause(
    topic: str, account: str, *, paused: bool, closed: bool = False, comment: str = "", source: str = ""
) -> NewRecord:
    """The record by which an account is paused, or resumed. `closed`: it takes no commands meanwhile."""
    value = _encoder.encode(_Order(paused=paused, closed=closed, comment=comment, source=source))
    return NewRecord(topic, f"{_PAUSE}/{account}".encode(), value)


def cancel(topic: str, account: str, group: str, source: str = "") -> NewRecord:
    """The record by which everything of a group that was not released yet is cancelled."""
    return NewRecord(topic, f"{_CANCEL}/{account}/{group}".encode(), _encoder.encode(_Order(source=source)))


def restore(topic: str, comment: str) -> NewRecord:
    """The record by which a log that was restored from a backup says so."""
    return NewRecord(topic, _RESTORE.encode(), _encoder.encode(_Order(comment=comment)))
