"""Ids in the shapes that Telnyx gives them, from a seeded source of randomness."""

from __future__ import annotations

import base64
import random
import uuid

_CALL_BYTES = 40  # As many as the ids seen in Telnyx's examples decode to: 54 characters after `v3:`.


class Ids:
    """Makes ids; the same seed makes the same ids."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def call(self) -> str:
        """A call_control_id: `v3:` and URL-safe Base64."""
        return "v3:" + base64.urlsafe_b64encode(self._rng.randbytes(_CALL_BYTES)).rstrip(b"=").decode()

    def uuid(self) -> str:
        """A leg, a session, an event, a stream."""
        return str(uuid.UUID(bytes=self._rng.randbytes(16), version=4))
