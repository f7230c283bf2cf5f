"""Why somebody is turned away, for each port to say in its own way. None of them holds a token."""

from __future__ import annotations


class Denied(Exception):
    """Nothing was done, and nothing will be. `outcome` is the word for it in metrics."""

    outcome = ""


class NotKnown(Denied):
    """Nobody proved who asks."""

    outcome = "unauthenticated"


class NotPermitted(Denied):
    """Who asks is known, and may not. `kind` is account, action or right, `named` which one is missing."""

    outcome = "not_permitted"

    def __init__(self, identity: str, kind: str, named: str, message: str) -> None:
        super().__init__(message)
        self.identity = identity
        self.kind = kind
        self.named = named


class OverLimit(Denied):
    """Who asks has used up a limit of its own; `retry_seconds` says when there is room again."""

    outcome = "quota_exceeded"

    def __init__(self, identity: str, limit: str, retry_seconds: float, message: str) -> None:
        super().__init__(message)
        self.identity = identity
        self.limit = limit
        self.retry_seconds = retry_seconds
