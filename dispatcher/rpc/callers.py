"""Who calls: proved by what a call shows, held against what its method wants, and known to the method while it serves.

A call is served by a task of its own, so what is kept here is that of one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from cordboard.access import ANYBODY, Access, Caller, Proof, Right, Share
from cordboard.v1 import dispatcher_service_pb2 as service
from dispatcher.acceptance.permitting import refusing, share_of
from dispatcher.rpc.certificate import names_of_caller
from dispatcher.rpc.events import Method

_calling: Final[ContextVar[Caller]] = ContextVar("who calls", default=ANYBODY)
# What each method wants: one of these rights. Streams judge each item, too; what an order is about, it says itself.
_RIGHTS: Final[Mapping[str, tuple[Right, ...]]] = {
    "Submit": (Right.SEND,),
    "SubmitStream": (Right.SEND,),
    "Execute": (Right.SEND,),
    "ExecuteStream": (Right.SEND,),
    "CancelCommands": (Right.SEND, Right.OPERATE),
    "GetCommand": (Right.SEND, Right.READ),
    "GetCall": (Right.READ,),
    "Watch": (Right.READ,),
    "ListCalls": (Right.READ,),
}
_SHARES: Final = {"client_stream": Share.STREAM, "server_stream": Share.WATCH, "bidi_stream": Share.STREAM}


def calling() -> Caller:
    """Who made the call that is served here."""
    return _calling.get()


def proof_of(context: Any) -> Proof:
    """What a call shows: its token, and the names in the certificate of its connection, which TLS has verified."""
    token = next((value for name, value in context.invocation_metadata() or () if name == "authorization"), "")
    return Proof.of(token if isinstance(token, str) else "", names_of_caller(context))


class Callers:
    """Lets callers in."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @contextmanager
    def serving(self, method: Method, request: Any, context: Any) -> Iterator[None]:
        """Serve a call inside, where its caller may make it. Raises Refused."""
        if not self._access.asks:
            yield
            return
        with ExitStack() as busy:
            with refusing():
                caller = self._access.caller(proof_of(context))
                caller.need(*_RIGHTS.get(method.name, (Right.OPERATE,)))
                busy.enter_context(caller.busy(_share_of(method, request)))
            _calling.set(caller)
            yield

    def known(self, context: Any) -> Caller:
        """Who calls, where nothing more is wanted of it. Raises Refused."""
        with refusing():
            return self._access.caller(proof_of(context)) if self._access.asks else ANYBODY


def _share_of(method: Method, request: Any) -> Share:
    if method.kind != "unary":
        return _SHARES[method.kind]
    if not isinstance(request, service.SubmitRequest | service.ExecuteRequest):
        return Share.QUESTION
    action = request.command.WhichOneof("action")
    return Share.COMMAND if action is None else share_of(action)
