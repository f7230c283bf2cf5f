"""Webhooks as they come to an ingress: what each was, byte for byte, and how it was answered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cordboard.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER

HEADERS = (SIGNATURE_HEADER, TIMESTAMP_HEADER)


@dataclass(frozen=True, slots=True)
class Posting:
    """One request with a webhook. `status` is None for no answer; `is_served`: its ingress was up, and stayed so."""

    at: float
    event_id: str
    content: bytes
    status: int | None
    is_served: bool


def content_of(body: bytes, signature: str, timestamp: str) -> bytes:
    """What stands for a body with its two headers: equal for equal ones only."""
    made = hashlib.blake2b(digest_size=12)
    for part in (signature.encode(), timestamp.encode(), body):
        made.update(len(part).to_bytes(4) + part)
    return made.digest()
