"""What protects a client's connection: TLS, and a certificate of its own where one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """How a connection is encrypted; files are PEM, and are read when the client is made.

    `ca_file` None: the authorities that gRPC brings along. `certificate_file` and `key_file` are shown to a server that
    asks for a certificate. `server_name` is who the server must be, where that is not the target's host.
    """

    ca_file: Path | str | None = None
    certificate_file: Path | str | None = None
    key_file: Path | str | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        for given, missing in (("key_file", "certificate_file"), ("certificate_file", "key_file")):
            if getattr(self, missing) is None and getattr(self, given) is not None:
                raise ValueError(f"{missing} must be set where {given} is: a certificate and its key belong together")

    @property
    def options(self) -> tuple[tuple[str, Any], ...]:
        """Those of a channel."""
        return () if self.server_name is None else (("grpc.ssl_target_name_override", self.server_name),)


def tls_of(tls: Tls | bool, ca_file: Path | str | None) -> Tls | None:
    """What is meant by the two: a `ca_file` alone is enough."""
    if isinstance(tls, Tls):
        return tls
    return Tls(ca_file) if tls or ca_file is not None else None


def credentials_of(tls: Tls) -> grpc.ChannelCredentials:
    """For a channel. Raises OSError for files."""
    files = (tls.ca_file, tls.key_file, tls.certificate_file)
    return grpc.ssl_channel_credentials(*(None if path is None else Path(path).read_bytes() for path in files))
