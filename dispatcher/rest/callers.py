"""Who asks at this door: an identity by its token, or an account by its own key; and which account is meant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

from cordboard.access import Access, Caller, NotKnown, Proof
from cordboard.settings import Identity
from dispatcher.acceptance import permitting
from dispatcher.acceptance.refusals import Refused
from dispatcher.accounts import Accounts
from dispatcher.rest.answers import of_case, of_refusal
from dispatcher.rest.keys import Keys
from dispatcher.rest.requests import Head, TurnedAway

ACCOUNT_HEADER: Final = "x-cordboard-account"


class Callers:
    """Lets callers in. An account's key is a way in beside the identities: it opens Telnyx itself, too."""

    def __init__(self, access: Access, keys: Keys, accounts: Accounts) -> None:
        self._access = access
        self._keys = keys
        self._accounts = accounts

    def caller(self, head: Head) -> Caller:
        """Who asks. Raises TurnedAway."""
        shown = head.headers.get("authorization", "")
        if account := self._keys.account_of(shown):
            return Caller.of_account(account, f"account:{account}" if self._access.asks else "")
        if not self._access.asks:
            raise TurnedAway(of_case("KEY_UNKNOWN", "The bearer key is that of none of the accounts here."))
        try:
            return self._access.caller(proof_of(head))
        except NotKnown:
            detail = "The bearer token is that of no identity, and the key of no account here."
            raise TurnedAway(of_case("KEY_UNKNOWN", detail)) from None

    def account_of_command(self, head: Head, caller: Caller, *, is_dial: bool) -> str:
        """The account of a command; "": its call's. Raises TurnedAway."""
        account = self._named(head, caller)
        if account or (not is_dial and _identity(caller).sees_all):
            return account
        return self._default(caller) if is_dial else _unnamed(caller)

    def account_of_request(self, head: Head, caller: Caller) -> str:
        """The account of what is no command, and so of no call that is known here. Raises TurnedAway."""
        return self._named(head, caller) or self._default(caller)

    def _named(self, head: Head, caller: Caller) -> str:
        with turning_away():
            account = permitting.account_of(head.headers.get(ACCOUNT_HEADER, "").strip(), caller)
        if account and account not in self._accounts:
            raise TurnedAway(of_case("UNKNOWN_ACCOUNT", f"No account {account!r:.66} is configured here."))
        return account

    def _default(self, caller: Caller) -> str:
        default = self._accounts.default
        return default if default and _identity(caller).may_use(default) else _unnamed(caller)


@contextmanager
def turning_away() -> Iterator[None]:
    """Raise TurnedAway for what is denied or refused inside."""
    try:
        with permitting.refusing():
            yield
    except Refused as refused:
        raise TurnedAway(of_refusal(refused)) from None


def proof_of(head: Head) -> Proof:
    """What a request shows: its token, and the names in the certificate of its connection."""
    return Proof.of(head.headers.get("authorization", ""), head.names)


def _identity(caller: Caller) -> Identity:
    with turning_away():
        return caller.identity()


def _unnamed(caller: Caller) -> NoReturn:
    its = ", ".join(_identity(caller).accounts)
    detail = f"The account must be named in the header {ACCOUNT_HEADER}; the sender may use {its}."
    raise TurnedAway(of_case("INVALID_COMMAND", detail))
