"""Those who are known, and by what: tokens by their hashes, certificates by their names."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from cordboard.settings import Identity
from cordboard.tls.names import Names


@dataclass(frozen=True, slots=True)
class Proof:
    """What somebody shows: the hash of a token (b"": none), and the names in a certificate that was verified."""

    token_sha256: bytes = field(default=b"", repr=False)
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, authorization: str, names: Names | None) -> Proof:
        """By a header ("": there is none), and what the certificate of a connection says; None: it has none."""
        return cls(bearer(authorization), () if names is None else names.in_order)


def bearer(authorization: str) -> bytes:
    """The hash of the token in a header; b"" where there is none."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    return hash_of(token) if scheme.lower() == "bearer" and token else b""


def hash_of(token: str) -> bytes:
    """That by which a token is known."""
    return hashlib.sha256(token.encode()).digest()


class Known:
    """The identities in force at one time."""

    def __init__(self, identities: Mapping[str, Identity]) -> None:
        self.identities = identities
        self._tokens = [
            (bytes.fromhex(digest), name) for name, one in identities.items() for digest in one.token_sha256
        ]
        self._certificates = {given: name for name, one in identities.items() for given in one.certificate_names}

    def find(self, proof: Proof) -> str:
        """The name of who shows this; "" for nobody. A token counts before a certificate, also one that is wrong."""
        if proof.token_sha256:
            return next((name for known, name in self._tokens if hmac.compare_digest(known, proof.token_sha256)), "")
        return next((self._certificates[name] for name in proof.names if name in self._certificates), "")
