"""What TLS to brokers rests on: authorities and a certificate of our own, read anew once their files have changed.

Certificates are renewed beneath a running process: an operator of Kubernetes changes a Secret, and with it the mounted
files. A client of aiokafka keeps one context for its life and asks it for each connection: there the files are looked
at. What cannot be used then, such as a key that is not the certificate's yet, is said once, and what was read before
serves on; an authority that was trusted is trusted until the process ends.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import structlog

from cordboard.log.port import LogError
from cordboard.tls.files import versions

_log = structlog.get_logger(__name__)


class Trust(ssl.SSLContext):
    """A context for clients, whose files may change. Raises LogError where they cannot be used at the beginning."""

    def __new__(cls, *_: object) -> Self:
        """As every context, by its protocol."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(
        self, ca_file: Path | None, certificate_file: Path | None, key_file: Path | None, key_password: str | None
    ) -> None:
        """Read them. `ca_file` None: the system's trust; `key_file` None: the key is in the certificate's file."""
        self._ca_file, self._certificate_file, self._key_file = ca_file, certificate_file, key_file
        self._files = (ca_file, certificate_file, key_file)
        # Never None: OpenSSL would ask for it on the terminal, and wait.
        self._key_password = key_password or ""
        with _readable("ca_file", ca_file):
            usual = ssl.create_default_context(cafile=ca_file)
        self.options, self.verify_flags = usual.options, usual.verify_flags
        if ca_file is None:
            self.load_default_certs()
        self._read = versions(*self._files)
        self._load(self)

    def wrap_bio(self, *words: Any, **more: Any) -> ssl.SSLObject:
        """What a connection begins with."""
        if (now := versions(*self._files)) != self._read:
            self._read = now
            self._take_up()
        return super().wrap_bio(*words, **more)

    def _take_up(self) -> None:
        """Tried on another context first: one that fails halfway is of no use any more."""
        try:
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            self._load(self)
        except LogError as error:
            _log.warning("changed certificates cannot be used; those of before serve on", why=str(error))
        else:
            _log.info("changed certificates were taken up")

    def _load(self, context: ssl.SSLContext) -> None:
        if self._ca_file is not None:
            with _readable("ca_file", self._ca_file):
                context.load_verify_locations(self._ca_file)
        if self._certificate_file is not None:
            with _readable("certificate_file, key_file or key_password", self._certificate_file):
                context.load_cert_chain(self._certificate_file, self._key_file, self._key_password)


@contextmanager
def _readable(name: str, path: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # What OpenSSL makes of a file's content is one, too.
        raise LogError(f"{name} ({path}) cannot be used: {error.strerror or error}") from error
