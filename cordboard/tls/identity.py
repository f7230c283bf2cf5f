"""A certificate with its key and whom it trusts: read from files, and held to be fit before anybody is shown it."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cordboard.tls.files import versions
from cordboard.tls.names import Names, names_of

Part = Literal["certificate_file", "key_file", "client_ca_file", "peer_ca_file"]
_READS_MAX: Final = 5  # Files that are being written while they are read are read again.


class Unfit(Exception):
    """The files cannot be served. `part` is the one at fault, `must` says what would be right."""

    def __init__(self, part: Part, path: Path, must: str) -> None:
        super().__init__(f"{part} ({path}) {must}")
        self.part = part
        self.must = must


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files: the certificate with its chain, its key, who vouches for clients, and who for other dispatchers."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    peer_ca: Path | None = None

    @property
    def every(self) -> tuple[Path | None, ...]:
        """All of them, in order."""
        return (self.certificate, self.key, self.client_ca, self.peer_ca)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the files held, whole: bytes for gRPC, contexts for servers of the standard library.

    `context` lets nobody in whom the clients' authorities do not vouch for, where there are some; `open_context` asks
    nobody.
    """

    chain: bytes
    key: bytes = field(repr=False)
    client_authorities: bytes | None
    peer_authorities: bytes | None
    names: Names
    context: ssl.SSLContext
    open_context: ssl.SSLContext


def read(files: Files) -> Identity:
    """Read them, all of the same moment. Raises Unfit where they cannot be served, or their certificate has ended."""
    for _ in range(_READS_MAX):
        before = versions(*files.every)
        try:
            return _read(files)
        except Unfit:
            if versions(*files.every) == before:
                raise
    raise Unfit("certificate_file", files.certificate, "is written again and again while it is read")


def _read(files: Files) -> Identity:
    chain, key = _content("certificate_file", files.certificate), _content("key_file", files.key)
    certificate = _certificate(files.certificate, chain)
    _must_fit(files.key, key, certificate)
    return Identity(
        chain=chain,
        key=key,
        client_authorities=_authorities("client_ca_file", files.client_ca),
        peer_authorities=_authorities("peer_ca_file", files.peer_ca),
        names=names_of(certificate),
        context=_context(files, files.client_ca),
        open_context=_context(files, None),
    )


def _content(part: Part, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unfit(part, path, f"must name a file that can be read: {error.strerror}") from None


def _certificate(path: Path, chain: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        raise Unfit(
            "certificate_file", path, "must hold a certificate in PEM, those that vouch for it after it"
        ) from None
    now = datetime.datetime.now(datetime.UTC)
    if certificate.not_valid_after_utc <= now:
        raise Unfit(
            "certificate_file", path, f"must not have ended, which it did at {_at(certificate.not_valid_after_utc)}"
        )
    if certificate.not_valid_before_utc > now:
        raise Unfit("certificate_file", path, f"is valid from {_at(certificate.not_valid_before_utc)} on, and not yet")
    return certificate


def _must_fit(path: Path, content: bytes, certificate: x509.Certificate) -> None:
    try:
        key = serialization.load_pem_private_key(content, None)
    except TypeError:
        raise Unfit("key_file", path, "must not need a password") from None
    except ValueError:
        raise Unfit("key_file", path, "must hold a private key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Unfit("key_file", path, "must hold an RSA or an EC key: gRPC's TLS knows no other")
    if key.public_key() != certificate.public_key():
        raise Unfit("key_file", path, "must hold the key of the certificate in certificate_file; it holds another one")


def _authorities(part: Part, path: Path | None) -> bytes | None:
    if path is None:
        return None
    content = _content(part, path)
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise Unfit(part, path, "must hold certificates in PEM") from None
    if all(one.not_valid_after_utc <= datetime.datetime.now(datetime.UTC) for one in found):
        raise Unfit(part, path, "must hold a certificate that has not ended")
    return content


def _context(files: Files, client_ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key, "")
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # What OpenSSL thinks of a file's content is one, too: a key too short, for one.
        raise Unfit("certificate_file", files.certificate, f"cannot be served: {error.strerror or error}") from None
    return context


def _at(time: datetime.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
