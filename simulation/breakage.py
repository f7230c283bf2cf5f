"""The rules of the design that can be taken away, one at a time, to show that each is needed."""

from __future__ import annotations

import enum


class Breakage(enum.Enum):
    """A rule that is not kept. The text says what happens instead."""

    NO_FENCING = "a page counts whoever wrote it, though another has claimed the partition since (rule 2)"
    NO_CONTIGUITY = "an owner does not look whether somebody wrote between its own writes (rule 2)"
    NEITHER_FENCE = "neither of the two: what zombies write counts, and they do not notice (rule 2)"
    NOTHING_OWED = "a new owner does not send what the last pages owe (rule 1)"
    POSITIONS_FIRST = "the inputs are done before the outputs are out, and nothing is owed then (rules 1 and 3)"
    OUTPUTS_FIRST = "the outputs are out before the pages are written (rule 1)"
    COMMITS_UNFENCED = "a worker commits partitions that are another's by now (rule 6)"
    NO_RESERVATION = "a worker sends what its group's commit does not cover (rule 6)"
    UNSYNCED = "the embedded log acknowledges before it has synced (promise 1)"
    TORN = "the embedded log's settle is no transaction: a crash may leave its pages without its outputs (rule 13)"


Broken = frozenset[Breakage]
WHOLE: Broken = frozenset()
