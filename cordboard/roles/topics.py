"""The topics that the settings come to: their names, and what each must be."""

from __future__ import annotations

from cordboard.log.port import TopicSpec
from cordboard.settings import Settings
from cordboard.topics import Topics


def topics_of(settings: Settings) -> Topics:
    """The topics' names."""
    return Topics(settings.log.topic_prefix)


def specs_of(settings: Settings) -> list[TopicSpec]:
    """Every topic that these accounts need."""
    return topics_of(settings).specs(sorted(settings.accounts), settings.log.partitions)
