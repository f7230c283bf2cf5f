"""The spool of an ingress, by the settings."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from cordboard.clock import Clock
from cordboard.log.port import Appending
from cordboard.roles.sealing import sealing_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from dispatcher.ingress import Spool, SpoolMetrics


async def open_spool(settings: Settings, log: Appending, clock: Clock, registry: CollectorRegistry) -> Spool | None:
    """The spool, if one is set. Raises SpoolUnusable."""
    chosen, topics, metrics = settings.ingress, topics_of(settings), SpoolMetrics(registry)
    if chosen.spool is None:
        return None
    return await Spool.open(
        chosen.spool,
        log,
        topics.webhooks,
        clock,
        metrics,
        dead_letters=topics.dead_letters,
        size_max=chosen.spool_bytes_max,
        sealing=sealing_of(settings),
    )
