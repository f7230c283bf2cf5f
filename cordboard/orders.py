"""What operators want of all processes, as the control topic has it: paused accounts, cancelled groups, a restore.

A record's key names the subject and its last word counts: `pause/<account>`, `cancel/<account>/<group>`, `restore`. The
value is JSON, for whoever looks. What cannot be read is passed over: an order that nobody understands must not stop
calls.

The last word is the one that was given last. A write that was given up may be there all the same, seconds later: then
a pause of before would be the last record, and stand against the resume that came between. So each order of a pause has
the time at which it was given, later than any that its door has heard of, and what was given before the one in force is
void.
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
    given_ms: int = 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Order)


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders in force. `cancelled` says, by account and group, when the log took the latest cancel (Unix ms).

    `given` says by account when the latest order to pause or resume it was given (Unix ms), and `void` for which
    accounts the log's last record is one that does not count. `closed` are those paused accounts for which no command
    is taken either. `restored_ms`: when the log was restored from a backup, 0 for never; what became since the backup
    of what it had taken by then, nobody can know.
    """

    paused: frozenset[str] = frozenset()
    cancelled: Mapping[tuple[str, str], int] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    restored_ms: int = 0
    given: Mapping[str, int] = field(default_factory=dict, compare=False)
    void: frozenset[str] = field(default=frozenset(), compare=False)

    def next_ms(self, account: str, now_ms: int) -> int:
        """When an order that is given now is given: after all that is known."""
        return max(now_ms, self.given.get(account, 0) + 1)

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
            return self._set(account, said, said.given_ms or record.time_ms)
        if kind == _RESTORE:
            return replace(self, restored_ms=record.time_ms)
        if kind == _CANCEL and group and record.value:
            since_ms = record.time_ms - CANCEL_MEMORY_MS
            kept = {subject: at for subject, at in self.cancelled.items() if at > since_ms}
            return replace(self, cancelled={**kept, (account, group): record.time_ms})
        return self

    def _set(self, account: str, said: _Order, given_ms: int) -> Orders:
        if given_ms < self.given.get(account, 0):
            return replace(self, void=self.void | {account})
        here = frozenset({account})
        return replace(
            self,
            paused=self.paused | here if said.paused else self.paused - here,
            closed=self._closed_after(here, said),
            given={**self.given, account: given_ms},
            void=self.void - here,
        )

    def _closed_after(self, here: frozenset[str], said: _Order) -> frozenset[str]:
        """Only a resume opens what is closed; a pause of before or after it leaves that as it is."""
        if said.closed:
            return self.closed | here
        return self.closed if said.paused else self.closed - here

    def restated(self, topic: str) -> list[NewRecord]:
        """The records that say again what is in force where the log's last word is void: compaction keeps only that."""
        return [
            pause(
                topic,
                account,
                paused=account in self.paused,
                closed=account in self.closed,
                given_ms=self.given[account],
            )
            for account in sorted(self.void)
        ]


NO_ORDERS: Final = Orders()


def pause(
    topic: str,
    account: str,
    *,
    paused: bool,
    closed: bool = False,
    given_ms: int = 0,
    comment: str = "",
    source: str = "",
) -> NewRecord:
    """The record by which an account is paused, or resumed. `closed`: it takes no commands meanwhile.

    `given_ms` is as `Orders.next_ms` says; 0: the log's time.
    """
    value = _encoder.encode(_Order(paused=paused, closed=closed, comment=comment, source=source, given_ms=given_ms))
    return NewRecord(topic, f"{_PAUSE}/{account}".encode(), value)


def cancel(topic: str, account: str, group: str, source: str = "") -> NewRecord:
    """The record by which everything of a group that was not released yet is cancelled."""
    return NewRecord(topic, f"{_CANCEL}/{account}/{group}".encode(), _encoder.encode(_Order(source=source)))


def restore(topic: str, comment: str) -> NewRecord:
    """The record by which a log that was restored from a backup says so."""
    return NewRecord(topic, _RESTORE.encode(), _encoder.encode(_Order(comment=comment)))
