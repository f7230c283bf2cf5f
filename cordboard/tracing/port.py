"""The port: what the code says of a span. Nothing in here knows OpenTelemetry.

A span's place in its trace is a `traceparent` (W3C), the same text that travels in records and requests. What is not
sampled has one too, which says so; nobody further on begins spans under it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

Value = str | int
Attributes = Mapping[str, Value]


class Kind(enum.Enum):
    """What a span is to those around it, as OpenTelemetry has it."""

    INTERNAL = 0
    SERVER = 1
    CLIENT = 2
    PRODUCER = 3
    CONSUMER = 4


class Span(Protocol):
    """Something that takes time."""

    @property
    def traceparent(self) -> str:
        """Its place, for whoever goes on."""

    def end(self, attributes: Attributes | None = None, *, error: str = "", at_ns: int | None = None) -> None:
        """It is over, now or at a time (Unix nanoseconds); `error` is one word for what went wrong."""


class Tracer(Protocol):
    """Begins spans."""

    def now_ns(self) -> int:
        """The time that spans go by (Unix nanoseconds)."""

    def begin(
        self, name: str, kind: Kind, parent: str, attributes: Attributes, *, at_ns: int | None = None, link: str = ""
    ) -> Span:
        """Begin a span under a traceparent; under "" a trace of its own. `link` is another trace that it came from."""


def is_sampled(traceparent: str) -> bool:
    """Whether spans under it are kept: for whoever would gather what they need only for them."""
    return traceparent.endswith(("1", "3", "5", "7", "9", "b", "d", "f"))
