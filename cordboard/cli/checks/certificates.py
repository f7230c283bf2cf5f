"""Certificates of our own: whether they can be read, and for how long they are good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from cryptography import x509

from cordboard.cli.checks.findings import Finding, Looking, error, ok, warning
from cordboard.roles.certificates import certificates_of

_DAY_MS: Final = 86_400_000
_SOON_DAYS: Final = 14  # As the alert CordboardCertificateExpires has it.


async def certificates(looking: Looking) -> AsyncIterator[Finding]:
    """Each file that a setting names."""
    for subject, path in sorted(certificates_of(looking.settings).items()):
        try:
            one = x509.load_pem_x509_certificate(path.read_bytes())
        except OSError as why:
            yield error(subject, f"{path} cannot be read: {why.strerror}", "see that this user may read it")
            continue
        except ValueError:
            yield error(subject, f"{path} holds no certificate in PEM", "name the file that begins BEGIN CERTIFICATE")
            continue
        now_ms = looking.clock.now_ms()
        left_ms = one.not_valid_after_utc.timestamp() * 1000 - now_ms
        days = int(left_ms // _DAY_MS)
        if one.not_valid_before_utc.timestamp() * 1000 > now_ms:
            yield error(subject, f"{path} is not valid before {one.not_valid_before_utc:%Y-%m-%d}", "see the clock")
        elif left_ms <= 0:
            yield error(
                subject, f"{path} ended on {one.not_valid_after_utc:%Y-%m-%d}: it is refused", "put a new one there"
            )
        elif days < _SOON_DAYS:
            yield warning(subject, f"{path} ends in {days} days", "put a new one there; no restart is needed")
        else:
            yield ok(subject, f"{path} is good for {days} days")
