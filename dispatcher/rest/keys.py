"""The accounts' own keys: which account a key is of, Telnyx's or one whose hash the settings have; and the key."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from cordboard.access import bearer, hash_of
from cordboard.clock import Clock
from cordboard.settings import Account

_KEPT_MS: Final = 1_000  # A key's file is read this often at most; a replaced key counts from then on.


class Keys:
    """The accounts by their keys. Where two accounts have the same key, `first` is meant, else the first by name."""

    def __init__(self, accounts: Mapping[str, Account], first: str, clock: Clock) -> None:
        names = sorted(accounts, key=lambda name: (name != first, name))
        self._accounts = {name: accounts[name] for name in names}
        self._clock = clock
        self._hashes: list[tuple[str, bytes]] = []
        self._read_ms = -_KEPT_MS

    def account_of(self, authorization: str) -> str:
        """The account that a header names; "" where it names none."""
        shown = bearer(authorization)
        return next((name for name, known in self._every() if hmac.compare_digest(shown, known)), "")

    def telnyx_key(self, account: str) -> str | None:
        """The account's key at Telnyx; None where this process has none, or cannot read it now."""
        try:
            return self._accounts[account].read_api_key()
        except (OSError, ValueError):
            return None

    def base_url(self, account: str) -> str:
        """Where the account's API is."""
        return self._accounts[account].base_url

    def _every(self) -> list[tuple[str, bytes]]:
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._read_ms < _KEPT_MS:
            self._hashes, self._read_ms = self._read(), now_ms
        return self._hashes

    def _read(self) -> list[tuple[str, bytes]]:
        found = []
        for name, account in self._accounts.items():
            if key := self.telnyx_key(name):
                found.append((name, hash_of(key)))
            if account.door_key_sha256:
                found.append((name, bytes.fromhex(account.door_key_sha256)))
        return found
