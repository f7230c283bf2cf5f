"""Identities for tests of doors: a few with tokens of their own, and calls that show them."""

from __future__ import annotations

import hashlib
from typing import Any

from cordboard.access import Access
from cordboard.settings import Identity
from tests.rpc.door import CLOCK


def digest(token: str) -> str:
    """That by which settings know a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def identity(token: str, accounts: tuple[str, ...] = ("main",), **more: Any) -> Identity:
    """An identity that is known by a token."""
    return Identity(token_sha256=(digest(token),), accounts=accounts, **more)


def access(**identities: Identity) -> Access:
    """These are known, and nobody else. Their names are words, with _ for a hyphen."""
    return Access(CLOCK, {name.replace("_", "-"): one for name, one in identities.items()}, accounts=("main", "other"))


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call that shows a token."""
    return (("authorization", f"Bearer {token}"),)


EVERY_RIGHT = ("send", "read", "operate", "telnyx")
