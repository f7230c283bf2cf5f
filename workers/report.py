"""Writes outcomes into the log. An outcome is never dropped: what the log cannot take is held and tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cordboard.log.port import Log, LogError, NewRecord
from cordboard.work import Outcome, encode

_RETRY_SECONDS = 0.2


async def report(log: Log, topic: str, outcome: Outcome, on_trouble: Callable[[str, LogError], None]) -> None:
    """Append an outcome to the page that waits for it; returns when it is durable, however long that takes.

    An append that may have been written is repeated too: outcomes are idempotent by key, command and attempt.
    """
    record = NewRecord(topic, outcome.key.encode(), encode(outcome))
    while True:
        try:
            await log.append([record])
        except LogError as error:
            on_trouble("report", error)
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
