"""Listeners that ask who comes: TLS with client certificates, and SASL by every mechanism that our clients have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from brokers.certificates import Certificates

Protocol = Literal["SSL", "SASL_PLAINTEXT", "SASL_SSL"]
_OAUTH_MODULE: Final = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
_PLAIN_MODULE: Final = "org.apache.kafka.common.security.plain.PlainLoginModule"
_SCRAM_MODULE: Final = "org.apache.kafka.common.security.scram.ScramLoginModule"
_SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A further port of every node, besides the plain one.

    `users` are names with their passwords, for PLAIN and SCRAM alike. OAUTHBEARER takes any unsecured token (RFC 7515,
    "alg": "none") that has a subject and has not expired. With `client_certificates` only who shows one comes in.
    """

    name: str
    protocol: Protocol
    certificates: Certificates | None = None
    client_certificates: bool = False
    users: Mapping[str, str] = field(default_factory=dict, repr=False)

    def properties(self) -> dict[str, str]:
        """Its part of server.properties."""
        prefix = f"listener.name.{self.name.lower()}."
        said = {**self._tls(), **(self._sasl() if self.protocol.startswith("SASL") else {})}
        return {prefix + name: value for name, value in said.items()}

    def scram_credentials(self) -> list[str]:
        """The users as the storage tool's --add-scram takes them."""
        if not self.protocol.startswith("SASL"):
            return []
        return [f"{kind}=[name={name},password={word}]" for name, word in self.users.items() for kind in _SCRAM]

    def _tls(self) -> dict[str, str]:
        if self.certificates is None:
            return {}
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificates.broker_file),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificates.authority_file),
            "ssl.client.auth": "required" if self.client_certificates else "none",
        }

    def _sasl(self) -> dict[str, str]:
        known = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
        return {
            "sasl.enabled.mechanisms": ",".join(("PLAIN", *_SCRAM, "OAUTHBEARER")),
            "plain.sasl.jaas.config": f"{_PLAIN_MODULE} required {known};",
            "scram-sha-256.sasl.jaas.config": f"{_SCRAM_MODULE} required;",
            "scram-sha-512.sasl.jaas.config": f"{_SCRAM_MODULE} required;",
            "oauthbearer.sasl.jaas.config": f'{_OAUTH_MODULE} required unsecuredLoginStringClaim_sub="broker";',
        }
