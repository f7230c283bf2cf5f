"""How Kafka is reached and what its topics are to be, where the log is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cordboard.settings.secret import ReadableFile, Secret, SecretFile, given

# A host's name, an IPv4 address, or an IPv6 address in brackets.
_PLACE: Final = re.compile(r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")


def is_place(text: str) -> bool:
    """Whether a text is host:port, where somebody can be reached."""
    found = _PLACE.fullmatch(text)
    return found is not None and 0 < int(found[1]) <= 65_535


def _servers(value: str) -> str:
    servers = [server.strip() for server in value.split(",")]
    if not all(map(is_place, servers)):
        raise ValueError("must be host:port, several of them with commas between")
    return ",".join(servers)


class Kafka(BaseModel):
    """The cluster. None of this counts unless log.kind is kafka."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap_servers: Annotated[str, AfterValidator(_servers)] | None = Field(
        default=None, description="where brokers are, as host:port with commas between"
    )
    client_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        default="cordboard", description="the name by which brokers know this process, for their logs and quotas"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how the brokers' port is spoken to"
    )
    ca_file: ReadableFile | None = Field(
        default=None, description="certificates that brokers are verified by, in PEM; else the system's"
    )
    certificate_file: ReadableFile | None = Field(default=None, description="our own certificate, in PEM")
    key_file: ReadableFile | None = Field(default=None, description="our certificate's private key, in PEM")
    key_password: Secret | None = Field(default=None, description="what opens the private key")
    key_password_file: SecretFile | None = Field(default=None, description="a file that holds what opens it")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        default=None, description="how we say who we are"
    )
    sasl_username: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(
        default=None, description="who we are, for PLAIN and SCRAM"
    )
    sasl_password: Secret | None = Field(default=None, description="the password, for PLAIN and SCRAM")
    sasl_password_file: SecretFile | None = Field(default=None, description="a file that holds the password")
    oauth_token_file: SecretFile | None = Field(
        default=None, description="a file that holds the token for OAUTHBEARER, read anew for each connection"
    )
    # The page doubts a release after 15 s: until then a dead worker's lane must have found another.
    session_timeout_seconds: Annotated[float, Field(ge=1, le=10, allow_inf_nan=False)] = Field(
        default=10, description="after how long in silence a process counts as gone, and its partitions move"
    )
    create_topics: bool = Field(default=True, description="create topics that are missing; else only check them")
    replication_factor: Annotated[int, Field(ge=1, le=32)] | None = Field(
        default=None, description="copies of each topic; else 3, or as many as there are brokers"
    )
    min_insync_replicas: Annotated[int, Field(ge=1, le=32)] | None = Field(
        default=None, description="copies that must have a record before it is acknowledged; else 2 of 3, 1 of fewer"
    )

    def read_key_password(self) -> str | None:
        """What opens the private key, or None. Raises OSError, and ValueError where the file holds no secret."""
        return given(self.key_password, self.key_password_file)

    def sasl_password_reader(self) -> Callable[[], str] | None:
        """What gives the password, a file's anew each time, or None; it raises as `read_key_password` does."""
        return _reader(self.sasl_password, self.sasl_password_file)

    def oauth_token_reader(self) -> Callable[[], str] | None:
        """What gives the token, anew each time, or None; it raises as `read_key_password` does."""
        return _reader(None, self.oauth_token_file)

    def read_secrets(self) -> list[str | None]:
        """All secrets as they are now. Raises as `read_key_password` does."""
        password = given(self.sasl_password, self.sasl_password_file)
        return [self.read_key_password(), password, given(None, self.oauth_token_file)]


def _reader(secret: Secret | None, file: SecretFile | None) -> Callable[[], str] | None:
    if secret is None and file is None:
        return None
    return lambda: given(secret, file) or ""
