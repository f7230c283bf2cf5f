"""The log behind its seals, as the settings describe them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from prometheus_client import CollectorRegistry

from cordboard.log.port import Log, LogError
from cordboard.log.sealed import SealedLog
from cordboard.log.sealing import Sealing
from cordboard.log.sealing_metrics import SealingMetrics
from cordboard.roles.topics import specs_of, topics_of
from cordboard.settings import Settings


def sealed_topics(settings: Settings) -> set[str]:
    """The topics whose values are sealed where there is a key: all that are internal, and which others are chosen."""
    public = topics_of(settings).public
    chosen: Collection[str] | None = settings.sealing.public_topics
    if chosen is None:
        chosen = public if settings.log.kind == "embedded" else ()
    plain = {topic for name, topic in public.items() if name not in chosen}
    return {spec.name for spec in specs_of(settings)} - plain


def sealing_of(settings: Settings, metrics: SealingMetrics | None = None) -> Sealing:
    """The keys. Raises LogError for a file that cannot be read any more."""
    chosen, told = settings.sealing, (lambda name: None) if metrics is None else metrics.seals_by
    try:
        return Sealing(chosen.read_keys, accept_plain=chosen.accept_plain, on_newest=told)
    except (OSError, ValueError) as error:
        raise LogError(f"sealing.key_file {chosen.key_file} {error}") from error


def sealer(settings: Settings, registry: CollectorRegistry) -> Callable[[Log], SealedLog]:
    """Puts a log behind its seals, as all parts of a process are to see it. Raises LogError.

    Without a key nothing is sealed, and what is found sealed is still told of.
    """
    metrics = SealingMetrics(registry)
    sealing = sealing_of(settings, metrics)
    topics, ledger = sealed_topics(settings), topics_of(settings).ledger
    return lambda log: SealedLog(log, sealing, topics, ledger, metrics.unopened)
