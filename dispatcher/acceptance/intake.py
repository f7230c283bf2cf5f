"""The intake: what is checked before a command is accepted, and the one append that accepts it.

What depends on the message, the sender or this process is refused here; what depends on the call is a result, and is
decided by the call's owner, whichever process that is. So nothing here looks at a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from cordboard import validation
from cordboard.access import ANYBODY, Caller
from cordboard.catalogue import action_of
from cordboard.clock import Clock
from cordboard.cloudevents import CloudEvent, to_headers
from cordboard.identity import page_key
from cordboard.log.port import Appended, Log, LogError, NewRecord
from cordboard.orders import NO_ORDERS, Orders
from cordboard.topics import Topics
from cordboard.tracing import conventions as names
from cordboard.tracing.port import Kind, Span, Tracer
from cordboard.v1 import command_pb2, options_pb2, result_pb2
from cordboard.validation import COMMAND_BYTES_MAX, Violation
from dispatcher.acceptance import permitting
from dispatcher.acceptance.refusals import Refused, closed, invalid, of_log
from dispatcher.accounts import Accounts
from dispatcher.rendering import COMMAND_TYPE, PROTOBUF_TYPE

Knows = Callable[[str, str], Awaitable[bool]]


async def nobody_knows(key: str, command_id: str) -> bool:
    """Every command is new."""
    return False


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command that may be taken. `key` names its page; `account` is "" where only the call's page can tell it.

    `span` is of its record's being written, where it is traced.
    """

    command: command_pb2.Command
    account: str
    key: str
    record: NewRecord
    span: Span | None = None


