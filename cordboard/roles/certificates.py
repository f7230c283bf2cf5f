"""Until when the certificates of this process are good, read anew whenever somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge

from cordboard.settings import Settings

_UNREADABLE: Final = 0.0  # Long over, so that nobody takes it for good.


class CertificateMetrics:
    """A gauge for each certificate, named by its setting."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._expiry = Gauge(
            "cordboard_certificate_expiry_timestamp_seconds",
            "When a certificate ends (Unix seconds), by the setting that names its file; 0 where it cannot be read.",
            ("certificate",),
            registry=registry,
        )

    def look_at(self, name: str, path: Path) -> None:
        """Show the certificate of a file from now on."""
        self._expiry.labels(name).set_function(_expiry_of(path))


def certificates_of(settings: Settings) -> dict[str, Path]:
    """The files with certificates of our own, by the setting that names them."""
    named = {"kafka.certificate_file": settings.kafka.certificate_file}
    return {name: path for name, path in named.items() if path is not None}


def _expiry_of(path: Path) -> Callable[[], float]:
    """What tells when the first certificate of a file ends; a file is read again only when it was written again."""
    read: dict[int, float] = {}

    def expiry() -> float:
        try:
            written_ns = path.stat().st_mtime_ns
            if written_ns not in read:
                read.clear()
                read[written_ns] = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.timestamp()
            return read[written_ns]
        except (OSError, ValueError):
            return _UNREADABLE

    return expiry
