"""Whether a webhook is Telnyx's own: Ed25519 over the time it was signed, a pipe, and the body as it came."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dispatcher.ingress.answers import Refused, Result

_UNIX_SECONDS: Final = re.compile(r"[0-9]{1,11}")


class Verifier:
    """Knows one account's public key."""

    def __init__(self, public_key: bytes, age_seconds_max: float) -> None:
        """`public_key` is the raw 32 bytes; a signature may be older or newer than now by `age_seconds_max`."""
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._age_ms_max = age_seconds_max * 1000

    def check_time(self, timestamp: str, now_ms: int) -> None:
        """Raise Refused for a time (Unix seconds as text) that is none, or is too far off: asked before the body."""
        if _UNIX_SECONDS.fullmatch(timestamp) is None:
            raise Refused(Result.FORGED)
        if abs(now_ms - int(timestamp) * 1000) > self._age_ms_max:
            raise Refused(Result.STALE)

    def check(self, timestamp: str, signature: str, body: bytes) -> None:
        """Raise Refused unless the signature (Base64) is the account's over this time and this body."""
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.verify(raw, timestamp.encode() + b"|" + body)
        except (binascii.Error, ValueError, InvalidSignature):
            raise Refused(Result.FORGED) from None
