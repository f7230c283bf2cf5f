"""The signature on webhooks: Ed25519 over `timestamp|raw body`."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Signer:
    """A key pair, as Telnyx has one per account."""

    def __init__(self, seed: bytes | None = None) -> None:
        """`seed`: 32 bytes. Raises ValueError for any other length."""
        self._key = Ed25519PrivateKey.from_private_bytes(seed) if seed else Ed25519PrivateKey.generate()

    @property
    def public_key(self) -> str:
        """Base64 of the 32 bytes, as the portal shows it."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def headers(self, body: bytes, unix_seconds: float) -> dict[str, str]:
        """The two headers that prove a body's origin and age."""
        timestamp = str(int(unix_seconds))
        signature = self._key.sign(timestamp.encode() + b"|" + body)
        return {
            "telnyx-timestamp": timestamp,
            "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        }
