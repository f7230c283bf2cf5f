"""Who calls over gRPC, by the certificate that the handshake has verified."""

from __future__ import annotations

from typing import Any

from cordboard.tls.names import Names, names_in

_CERTIFICATE = "x509_pem_cert"


def names_of_caller(context: Any) -> Names | None:
    """The names in the caller's certificate; None where it showed none, because nobody asked for it."""
    for certificate in context.auth_context().get(_CERTIFICATE, ()):
        return names_in(certificate)
    return None
