"""One Telnyx account: where its API is, what opens it, and how its webhooks are known to be genuine."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

# Account names become parts of topic names and of webhook paths.
AccountName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]

_SECRET_BYTES_MAX: Final = 4096
_SECRET_LENGTH_MIN: Final = 16


def _url(value: str) -> str:
    """Check an address; messages never repeat it, because it may hold a password."""
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError("must be a whole address such as https://api.telnyx.com/v2")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must hold no user name, password, query or fragment")
    if parts.scheme == "http" and str(parts.hostname).endswith("telnyx.com"):
        raise ValueError("must be https: over http the API key would travel in the clear")
    return value.rstrip("/")


def _public_key(value: str) -> str:
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be Base64, as Mission Control shows it") from None
    if len(key) != 32:
        raise ValueError(f"must be the Base64 of 32 bytes (an Ed25519 public key), not of {len(key)}")
    return value


def _one_word(secret: str) -> str:
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be one word of printable ASCII characters")
    return secret


def _key(value: SecretStr) -> SecretStr:
    _one_word(value.get_secret_value())
    return value


def _long_secret(secret: str) -> str:
    if len(_one_word(secret)) < _SECRET_LENGTH_MIN:
        raise ValueError(f"must have {_SECRET_LENGTH_MIN} characters or more")
    return secret


def _long_key(value: SecretStr) -> SecretStr:
    _long_secret(value.get_secret_value())
    return value


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SECRET_BYTES_MAX).decode("ascii").strip()


def _secret_file(path: Path) -> Path:
    try:
        _one_word(_read(path))
    except OSError as error:
        raise ValueError(f"must name a file that can be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("must name a file that holds one word of printable ASCII characters") from None
    return path


def _long_secret_file(path: Path) -> Path:
    _secret_file(path)
    _long_secret(_read(path))
    return path


class Account(BaseModel):
    """A Telnyx account. Which of its secrets are needed depends on the roles that a process plays."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(default=None, description="the API key")
    api_key_file: Annotated[Path, AfterValidator(_secret_file)] | None = Field(
        default=None, description="a file that holds the API key"
    )
    webhook_public_key: Annotated[str, AfterValidator(_public_key)] | None = Field(
        default=None, description="the account's public key for webhooks, in Base64"
    )
    base_url: Annotated[str, AfterValidator(_url)] = Field(
        default="https://api.telnyx.com/v2", description="the address of the API"
    )
    public_url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None, description="our own address as Telnyx sees it; switches on webhook addresses per dial"
    )
    dial_url_secret: Annotated[SecretStr, AfterValidator(_long_key)] | None = Field(
        default=None, description="a secret that seals webhook addresses per dial"
    )
    dial_url_secret_file: Annotated[Path, AfterValidator(_long_secret_file)] | None = Field(
        default=None, description="a file that holds the secret that seals webhook addresses per dial"
    )

    def read_api_key(self) -> str | None:
        """The API key, or None. A file is read anew each time, so that a rotated key is taken up. Raises OSError."""
        return _given(self.api_key, self.api_key_file)

    def read_dial_url_secret(self) -> bytes | None:
        """The secret that seals webhook addresses, or None. Raises OSError."""
        secret = _given(self.dial_url_secret, self.dial_url_secret_file)
        return None if secret is None else secret.encode()

    def public_key(self) -> bytes | None:
        """The 32 bytes of the webhook key, or None."""
        return None if self.webhook_public_key is None else base64.b64decode(self.webhook_public_key)


def _given(secret: SecretStr | None, path: Path | None) -> str | None:
    if secret is not None:
        return secret.get_secret_value()
    return None if path is None else _read(path)
