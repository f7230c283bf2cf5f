"""Somebody who asks, for as long as that lasts: what may be done, and how much of it.

Who it is was proved once; what it may is looked up anew each time, so that an identity which is taken away, or loses
a token, is out of the streams that it has open, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from cordboard.access.denials import Denied, NotKnown, NotPermitted, OverLimit
from cordboard.access.usage import Share, Usage
from cordboard.settings import Identity, Right

BUSY_RETRY_SECONDS: Final = 0.5
_EVERYTHING: Final = Identity(accounts=("*",), rights=tuple(Right))
Note = Callable[[str, str], None]
"""Told what came of a request: the identity's name, and the outcome."""


def ignore(name: str, outcome: str) -> None:
    """Look away."""


class Caller:
    """`name` is the identity's, "" where nobody has to prove who asks."""

    def __init__(
        self, name: str, look: Callable[[], Identity], usage: Usage | None = None, note: Note = ignore
    ) -> None:
        """`look` says what the identity is now. Raises NotKnown where it is no longer one."""
        self.name = name
        self._look = look
        self._usage = usage
        self._note = note

    @classmethod
    def of_account(cls, account: str, name: str) -> Caller:
        """Who shows an account's own key may do at it what the key opens anyway."""
        rights = (Right.SEND, Right.READ, Right.TELNYX)
        identity = Identity(accounts=(account,), rights=rights)
        return cls(name, lambda: identity)

    def identity(self) -> Identity:
        """What it is now. Raises NotKnown."""
        try:
            return self._look()
        except NotKnown as error:
            self._note(self.name, error.outcome)
            raise

    def note(self, outcome: str) -> None:
        """Count what came of a request."""
        self._note(self.name, outcome)

    def need(self, *rights: Right) -> None:
        """Go on with one of these rights. Raises NotKnown, NotPermitted."""
        if not {*rights} & {*self.identity().rights}:
            named = " or ".join(rights)
            raise self._denied("right", named, f"has not the right {named}")

    def need_account(self, account: str) -> None:
        """Go on where it may use an account. Raises NotKnown, NotPermitted."""
        identity = self.identity()
        if not identity.may_use(account):
            its = ", ".join(identity.accounts)
            raise self._denied("account", account, f"may not use the account {account!r:.66}; it may use {its}")

    def need_all_accounts(self, what: str) -> None:
        """Go on where it may use every account. Raises NotKnown, NotPermitted."""
        if not self.identity().sees_all:
            raise self._denied("account", "*", f"may not use all accounts, of all of which {what} are")

    def need_action(self, action: str) -> None:
        """Go on where it may send an action. Raises NotKnown, NotPermitted."""
        if not self.identity().may_send(action):
            raise self._denied("action", action, f"may not send the action {action}")

    def spend(self, share: Share) -> None:
        """Count a command. Raises OverLimit."""
        per_second = self.identity().commands_per_second
        if per_second is None or self._usage is None:
            return
        if (seconds := self._usage.spend(share, per_second)) > 0:
            said = f"has sent {per_second:g} commands of the share {share} within a second, which is its limit here"
            raise self._over("commands_per_second", seconds, said)

    @contextmanager
    def busy(self, share: Share) -> Iterator[None]:
        """Count a request while it is served. Raises OverLimit."""
        most = self.identity().concurrent_max
        if most is None or self._usage is None:
            yield
            return
        if self._usage.busy[share] >= most:
            said = f"has {most} requests of the share {share} served now, which is its limit here"
            raise self._over("concurrent_max", BUSY_RETRY_SECONDS, said)
        self._usage.busy[share] += 1
        try:
            yield
        finally:
            self._usage.busy[share] -= 1

    def _denied(self, kind: str, named: str, what: str) -> Denied:
        self.note(NotPermitted.outcome)
        return NotPermitted(self.name, kind, named, f"{self._called()} {what}.")

    def _over(self, limit: str, seconds: float, what: str) -> Denied:
        self.note(OverLimit.outcome)
        return OverLimit(self.name, limit, seconds, f"{self._called()} {what}.")

    def _called(self) -> str:
        return f"The sender {self.name!r}" if self.name else "The account's key"


ANYBODY: Final = Caller("", lambda: _EVERYTHING)
