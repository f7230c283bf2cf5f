"""What an expression of PromQL names: metrics, the labels that it looks at or groups by, and the values it wants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR: Final = re.compile(r"\b([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_BETWEEN: Final = re.compile(r"\s(?:or|and|unless|[-+*/])\s")
_OURS: Final = re.compile(r"(?:cordboard|grpc|process|python)_\w+")
# What Prometheus itself adds to every series.
ADDED: Final = frozenset({"job", "instance"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A metric, with what is wanted of its labels."""

    metric: str
    labels: frozenset[str]
    values: frozenset[tuple[str, str]]


def wanted(expr: str) -> Iterator[Wanted]:
    """Every metric that the expression names. What stands on either side of an operator is grouped for itself."""
    for part in _BETWEEN.split(expr):
        grouped = {label.strip() for found in _GROUPING.findall(part) for label in found.split(",") if label.strip()}
        for name, braced in _SELECTOR.findall(_GROUPING.sub("", part)):
            if _OURS.fullmatch(name):
                matchers = _MATCHER.findall(braced)
                labels = frozenset({label for label, _, _ in matchers} | grouped) - ADDED
                yield Wanted(
                    name, labels, frozenset((label, one) for label, _, text in matchers for one in text.split("|"))
                )


def unread(expr: str) -> list[str]:
    """The words of an expression that look like metrics of ours and stand in no selector: none, where all is read."""
    named = {one.metric for one in wanted(expr)}
    return [word for word in _OURS.findall(_GROUPING.sub("", _TEXT.sub("", expr))) if word not in named]
