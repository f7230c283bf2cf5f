"""Forwarding's spans: an event from when it was handed on until its endpoint took it, or it was given up.

They hang beneath the webhook's own, whose traceparent the endpoint is given too.
"""

from __future__ import annotations

from typing import Final

from cordboard.cloudevents import header, trace_of
from cordboard.tracing import conventions as names
from cordboard.tracing.port import Kind, Tracer, is_sampled
from workers.core.forwarding import Parcel
from workers.forwarding.events import Abandoned, Delivered, Event

_MS: Final = 1_000_000


class Spans:
    """An observer of one account's forwarder."""

    def __init__(self, tracer: Tracer, account: str) -> None:
        self._tracer = tracer
        self._account = account

    def __call__(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Delivered(parcel):
                self._tell(parcel, "")
            case Abandoned(parcel, _, why):
                self._tell(parcel, why.value)

    def _tell(self, parcel: Parcel, error: str) -> None:
        record = parcel.record
        trace = trace_of(header(record.headers, "traceparent"))
        if not is_sampled(trace):
            return
        about = {names.MESSAGE_ID: parcel.event_id, names.EVENT: parcel.event_type, names.ACCOUNT: self._account}
        attributes = names.processing(record) | about
        began_ns = record.time_ms * _MS
        span = self._tracer.begin(names.process(record.topic), Kind.CONSUMER, trace, attributes, at_ns=began_ns)
        span.end({names.TRIES: parcel.tries}, error=error, at_ns=max(self._tracer.now_ns(), began_ns))
