"""A collector of spans on loopback: OTLP over gRPC with the official protos, which keeps what comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import grpc.aio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as stubs
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True, slots=True)
class Span:
    """One span as it came."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    service: str
    attributes: dict[str, Any]
    links: tuple[str, ...]  # Traces.
    failed: bool
    began_ns: int
    ended_ns: int


class Collector(stubs.TraceServiceServicer):
    """`async with` listens; `spans` are all that came."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        self._server = grpc.aio.server()
        stubs.add_TraceServiceServicer_to_server(self, self._server)

    async def __aenter__(self) -> Self:
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(0)

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the method's name in the proto
        self.raw += request.SerializeToString()
        self.spans.extend(read(request))
        return otlp.ExportTraceServiceResponse()

    def of(self, trace: str) -> list[Span]:
        """The spans of a trace, in the order in which they began."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.began_ns)


def read(request: Any) -> Iterator[Span]:
    for resource in request.resource_spans:
        service = attributes_of(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    name=span.name,
                    kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    service=service,
                    attributes=attributes_of(span.attributes),
                    links=tuple(link.trace_id.hex() for link in span.links),
                    failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    began_ns=span.start_time_unix_nano,
                    ended_ns=span.end_time_unix_nano,
                )


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
