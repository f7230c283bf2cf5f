"""The workers' spans: each release from a worker's start on it to its report, and within it every request to Telnyx.

They are told when the release has ended, under the traceparent that came with the work. Telnyx is not given it: what
goes there is the same bytes whoever sends them, and our traces are none of its business.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from cordboard.topics import Topics
from cordboard.tracing import conventions as names
from cordboard.tracing.port import Kind, Tracer, Value, is_sampled
from cordboard.work import Verdict, Work
from workers.core.outcome import Meaning
from workers.events import Ended, Event, Tried, Unreported

_MS: Final = 1_000_000
_NS: Final = 1_000_000_000
_WELL: Final = frozenset({Meaning.ACCEPTED})


class _Try(NamedTuple):
    """One request, and when it ended."""

    tried: Tried
    ended_ns: int


class Spans:
    """An observer of one pool's events. `base_url` is where its requests go."""

    def __init__(self, tracer: Tracer, topics: Topics, pool: str, base_url: str) -> None:
        self._tracer = tracer
        self._topics = topics
        self._pool = pool
        server = urlsplit(base_url)
        self._server: dict[str, Value] = {names.SERVER_ADDRESS: server.hostname or ""}
        if server.port is not None:
            self._server[names.SERVER_PORT] = server.port
        self._tries: dict[tuple[str, str, int], list[_Try]] = {}  # Of releases that have not ended.

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Tried(work) if is_sampled(work.traceparent):
                self._tries.setdefault(_identity(work), []).append(_Try(event, self._tracer.now_ns()))
            case Ended(work, outcome) if is_sampled(work.traceparent):
                told: dict[str, Value] = {names.VERDICT: outcome.verdict.value, names.TRIES: outcome.tries}
                well = outcome.verdict is Verdict.DONE
                self._tell(work, event.lag_ms, told, "" if well else outcome.verdict.value)
            case Unreported(work) if is_sampled(work.traceparent):
                self._tell(work, 0, {}, "unreported")

    def _tell(self, work: Work, lag_ms: int, told: dict[str, Value], error: str) -> None:
        topic = self._topics.work(self._pool, work.lane)
        about: dict[str, Value] = {
            names.COMMAND: work.command_id,
            names.CALL: work.key,
            names.ACCOUNT: self._pool,
            names.ACTION: work.action,
            names.ATTEMPT: work.attempt,
        }
        attributes = names.working(topic, f"{self._topics.prefix}.worker.{self._pool}.{work.lane.value}") | about
        began_ns = (work.released_ms + max(lag_ms, 0)) * _MS
        span = self._tracer.begin(names.process(topic), Kind.CONSUMER, work.traceparent, attributes, at_ns=began_ns)
        for one in self._tries.pop(_identity(work), ()):
            self._tell_try(one, span.traceparent)
        span.end(told, error=error, at_ns=self._tracer.now_ns())

    def _tell_try(self, one: _Try, parent: str) -> None:
        work, reading = one.tried.work, one.tried.reading
        route = names.template_of(work.path)
        attributes: dict[str, Value] = {names.HTTP_METHOD: work.method, names.URL_TEMPLATE: route, **self._server}
        if one.tried.resend:
            attributes[names.HTTP_RESENDS] = one.tried.resend
        began_ns = one.ended_ns - round(one.tried.seconds * _NS)
        span = self._tracer.begin(f"{work.method} {route}", Kind.CLIENT, parent, attributes, at_ns=began_ns)
        status: dict[str, Value] = {names.HTTP_STATUS: reading.status} if reading.status else {}
        span.end(status, error="" if reading.meaning in _WELL else reading.meaning.value, at_ns=one.ended_ns)


def _identity(work: Work) -> tuple[str, str, int]:
    return work.key, work.command_id, work.attempt
