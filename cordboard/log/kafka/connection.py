"""How a Kafka cluster is reached: where its brokers are, over what, and who we say we are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from aiokafka.abc import AbstractTokenProvider

from cordboard.log.kafka.trust import Trust
from cordboard.log.port import LogError

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
_OVER_TLS: Final = ("SSL", "SASL_SSL")
_WITH_SASL: Final = ("SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A way to a cluster. Secrets are asked for when they are used, and are in no repr.

    Files are PEM. `ca_file` None: the system's trust; `certificate_file` None: none of our own; `key_file` None:
    the key is in the certificate's file. Raises ValueError where a part is missing.
    """

    bootstrap_servers: str
    client_id: str = "cordboard"
    security_protocol: SecurityProtocol = "PLAINTEXT"
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: str | None = field(default=None, repr=False)
    sasl_mechanism: SaslMechanism | None = None
    sasl_username: str = ""
    sasl_password: Callable[[], str] | None = field(default=None, repr=False)
    oauth_token: Callable[[], str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.security_protocol not in _WITH_SASL:
            return
        if self.sasl_mechanism is None:
            raise ValueError(f"sasl_mechanism must be set for {self.security_protocol}")
        if self.sasl_mechanism == "OAUTHBEARER":
            if self.oauth_token is None:
                raise ValueError("oauth_token must be set for OAUTHBEARER")
        elif not self.sasl_username or self.sasl_password is None:
            raise ValueError(f"sasl_username and sasl_password must be set for {self.sasl_mechanism}")

    def arguments(self) -> dict[str, Any]:
        """What every client of aiokafka takes: producer, consumer, admin.

        The password is read now, and a client keeps its own for as long as it lives; the token is asked for at each
        connection that the client makes, and so are certificates that have changed. Raises LogError where one cannot be
        read.
        """
        said: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.client_id,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol in _OVER_TLS:
            said["ssl_context"] = Trust(self.ca_file, self.certificate_file, self.key_file, self.key_password)
        if self.security_protocol in _WITH_SASL:
            said |= self._identity()
        return said

    def _identity(self) -> dict[str, Any]:
        if self.oauth_token is not None and self.sasl_mechanism == "OAUTHBEARER":
            return {"sasl_mechanism": self.sasl_mechanism, "sasl_oauth_token_provider": _Tokens(self.oauth_token)}
        return {
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": _asked("sasl_password", self.sasl_password) if self.sasl_password else None,
        }


class _Tokens(AbstractTokenProvider):  # type: ignore[misc] # aiokafka has no types
    """The token as a client of aiokafka asks for it, at each connection."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    async def token(self) -> str:
        """In a thread: it may come from a file on another machine."""
        return await asyncio.to_thread(_asked, "oauth_token", self._token)


def _asked(name: str, secret: Callable[[], str]) -> str:
    try:
        return secret()
    except (OSError, ValueError) as error:
        raise LogError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
