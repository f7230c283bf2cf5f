"""From records to inputs: what an owner reads is turned into something that a page can be told, or set aside.

A record that cannot be read is a dead letter; a command that can be read but is invalid is refused, to whoever sent it.
What a command asks of Telnyx is built here, once: every resend, by whomever, is the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from cordboard import identity, marks, request, validation
from cordboard.catalogue import action_of, clears, completion_ms, goes_on, is_endless, joined_call
from cordboard.cloudevents import header, trace_of
from cordboard.letters import REPLAY_HEADER
from cordboard.log.port import Record, size_of
from cordboard.topics import Topics
from cordboard.v1 import command_pb2, options_pb2
from cordboard.validation import Violation
from cordboard.webhook import (
    ALIAS_HEADER,
    LEG_PREFIX,
    MalformedWebhook,
    dial_url,
    names_a_call,
)
from cordboard.work import decode_outcome
from dispatcher import telling
from dispatcher.accounts import Accounts
from dispatcher.core.commands import Ask
from dispatcher.core.inputs import Asked, CancelAsked, Input, Poisoned, Told
from dispatcher.core.page import Raw
from dispatcher.core.words import Placement
from dispatcher.webhooks import heard_in

CANCEL_TYPE = "cordboard.command.cancel.v1"
JSON_TYPE = "application/json"
# Of a record with a command: enough for the largest one in JSON, whatever has to be escaped, and for its headers.
COMMAND_RECORD_BYTES_MAX: Final = 1024 * 1024
VIOLATIONS_MAX: Final = 100  # That a refusal lists; there may be as many as a command has bytes.
_DETAIL_MAX: Final = 300

_ACCOUNT_MISSING = Violation("account", "account must be named: there is no default one", "account.required")
_PLACEMENTS = {
    options_pb2.PLACEMENT_LAST: Placement.LAST,
    options_pb2.PLACEMENT_NEXT: Placement.NEXT,
    options_pb2.PLACEMENT_NOW: Placement.NOW,
}


@dataclass(frozen=True, slots=True)
class Addressed:
    """An input for the page of `key`. `given` makes it, from the account that the page belongs to ("": not known).

    `poisoned` says how the command is to be remembered where it cannot be taken; None for what is no command. `topic`
    is where it belongs, "" where that is the topic that it came by.
    """

    key: str
    given: Callable[[str], Input | Invalid]
    poisoned: Poisoned | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A command that could be read, and says something that cannot be done."""

    command: command_pb2.Command
    account: str
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of which nothing can be made; `reason` is for people and repeats nothing of it.

    `detail` may, and goes nowhere but beside the record itself.
    """

    reason: str
    detail: str = ""


Reading = Addressed | Invalid | Unreadable


class Interpreter:
    """Reads the records of the owner's input topics."""

    def __init__(self, topics: Topics, accounts: Accounts) -> None:
        self._accounts = accounts
        self._topics = topics
        self._by_topic: dict[str, Callable[[Record], Reading]] = {
            topics.commands: self._command,
            topics.now: self._command,
            topics.outcomes: self._outcome,
            topics.webhooks: self._webhook,
        }

    def read(self, record: Record) -> Reading:
        """Turn a record into what it says; never raises for anything that a sender could have put there."""
        return self._by_topic[record.topic](record)

    def _command(self, record: Record) -> Reading:
        if (size := size_of(record)) > COMMAND_RECORD_BYTES_MAX:
            return Unreadable(f"it has {size} bytes; commands are read up to {COMMAND_RECORD_BYTES_MAX}")
        if not record.value:
            return Unreadable("it has no value: a command is expected there, in protobuf or JSON")
        if header(record.headers, "ce_type") == CANCEL_TYPE:
            return self._cancel(record)
        try:
            command = decode_command(record)
        except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
            return _no_command(record, error)
        if not command.command_id:
            command.command_id = header(record.headers, "ce_id")
        account = self._accounts.resolve(command.account)
        found = self._violations(command, record.time_ms)
        if found:
            return Invalid(command, account, tuple(found))
        key = identity.page_key(command, account)
        poisoned = Poisoned(_stub(command, account, record))
        topic = self._topics.commands if _placement(command) is not Placement.NOW else ""
        return Addressed(key, lambda of_call: self._asked(command, of_call, record), poisoned, topic)

    def _violations(self, command: command_pb2.Command, taken_ms: int) -> list[Violation]:
        if validation.too_large(command):
            limit = validation.COMMAND_BYTES_MAX
            return [Violation("", f"the command has more than {limit} bytes", "command.bytes")]
        # A time that passed on the way is no mistake of the sender's: the command expires, and says so.
        found = [one for one in validation.violations(command, taken_ms) if one.rule != validation.PAST_RULE]
        unknown = self._unknown_account(command)
        if unknown is not None:
            found.insert(0, unknown)
        if (more := len(found) - VIOLATIONS_MAX) > 0:
            found[VIOLATIONS_MAX:] = [Violation("", f"and {more} violations more", "command.violations")]
        return found

    def _unknown_account(self, command: command_pb2.Command) -> Violation | None:
        if command.account and command.account not in self._accounts:
            return _unknown(command.account)
        if command.HasField("dial") and not self._accounts.resolve(command.account):
            return _ACCOUNT_MISSING
        return None

    def _asked(self, command: command_pb2.Command, of_call: str, record: Record) -> Asked | Invalid:
        account = self._accounts.resolve(command.account, of_call)
        if not account:
            return Invalid(command, "", (_ACCOUNT_MISSING,))
        if account not in self._accounts:
            return Invalid(command, account, (_unknown(account),))
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        return Asked(self._ask(command, account, record), origin, again=bool(header(record.headers, REPLAY_HEADER)))

    def _ask(self, command: command_pb2.Command, account: str, record: Record) -> Ask:
        action = action_of(command)
        built = request.build(
            command, identity.telnyx_command_id(account, command.command_id), self._overrides(command, account)
        )
        never = action.expire_seconds is None
        return Ask(
            command_id=command.command_id,
            account=account,
            action=action.name,
            lane=action.lane,
            repeat=action.repeat,
            method=built.method,
            path=built.path,
            body=built.body,
            fingerprint=identity.fingerprint(command, account),
            accept_ms=record.time_ms,
            expire_ms=None if never or not command.HasField("expire_time") else command.expire_time.ToMilliseconds(),
            expire_after_ms=None if action.expire_seconds is None else action.expire_seconds * 1000,
            after_completed=command.start_after == command_pb2.START_AFTER_PREVIOUS_COMPLETED,
            requires=command.requires_command_id,
            placement=_placement(command),
            sequence=command.sequence,
            completion_ms=completion_ms(command),
            endless=is_endless(command),
            marks=marks.of_command(command),
            goes_on=goes_on(command),
            clears=clears(command),
            sensitive=command.sensitive,
            source=command.source,
            group=command.group,
            traceparent=trace_of(header(record.headers, "traceparent")),
            new_legs=max(len(command.transfer.to_list), len(command.dial.to_list), 1),
            joins=joined if names_a_call(joined := joined_call(command)) else "",
            destinations=built.destinations,
        )

    def _overrides(self, command: command_pb2.Command, account: str) -> dict[str, object]:
        """A dial's own webhook address: added after the fingerprint, so that a changed setting changes no command."""
        address = self._accounts.address(account)
        if address is None or not command.HasField("dial") or request.sets(command, "webhook_url"):
            return {}
        return {"webhook_url": dial_url(address.public_url, account, command.command_id, address.secret)}

    def _cancel(self, record: Record) -> Reading:
        try:
            wanted = command_pb2.CancelRequest.FromString(record.value)
        except DecodeError:
            return Unreadable("the value is no cancel request")
        if not wanted.cancel_id or not record.key:
            return Unreadable("the cancel request has no id, or no key")
        given = CancelAsked(wanted.cancel_id, tuple(wanted.command_ids), wanted.group)
        return Addressed(record.key.decode(errors="replace"), lambda _: given)

    def _outcome(self, record: Record) -> Reading:
        try:
            outcome = decode_outcome(record.value)
        except msgspec.MsgspecError as error:
            return Unreadable(f"the value is no outcome: {type(error).__name__}")
        return Addressed(outcome.key, lambda _: Told(outcome))

    def _webhook(self, record: Record) -> Reading:
        if header(record.headers, "ce_type") == telling.TOLD_TYPE:
            try:
                key, given = telling.read(record.value)
            except msgspec.MsgspecError as error:
                return Unreadable(f"the value is no word from a page: {type(error).__name__}")
            return Addressed(key, lambda _: given)
        try:
            heard = heard_in(record)
        except MalformedWebhook as error:
            return Unreadable(f"the value is no webhook: {error}")
        key = record.key.decode(errors="replace") if record.key else heard.call
        if header(record.headers, ALIAS_HEADER):
            heard = replace(heard, call=key)  # It names no call itself; the page of its alias has found it.
        elif key.startswith(LEG_PREFIX):
            heard = replace(heard, raw=Raw(record.key or b"", record.value, record.headers))
        return Addressed(key, lambda _: heard)


