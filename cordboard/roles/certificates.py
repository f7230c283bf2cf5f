"""The certificates of this process: what its ports show, until when they are good, and whether renewed ones serve."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge

from cordboard.settings import Settings
from cordboard.tls.files import Version, versions
from cordboard.tls.identity import Files
from cordboard.tls.renewing import Renewing, ServerContext
from dispatcher.rpc.encryption import IN_THE_CLEAR, Encrypted, Encryption

_UNREADABLE: Final = 0.0  # Long over, so that nobody takes it for good.


class CertificateMetrics:
    """Gauges for each certificate, named by its setting; looked at whenever somebody asks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._expiry = Gauge(
            "cordboard_certificate_expiry_timestamp_seconds",
            "When a certificate ends (Unix seconds), by the setting that names its file; 0 where it cannot be read.",
            ("certificate",),
            registry=registry,
        )
        self._refused = Gauge(
            "cordboard_certificate_refused",
            "1 while what a certificate's files hold cannot be served, and what they held before serves on; else 0.",
            ("certificate",),
            registry=registry,
        )

    def look_at(self, name: str, path: Path) -> None:
        """Show the certificate of a file from now on."""
        self._expiry.labels(name).set_function(_expiry_of(path))

    def follow(self, name: str, renewing: Renewing) -> None:
        """Show whether what its files hold is served."""
        self._refused.labels(name).set_function(lambda: float(bool(renewing.refused)))


class Certificates:
    """What each port is opened with; None, or in the clear, where it has no TLS."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        """Read them. Raises Unfit."""
        self._metrics = CertificateMetrics(registry)
        for name, path in certificates_of(settings).items():
            self._metrics.look_at(name, path)
        chosen = settings.tls
        own = self._renewing("tls.certificate_file", chosen.files)
        public = self._renewing("tls.public_certificate_file", chosen.public_files)
        self.grpc: Encryption = IN_THE_CLEAR if own is None else Encrypted(own, chosen.peer_name)
        self.rest = None if own is None else ServerContext(own)
        self.ingress = None if public is None else ServerContext(public)
        self.operations: ssl.SSLContext | None = None
        if own is not None and chosen.operations:
            self.operations = ServerContext(own, asks=False)

    def _renewing(self, name: str, files: Files | None) -> Renewing | None:
        if files is None:
            return None
        renewing = Renewing(files)
        self._metrics.follow(name, renewing)
        return renewing


def certificates_of(settings: Settings) -> dict[str, Path]:
    """The files with certificates of our own, by the setting that names them."""
    named = {
        "kafka.certificate_file": settings.kafka.certificate_file,
        "tls.certificate_file": settings.tls.certificate_file,
        "tls.public_certificate_file": settings.tls.public_certificate_file,
    }
    return {name: path for name, path in named.items() if path is not None}


def _expiry_of(path: Path) -> Callable[[], float]:
    """What tells when the first certificate of a file ends; a file is read again only when it was written again."""
    read: dict[tuple[Version, ...], float] = {}

    def expiry() -> float:
        try:
            now = versions(path)
            if now not in read:
                read.clear()
                read[now] = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.timestamp()
            return read[now]
        except (OSError, ValueError):
            return _UNREADABLE

    return expiry
