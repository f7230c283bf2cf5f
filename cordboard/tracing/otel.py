"""The port on OpenTelemetry's SDK: sampled by whoever began the trace, sent by OTLP from a thread of its own.

Only imported where tracing.endpoint is set; the libraries come with the extra `tracing`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cordboard.settings import Tracing
from cordboard.tracing import conventions
from cordboard.tracing.port import Attributes, Kind, Span, Value

_EXPORT_SECONDS: Final = 5
_BEHIND_A_LOG: Final = frozenset({Kind.PRODUCER, Kind.CONSUMER})
_KINDS: Final[Mapping[Kind, trace.SpanKind]] = {kind: trace.SpanKind[kind.name] for kind in Kind}
_propagator: Final = TraceContextTextMapPropagator()


class OtelSpan:
    """A span of the SDK."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        at = span.get_span_context()
        self.traceparent = f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}" if at.is_valid else ""

    def end(self, attributes: Attributes | None = None, *, error: str = "", at_ns: int | None = None) -> None:
        """See the port."""
        if attributes:
            self._span.set_attributes(attributes)
        if error:
            self._span.set_attribute(conventions.ERROR, error)
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end(at_ns)


class OtelTracer:
    """Begins spans with the SDK, for one process. `close` sends what is still here."""

    def __init__(self, settings: Tracing, role: str, system: str, processor: SpanProcessor | None = None) -> None:
        """`role` is a part of the service's name, `system` what carries messages; a test gives its own processor."""
        sampler = ParentBased(TraceIdRatioBased(settings.sample_ratio))
        self._provider = TracerProvider(sampler=sampler, resource=_resource(settings, role), shutdown_on_exit=False)
        self._provider.add_span_processor(processor or _exporting(settings))
        self._tracer = self._provider.get_tracer("cordboard", version("cordboard"))
        self._of_messages = {conventions.SYSTEM: system}

    def now_ns(self) -> int:
        """See the port."""
        return time.time_ns()

    def begin(
        self, name: str, kind: Kind, parent: str, attributes: Attributes, *, at_ns: int | None = None, link: str = ""
    ) -> Span:
        """See the port."""
        every: dict[str, Value] = {name: value for name, value in attributes.items() if value != ""}
        if kind in _BEHIND_A_LOG:
            every |= self._of_messages
        links = [trace.Link(at)] if (at := _place(link)).is_valid else []
        context = _context(parent)
        return OtelSpan(self._tracer.start_span(name, context, _KINDS[kind], every, links, at_ns))

    def close(self) -> None:
        """Send what is still here; blocks for as long as that takes, at most some seconds."""
        self._provider.shutdown()


def _resource(settings: Tracing, role: str) -> Resource:
    said = {"service.namespace": settings.service_name, "service.name": f"{settings.service_name}-{role}"}
    return Resource.create({**said, "service.version": version("cordboard"), "service.instance.id": platform.node()})


def _exporting(settings: Tracing) -> SpanProcessor:
    endpoint = settings.endpoint or ""
    exporter = OTLPSpanExporter(endpoint, insecure=endpoint.startswith("http://"), timeout=_EXPORT_SECONDS)
    return BatchSpanProcessor(exporter)


def _context(traceparent: str) -> Context:
    return _propagator.extract({"traceparent": traceparent} if traceparent else {}, Context())


def _place(traceparent: str) -> trace.SpanContext:
    return trace.get_current_span(_context(traceparent)).get_span_context()
