"""The settings beyond their form: what each role would miss."""

from __future__ import annotations

from collections.abc import AsyncIterator

from cordboard.cli.checks.findings import Finding, Looking, error, ok, warning
from cordboard.settings import EVERY_DUTY
from cordboard.settings.duties import missed


async def duties(looking: Looking) -> AsyncIterator[Finding]:
    """On Kafka each machine may have the settings of its own roles only; on the embedded log one process needs all."""
    settings = looking.settings
    accounts = ", ".join(sorted(settings.accounts)) or "none"
    yield ok("settings", f"every value is right by itself and beside the others; accounts: {accounts}")
    judge = error if settings.log.kind == "embedded" else warning
    for paths, sentence in missed(settings, EVERY_DUTY):
        where = ".".join(paths[0])
        yield judge(where, sentence, f"set {' or '.join('.'.join(path) for path in paths)} where that role runs")
