"""An authority of one's own, for trials and tests: it vouches for servers and clients."""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SKEW: Final = datetime.timedelta(minutes=5)  # Other machines' clocks may be behind.
_DAY: Final = datetime.timedelta(days=1)
_USAGES: Final = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
_NOTHING_ELSE: Final = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
    False,
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    def write(self, certificate_file: Path, key_file: Path) -> None:
        """Write both, the key for us alone; each file is whole at any time."""
        for path, content, mode in ((key_file, self.key, 0o600), (certificate_file, self.certificate, 0o644)):
            draft = path.with_name(f"{path.name}.new")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
                file.write(content)
            draft.replace(path)


class Authority:
    """Signs what it is asked to."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def new(cls, name: str = "Cordboard trial authority", days: float = 3650) -> Self:
        """Made on the spot."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **_NOTHING_ELSE)
        builder = (
            _builder(_name(name), _name(name), key.public_key(), datetime.timedelta(), days * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def read(cls, certificate_file: Path, key_file: Path) -> Self:
        """One that was made before. Raises OSError, and ValueError where the files are none of its."""
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_file} must hold an EC key")
        return cls(x509.load_pem_x509_certificate(certificate_file.read_bytes()), key)

    @property
    def issued(self) -> Issued:
        """Itself."""
        return Issued(_pem(self._certificate), _key_pem(self._key))

    def issue(self, subject: str, names: Iterable[str] = (), *, days: float = 90, begins_days: float = 0) -> Issued:
        """A certificate for these names: hosts, addresses, or URIs; good from `begins_days` from now on for `days`."""
        key, issuer = ec.generate_private_key(ec.SECP256R1()), self._key.public_key()
        kinds = [_alternative(name) for name in names]
        begins = begins_days * _DAY
        builder = (
            _builder(_name(subject), self._certificate.subject, key.public_key(), begins, begins + days * _DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_USAGES, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )
        if kinds:
            builder = builder.add_extension(x509.SubjectAlternativeName(kinds), critical=False)
        return Issued(_pem(builder.sign(self._key, hashes.SHA256())), _key_pem(key))


def _alternative(name: str) -> x509.GeneralName:
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begins: datetime.timedelta,
    ends: datetime.timedelta,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW + begins)
        .not_valid_after(now + ends)
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
