"""What a certificate calls its holder: by this a caller is known, and a server is told from another."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Names:
    """All that it says: the subject's common name, and the alternative names by their kinds."""

    subject: str = ""
    dns: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def in_order(self) -> tuple[str, ...]:
        """All of them; the alternative ones first, for the common name is of old."""
        return tuple(filter(None, (*self.dns, *self.uris, *self.addresses, self.subject)))

    @property
    def every(self) -> frozenset[str]:
        """All of them, of whatever kind."""
        return frozenset(self.in_order)

    def cover(self, host: str) -> bool:
        """Whether a server with this certificate is believed to be that host; wildcards stand for one label."""
        wanted = host.strip("[]").lower()
        try:
            return str(ipaddress.ip_address(wanted)) in self.addresses
        except ValueError:
            above = wanted.partition(".")[2]
            # The subject counts only where there are no alternative names, as for TLS libraries.
            known = {name.lower() for name in self.dns} or ({self.subject.lower()} if not self.addresses else set())
            return wanted in known or (bool(above) and f"*.{above}" in known)

    def __str__(self) -> str:
        return ", ".join(sorted(self.every)) or "nobody"


def names_of(certificate: x509.Certificate) -> Names:
    """The names in a certificate."""
    subject = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        other = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        other = x509.SubjectAlternativeName([])
    return Names(
        subject=str(subject[0].value) if subject else "",
        dns=tuple(other.get_values_for_type(x509.DNSName)),
        uris=tuple(other.get_values_for_type(x509.UniformResourceIdentifier)),
        addresses=tuple(map(str, other.get_values_for_type(x509.IPAddress))),
    )


@lru_cache(maxsize=1024)
def names_in(certificate: bytes) -> Names:
    """The names in a certificate that a handshake has verified, in PEM or DER; remembered: callers come again."""
    load = x509.load_pem_x509_certificate if certificate.startswith(b"-----") else x509.load_der_x509_certificate
    return names_of(load(certificate))
