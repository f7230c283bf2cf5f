"""What a check finds: one sentence about one thing, how bad it is, and what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum

from cordboard.clock import Clock
from cordboard.settings import Settings


class Grade(StrEnum):
    """How a thing is. A warning need not be mended: it may be as somebody wants it."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of `subject`: a setting, or a part of the world. `remedy` says what to do, if anything.

    None of them holds a secret.
    """

    subject: str
    grade: Grade
    sentence: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Looking:
    """What a check is given."""

    settings: Settings
    clock: Clock


# A kind of check: finds one thing after another.
Check = Callable[[Looking], AsyncIterator[Finding]]


def ok(subject: str, sentence: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, Grade.OK, sentence)


def warning(subject: str, sentence: str, remedy: str) -> Finding:
    """It may be meant so, and may bite."""
    return Finding(subject, Grade.WARNING, sentence, remedy)


def error(subject: str, sentence: str, remedy: str) -> Finding:
    """It will not work."""
    return Finding(subject, Grade.ERROR, sentence, remedy)