def _unknown(account: str) -> Violation:
    return Violation("account", f"account {account!r:.66} is not configured", "account.unknown")


def _placement(command: command_pb2.Command) -> Placement:
    return _PLACEMENTS[command.placement or action_of(command).placement]


def _no_command(record: Record, error: Exception) -> Unreadable:
    said = str(error).strip().partition("\n")[0][:_DETAIL_MAX]
    if _is_json(record):
        return Unreadable(f"the value is no command in JSON: {type(error).__name__}", said)
    hint = f"; JSON is read where the header content-type says {JSON_TYPE}" if record.value[:1] in b"{[" else ""
    return Unreadable(f"the value is no command in protobuf: {type(error).__name__}{hint}", said)


def _is_json(record: Record) -> bool:
    return header(record.headers, "content-type").lower().startswith(JSON_TYPE)


def decode_command(record: Record) -> command_pb2.Command:
    """Read a command as protobuf or as proto3 JSON, as its content type says; without one it is protobuf."""
    if _is_json(record):
        return json_format.Parse(record.value, command_pb2.Command())
    return command_pb2.Command.FromString(record.value)


def _stub(command: command_pb2.Command, account: str, record: Record) -> Ask:
    """The command without its request: enough to say that it was not taken."""
    action = action_of(command)
    return Ask(
        command_id=command.command_id,
        account=account,
        action=action.name,
        lane=action.lane,
        repeat=action.repeat,
        method="",
        path="",
        body=b"",
        fingerprint=b"",
        accept_ms=record.time_ms,
        source=command.source,
        group=command.group,
        traceparent=trace_of(header(record.headers, "traceparent")),
    )
