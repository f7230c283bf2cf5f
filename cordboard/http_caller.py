"""Who sends a request, by the certificate of its connection, which the handshake of TLS has verified."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cordboard.tls.names import Names, names_in

_CALLER: Final = "cordboard.caller"  # Where a request's scope has it.


def caller_of(scope: Scope) -> Names | None:
    """The names in the certificate of who sent a request; None where none was asked for."""
    names: Names | None = scope.get(_CALLER)
    return names


class KnownCaller(HttpToolsProtocol):
    """A connection whose requests say who sent them."""

    _caller: Names | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """See who it is."""
        super().connection_made(transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        shown = None if tls is None else tls.getpeercert(binary_form=True)
        self._caller = None if shown is None else names_in(shown)

    def on_message_begin(self) -> None:
        """Say so."""
        super().on_message_begin()
        self.scope[_CALLER] = self._caller  # type: ignore[typeddict-unknown-key]  # one more than uvicorn knows
