"""The guard before every call: counts it, turns it away when there is too much or an end, and says errors properly."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import grpc
import grpc.aio
import structlog

from cordboard.tracing.conventions import RPC_STATUS
from cordboard.tracing.port import Tracer
from dispatcher.acceptance.refusals import Refused, overloaded, shutting_down
from dispatcher.acceptance.stopping import Stopping
from dispatcher.rpc.callers import Callers
from dispatcher.rpc.events import Handled, Method, Observer, Started
from dispatcher.rpc.requests import UNREADABLE, tolerant, unreadable
from dispatcher.rpc.tracing import begin_call

_log = structlog.get_logger(__name__)
_KINDS: Final = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}
_MAKE: Final = {
    "unary": grpc.unary_unary_rpc_method_handler,
    "client_stream": grpc.stream_unary_rpc_method_handler,
    "server_stream": grpc.unary_stream_rpc_method_handler,
    "bidi_stream": grpc.stream_stream_rpc_method_handler,
}
Serve = Callable[[Any, Any], Awaitable[Any]]


class Guard(grpc.aio.ServerInterceptor):
    """Stands before the methods of these services; those of others (health, reflection) have their own ways."""

    def __init__(
        self,
        services: Collection[str],
        concurrent_max: int,
        stopping: Stopping,
        observe: Observer,
        callers: Callers,
        tracer: Tracer | None = None,
    ) -> None:
        self._callers = callers
        self._tracer = tracer
        self._services = services
        self._concurrent_max = concurrent_max
        self._stopping = stopping
        self._observe = observe
        self._handlers: dict[str, Any] = {}
        self.in_flight = 0
        self._by_kind: Counter[str] = Counter()
        self.idle = asyncio.Event()
        self.idle.set()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """Give the method's handler with the guard around it, made once for each method."""
        name = handler_call_details.method
        guarded = self._handlers.get(name)
        if guarded is not None:
            return guarded
        handler = await continuation(handler_call_details)
        service, _, called = name.removeprefix("/").partition("/")
        if handler is None or service not in self._services:
            return handler
        guarded = self._handlers[name] = self._guarded(handler, service, called)
        return guarded

    def _guarded(self, handler: Any, service: str, name: str) -> Any:
        kind = _KINDS[handler.request_streaming, handler.response_streaming]
        serve: Serve = handler.unary_unary or handler.stream_unary or handler.unary_stream or handler.stream_stream
        method = Method(service, name, kind)

        async def guarded(request: Any, context: Any) -> Any:
            return await self._serve(method, serve, request, context)

        return _MAKE[kind](guarded, tolerant(handler.request_deserializer), handler.response_serializer)

    async def _serve(self, method: Method, serve: Serve, request: Any, context: Any) -> Any:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._observe(Started(method))
        span = begin_call(self._tracer, method, context)
        code, reason = grpc.StatusCode.OK, ""
        self._enter(method.kind)
        try:
            self._let_in(method.kind)
            if request is UNREADABLE:
                raise unreadable()
            with self._callers.serving(method, request, context):
                return await serve(request, context)
        except Refused as refused:
            code, reason = refused.code, refused.name
            await context.abort_with_status(refused.status())
        except asyncio.CancelledError:
            code = grpc.StatusCode.CANCELLED
            raise
        except Exception:
            # Without our ErrorInfo: it says nothing about what will happen.
            code = grpc.StatusCode.INTERNAL
            _log.exception("a call failed", method=method.name)
            await context.abort(code, "The dispatcher failed to handle the call.")
        finally:
            self._leave(method.kind)
            self._observe(Handled(method, code, loop.time() - started, reason))
            if span is not None:
                span.end({RPC_STATUS: code.name}, error=reason or ("" if code is grpc.StatusCode.OK else code.name))

    def _let_in(self, kind: str) -> None:
        # Each kind has its own share: watches stay for hours, and must not lock out the hangups.
        if self._stopping.begun:
            raise shutting_down()
        if self._by_kind[kind] > self._concurrent_max:
            raise overloaded(f"{self._concurrent_max} {kind} calls are being served.")

    def _enter(self, kind: str) -> None:
        self.in_flight += 1
        self._by_kind[kind] += 1
        self.idle.clear()

    def _leave(self, kind: str) -> None:
        self.in_flight -= 1
        self._by_kind[kind] -= 1
        if not self.in_flight:
            self.idle.set()
