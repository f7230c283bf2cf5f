"""The newest identity that some files gave: they are looked at for each handshake, and what is unfit changes nothing.

Looked at when it is needed, and not by a task: what a handshake is given is then never older than the files, and a
process that nobody connects to reads nothing. A scrape of the metrics looks, too.
"""

from __future__ import annotations

import ssl
import threading
import time
from typing import Any, Final, Self

import structlog

from cordboard.tls.files import versions
from cordboard.tls.identity import Files, Identity, Unfit, read

_log = structlog.get_logger(__name__)
# Files that were refused may become fit without being written: a certificate's time comes.
_AGAIN_SECONDS: Final = 10.0


class Renewing:
    """An identity beneath which the files may change. May be asked from any thread: gRPC has its own."""

    def __init__(self, files: Files) -> None:
        """Read them. Raises Unfit."""
        self._files = files
        self._lock = threading.Lock()
        self._seen = versions(*files.every)
        self._identity = read(files)
        self._refused = ""
        self._again = 0.0

    def current(self) -> Identity:
        """What the next handshake is to be given: another object exactly if it was renewed."""
        with self._lock:
            now = versions(*self._files.every)
            if now != self._seen or (self._refused and time.monotonic() > self._again):
                self._seen = now
                self._take_up()
            return self._identity

    @property
    def refused(self) -> str:
        """Why what is in the files now is not served; empty: it is."""
        self.current()
        return self._refused

    def _take_up(self) -> None:
        try:
            self._identity = read(self._files)
        except Unfit as error:
            if str(error) != self._refused:
                _log.warning("renewed certificates cannot be served; those of before serve on", why=str(error))
            self._refused, self._again = str(error), time.monotonic() + _AGAIN_SECONDS
        else:
            self._refused = ""
            _log.info("renewed certificates were taken up", names=str(self._identity.names))


class ServerContext(ssl.SSLContext):
    """A context for servers of asyncio, each of whose handshakes has the newest identity.

    A context that loads another certificate keeps its authorities; so each identity has one of its own, and this one
    only leads to it.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """As every context, by its protocol."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, renewing: Renewing, *, asks: bool = True) -> None:
        """`asks`: whether clients are asked for certificates, where there is somebody to vouch for them."""
        self._renewing = renewing
        self._asks = asks

    def wrap_bio(self, *words: Any, **more: Any) -> ssl.SSLObject:
        """What a connection begins with."""
        current = self._renewing.current()
        return (current.context if self._asks else current.open_context).wrap_bio(*words, **more)