class Intake:
    """Checks commands, and appends them."""

    def __init__(
        self,
        log: Log,
        topics: Topics,
        accounts: Accounts,
        clock: Clock,
        knows: Knows = nobody_knows,
        tracer: Tracer | None = None,
        orders: Callable[[], Orders] = lambda: NO_ORDERS,
    ) -> None:
        """`knows` tells whether a page has heard of a command id."""
        self._orders = orders
        self._tracer = tracer
        self._knows = knows
        self._log = log
        self._topics = topics
        self._accounts = accounts
        self._clock = clock

    async def admit_again(
        self, command: command_pb2.Command, traceparent: str = "", caller: Caller = ANYBODY, *, counts: bool = True
    ) -> Admitted:
        """Check a command that may have been accepted before. Raises Refused.

        Who asks again may come after the expire_time of what was accepted long ago. A refusal would say that nothing
        will happen, which is not so: the command goes the way of all repeats, to its first one's result.

        `counts` says whether it counts to what its caller may send; one that is known to be a repeat does not.
        """
        permitting.permit(command, caller, self._accounts, counts=counts)
        try:
            return self.admit(command, traceparent)
        except Refused as refused:
            late = [violation.rule for violation in refused.violations] == [validation.PAST_RULE]
            account = self._accounts.resolve(command.account)
            if not late or not await self._knows(page_key(command, account), command.command_id):
                raise
            return self._admitted(command, traceparent)

    def admit(self, command: command_pb2.Command, traceparent: str = "") -> Admitted:
        """Check a command. Raises Refused, with everything that is wrong at once."""
        if validation.too_large(command):
            raise _too_large(command.ByteSize())
        found = validation.violations(command, self._clock.now_ms())
        unknown = self._account_violation(command)
        if unknown is not None and not found and command.account:
            raise Refused(result_pb2.REASON_UNKNOWN_ACCOUNT, f"{unknown.description}.", violations=[unknown])
        if unknown is not None and all(one.field != "account" for one in found):
            found.append(unknown)
        if found:
            raise invalid(found)
        return self._admitted(command, traceparent)

    def _admitted(self, command: command_pb2.Command, traceparent: str) -> Admitted:
        account = self._accounts.resolve(command.account)
        self._must_be_open(account, command)
        key = page_key(command, account)
        topic = self._topic_of(command)
        span = None if self._tracer is None else _begin(self._tracer, command, topic, traceparent)
        trace = traceparent if span is None else span.traceparent
        return Admitted(command, account, key, _record(command, topic, key, trace), span)

    def _must_be_open(self, account: str, command: command_pb2.Command) -> None:
        """Turn away what is of an account that takes no commands, or may be. A hangup gets through."""
        shut = self._orders().closed
        if shut and (not account or account in shut) and not action_of(command).completion.ends_call:
            raise closed(account or ", ".join(sorted(shut)))

    def account_of(self, named: str, caller: Caller = ANYBODY) -> str:
        """The account that a question means. Raises Refused where it names an unknown one, or one of others."""
        named = permitting.account_of(named, caller)
        if named and named not in self._accounts:
            violation = _unknown(named)
            raise Refused(result_pb2.REASON_UNKNOWN_ACCOUNT, f"{violation.description}.", violations=[violation])
        return self._accounts.resolve(named)

    def shows(self, account: str, caller: Caller) -> bool:
        """Whether a caller may see what is of an account ("": of the default one). Raises Refused."""
        with permitting.refusing():
            return caller.identity().may_use(self._accounts.resolve(account))

    async def accept(self, every: Sequence[Admitted]) -> list[Appended]:
        """Write what was admitted, as `append` does."""
        error = "refused"
        try:
            appended = await self.append([one.record for one in every])
            error = ""
        finally:
            for one in every:
                if one.span is not None:
                    one.span.end(error=error)
        return appended

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Write records in their order; they are accepted when this returns. Raises Refused."""
        try:
            return await self._log.append(records)
        except LogError as error:
            raise of_log(error) from error

    def _account_violation(self, command: command_pb2.Command) -> Violation | None:
        if command.account:
            return None if command.account in self._accounts else _unknown(command.account)
        if command.HasField("dial") and not self._accounts.resolve(""):
            return Violation("account", "account must be named: there is no default one", "account.required")
        return None

    def _topic_of(self, command: command_pb2.Command) -> str:
        # Where the default of the action is meant, the owner resolves it the same way.
        placement = command.placement or action_of(command).placement
        return self._topics.now if placement == options_pb2.PLACEMENT_NOW else self._topics.commands


def _record(command: command_pb2.Command, topic: str, key: str, traceparent: str) -> NewRecord:
    event = CloudEvent(
        id=command.command_id,
        source=source_uri(command.source),
        type=COMMAND_TYPE,
        content_type=PROTOBUF_TYPE,
        traceparent=traceparent,
    )
    return NewRecord(topic, key.encode(), command.SerializeToString(), to_headers(event))


def _begin(tracer: Tracer, command: command_pb2.Command, topic: str, traceparent: str) -> Span:
    attributes = names.sending(topic) | {
        names.MESSAGE_ID: command.command_id,
        names.COMMAND: command.command_id,
        names.CALL: command.call_control_id,
        names.ACTION: action_of(command).name,
    }
    return tracer.begin(names.send(topic), Kind.PRODUCER, traceparent, attributes)


@lru_cache(maxsize=1024)  # There are few senders.
def source_uri(source: str) -> str:
    """The CloudEvents source of what somebody sent through this door."""
    return f"/cordboard/{quote(source or 'grpc', safe='/:@._~-')}"


def _unknown(account: str) -> Violation:
    return Violation("account", f"account {account!r:.66} is not configured", "account.unknown")


def _too_large(size: int) -> Refused:
    return Refused(
        result_pb2.REASON_COMMAND_TOO_LARGE,
        f"The command has {size} bytes; at most {COMMAND_BYTES_MAX} are taken.",
        violations=[Violation("", f"the command must have at most {COMMAND_BYTES_MAX} bytes", "command.bytes")],
        metadata={"bytes": str(size), "bytesMax": str(COMMAND_BYTES_MAX)},
    )
