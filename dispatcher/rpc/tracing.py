"""The door's spans: a call that is served. Within it is that of the record by which a command is accepted (intake)."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

from cordboard.cloudevents import trace_of
from cordboard.tracing import conventions as names
from cordboard.tracing.port import Kind, Span, Tracer
from dispatcher.rpc.events import Method

_serving: Final[ContextVar[str]] = ContextVar("traceparent of the call that is served", default="")


def begin_call(tracer: Tracer | None, method: Method, context: Any) -> Span | None:
    """Begin the span of a call, under its caller's; of a stream none, for it may last for hours."""
    if tracer is None or method.kind != "unary":
        return None
    name = f"{method.service}/{method.name}"
    attributes = {names.RPC_SYSTEM: "grpc", names.RPC_METHOD: name}
    span = tracer.begin(name, Kind.SERVER, _of_caller(context), attributes)
    _serving.set(span.traceparent)  # Each call is served by a task of its own.
    return span


def traceparent_of(context: Any) -> str:
    """Under what a command of this call is to be traced: the call's own span, else what its caller sent."""
    return _serving.get() or _of_caller(context)


def _of_caller(context: Any) -> str:
    """The caller's W3C trace context, or an empty string where it sent none that is one."""
    for name, value in context.invocation_metadata() or ():
        if name == "traceparent" and isinstance(value, str) and (trace := trace_of(value)):
            return trace
    return ""
