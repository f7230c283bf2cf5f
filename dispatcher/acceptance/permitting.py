"""What a caller may: a command held against its identity, and every denial as the refusal that doors give.

An account that a sender does not name is its only one; of several, a dial means the default one, if it is among them,
and any other command has to name it: whose the call is, only its owner knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from cordboard.access import Caller, Denied, NotPermitted, OverLimit, Share
from cordboard.catalogue import CATALOGUE
from cordboard.settings import Identity, Right
from cordboard.v1 import Command, result_pb2
from cordboard.validation import Violation
from cordboard.work import Lane
from dispatcher.acceptance.refusals import Refused, invalid
from dispatcher.accounts import Accounts

COMMAND: Final = "command"


@contextmanager
def refusing() -> Iterator[None]:
    """Raise Refused for what is denied inside."""
    try:
        yield
    except Denied as denied:
        raise refused_by(denied) from None


def refused_by(denied: Denied) -> Refused:
    """A denial as doors say it."""
    match denied:
        case NotPermitted():
            facts = {"identity": denied.identity, denied.kind: denied.named}
            return Refused(result_pb2.REASON_NOT_PERMITTED, str(denied), metadata=facts)
        case OverLimit():
            facts = {"identity": denied.identity, "limit": denied.limit}
            seconds = denied.retry_seconds
            return Refused(result_pb2.REASON_QUOTA_EXCEEDED, str(denied), metadata=facts, retry_seconds=seconds)
        case _:
            return Refused(result_pb2.REASON_UNAUTHENTICATED, str(denied))


def permit(command: Command, caller: Caller, accounts: Accounts, *, counts: bool = True) -> None:
    """Let a command be its caller's, with the account that is meant and its name as source. Raises Refused.

    `counts` False: it is known to repeat one that was counted.
    """
    with refusing():
        caller.need(Right.SEND)
        action = command.WhichOneof("action")
        if action is not None:  # Without one it is invalid, and is told so.
            caller.need_action(action)
        command.account = _account(command.account, caller, accounts, is_dial=command.HasField("dial"))
        # What ends a call is never held back.
        if counts and action is not None and CATALOGUE[action].expire_seconds is not None:
            caller.spend(share_of(action))
    if caller.name:
        command.source = caller.name
        caller.note(COMMAND)


def account_of(named: str, caller: Caller) -> str:
    """The account that a question names, or its caller's only one; "": it may be about any. Raises Refused."""
    with refusing():
        if named:
            caller.need_account(named)
        return named or caller.identity().only_account


def must_be_named(identity: Identity) -> Refused:
    """Several accounts could be meant."""
    sentence = f"account must be named: the sender may use {', '.join(identity.accounts)}"
    return invalid([Violation("account", sentence, "account.required")])


def share_of(action: str) -> Share:
    """What of its sender's limits a command counts to."""
    return Share.URGENT if CATALOGUE[action].lane is Lane.URGENT else Share.COMMAND


def _account(named: str, caller: Caller, accounts: Accounts, *, is_dial: bool) -> str:
    meant, identity = account_of(named, caller), caller.identity()
    if meant or identity.sees_all:
        return meant
    if is_dial and accounts.default and identity.may_use(accounts.default):
        return accounts.default
    raise must_be_named(identity)
