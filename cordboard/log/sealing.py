"""Sealing: values as AES-256-GCM makes them, bound to the place where they belong, under keys that can be changed.

A sealed value is

    C1 63 62 01 | length of the key's name | its name | salt (16 bytes) | nonce (12) | what AES-GCM made of it (+ 16)

The first four bytes begin nothing else that we write or take: no MessagePack, no text in UTF-8, no field of a protobuf.

Many processes seal under one key, and AES-GCM breaks where two values share a key and a nonce. Random nonces alone are
good for 2**32 values (NIST SP 800-38D), which a busy cluster writes in days. So each writer has a key of its own:
derived from the named one and a random salt by HMAC-SHA256, and given up after 2**24 values, of which two have the same
nonce with a chance of 2**-49. How often that may be done has no bound that matters.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cordboard.log.port import Headers, LogError

MAGIC: Final = b"\xc1cb\x01"
KEY_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_VALUES_MAX: Final = 2**24  # Under one salt.
_CIPHERS_MAX: Final = 1024  # Of writers whose values were read; who comes back is derived again, in microseconds.
_LOOK_SECONDS: Final = 1.0  # Between two looks into the file for a key that is not known.
_LABEL: Final = b"cordboard sealing 1"

_encode = msgspec.msgpack.Encoder().encode


class Unopened(LogError):
    """A sealed value cannot be opened. `why` is unknown_key, altered or plain."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its name."""

    name: str
    secret: bytes = field(repr=False)


def place(topic: str, key: bytes | None, headers: Headers = ()) -> bytes:
    """What a value is bound to: elsewhere, under another key, or with other headers beside it, it does not open."""
    return _encode((topic, key, headers))


class Sealing:
    """Seals under the newest key, opens by all. `read_keys` reads the keys, the newest last; no keys, no sealing.

    The keys are read again when a value names one that is not known: so a new key may be handed out to all processes
    first, and is used by each from its next start, or from when it meets it, whichever is sooner.
    """

    def __init__(
        self,
        read_keys: Callable[[], Sequence[Key]] = tuple,
        *,
        accept_plain: bool = True,
        on_newest: Callable[[str], None] = lambda name: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises what `read_keys` raises. `accept_plain`: whether values that are not sealed are taken as they are.

        `on_newest` is told the name of the key that seals, whenever the keys were read.
        """
        self._read_keys = read_keys
        self._accept_plain = accept_plain
        self._on_newest = on_newest
        self._now = now
        self._looked = 0.0
        self._ciphers: dict[bytes, AESGCM] = {}
        self._take(read_keys())

    @property
    def newest(self) -> str:
        """The name of the key that seals; "" without one."""
        return self._newest.name if self._newest is not None else ""

    def concerns(self, value: bytes, *, is_strict: bool) -> bool:
        """Whether a value has to be opened; `is_strict`: where only sealed ones belong, plain ones may be refused."""
        return value.startswith(MAGIC) or (is_strict and not self._accept_plain)

    def seal(self, at: bytes, value: bytes) -> bytes:
        """Seal a value for a place."""
        if not self._left:
            self._begin()
        self._left -= 1
        nonce = os.urandom(_NONCE_BYTES)
        return self._front + nonce + self._cipher.encrypt(nonce, value, at)

    def open(self, at: bytes, value: bytes) -> bytes:
        """Open what was sealed for this place; what was not sealed is given back, if it may be. Raises Unopened."""
        if not value.startswith(MAGIC):
            if self._accept_plain:
                return value
            raise Unopened("plain", "is not sealed, and sealing.accept_plain is false")
        salt_at = len(MAGIC) + 1 + value[len(MAGIC)] if len(value) > len(MAGIC) else len(value)
        nonce_at = salt_at + _SALT_BYTES
        if len(value) < nonce_at + _NONCE_BYTES + _TAG_BYTES:
            raise Unopened("altered", "begins as if it were sealed, and is cut short")
        cipher = self._cipher_of(value[:nonce_at], salt_at)
        nonce, sealed = value[nonce_at : nonce_at + _NONCE_BYTES], value[nonce_at + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, sealed, at)
        except InvalidTag:
            name = value[len(MAGIC) + 1 : salt_at].decode(errors="replace")
            why = "it was altered, or brought here from elsewhere, or another key has the same name"
            raise Unopened("altered", f"was sealed by key {name!r} and does not open: {why}") from None

    def _cipher_of(self, front: bytes, salt_at: int) -> AESGCM:
        cipher = self._ciphers.get(front)
        if cipher is None:
            name = front[len(MAGIC) + 1 : salt_at].decode(errors="replace")
            if len(self._ciphers) >= _CIPHERS_MAX:
                self._ciphers.clear()
            cipher = self._ciphers[front] = _derived(self._secret(name), front[salt_at:])
        return cipher

    def _secret(self, name: str) -> bytes:
        trouble = "" if name in self._keys else self._look_again()
        if name in self._keys:
            return self._keys[name]
        known = ", ".join(map(repr, self._keys)) or "none"
        where = trouble or f"which is not in sealing.key_file (known: {known})"
        raise Unopened("unknown_key", f"was sealed by key {name!r}, {where}: put that key back into the file")

    def _look_again(self) -> str:
        """Read the keys anew, though not all the time; what was wrong with that."""
        if self._now() < self._looked + _LOOK_SECONDS:
            return ""
        try:
            self._take(self._read_keys())
        except (OSError, ValueError) as error:
            self._looked = self._now()
            return f"and sealing.key_file cannot be read any more ({error})"
        return ""

    def _take(self, keys: Sequence[Key]) -> None:
        self._looked = self._now()
        self._keys = {key.name: key.secret for key in keys}
        self._newest = keys[-1] if keys else None
        self._left = 0
        self._on_newest(self.newest)

    def _begin(self) -> None:
        """Have a key of our own from now on."""
        if self._newest is None:
            raise ValueError("there is no key to seal by")
        name, salt = self._newest.name.encode(), os.urandom(_SALT_BYTES)
        self._front = MAGIC + bytes((len(name),)) + name + salt
        self._cipher = _derived(self._newest.secret, salt)
        self._left = _VALUES_MAX


def _derived(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(hmac.digest(secret, _LABEL + salt, "sha256"))
