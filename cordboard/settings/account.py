"""One Telnyx account: where its API is, what opens it, and how its webhooks are known to be genuine."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from cordboard.settings.secret import LongSecret, LongSecretFile, Secret, SecretFile, given

_BEGINNING = re.compile(r"\+[0-9]{0,15}|sips?:\S{0,250}")
# Account names become parts of topic names and of webhook paths.
AccountName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


def _taken_apart(value: str, such_as: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"must be a whole address such as {such_as}")
    return parts


def _url(value: str) -> str:
    """Check an address; messages never repeat it, because it may hold a password."""
    parts = _taken_apart(value, "https://api.telnyx.com/v2")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must hold no user name, password, query or fragment")
    if parts.scheme == "http" and str(parts.hostname).endswith("telnyx.com"):
        raise ValueError("must be https: over http the API key would travel in the clear")
    _can_be_asked(value)
    return value.rstrip("/")


def _forward_url(value: SecretStr) -> SecretStr:
    """Check an address to which webhooks go on; it is kept as a secret, because its query may hold one."""
    parts = _taken_apart(value.get_secret_value(), "https://calls.example/webhooks")
    if parts.username is not None or parts.fragment:
        raise ValueError("must hold no user name, password or fragment")
    _can_be_asked(value.get_secret_value())
    return value


def _can_be_asked(value: str) -> None:
    """Whoever asks an address takes it apart more strictly than the standard library: 1.2.3.400 is none."""
    from httpx import URL, InvalidURL  # noqa: PLC0415 - only where such an address is set.

    try:
        URL(value)
    except InvalidURL:
        raise ValueError("must have a host that can be asked for: a name, or a whole IP address") from None


def _public_key(value: str) -> str:
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be Base64, as Mission Control shows it") from None
    if len(key) != 32:
        raise ValueError(f"must be the Base64 of 32 bytes (an Ed25519 public key), not of {len(key)}")
    return value


def _destinations(value: object) -> object:
    """A list, or in the environment a text with commas. What no destination begins with would allow nothing."""
    listed = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(_BEGINNING.fullmatch(str(one)) for one in listed):
        raise ValueError("must be beginnings such as +1 or +4420, of numbers in E.164, or sip: of SIP addresses")
    return tuple(listed)


Rate = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Many = Annotated[int, Field(ge=1, le=10_000)]


class Account(BaseModel):
    """A Telnyx account. Which of its secrets are needed depends on the roles that a process plays."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: Secret | None = Field(default=None, description="the API key")
    api_key_file: SecretFile | None = Field(default=None, description="a file that holds the API key")
    door_key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="SHA-256, in hex, of one more bearer key by which the REST door knows the account"
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
    dial_url_secret: LongSecret | None = Field(
        default=None, description="a secret that seals webhook addresses per dial"
    )
    dial_url_secret_file: LongSecretFile | None = Field(
        default=None, description="a file that holds the secret that seals webhook addresses per dial"
    )
    forward_url: Annotated[Secret, AfterValidator(_forward_url)] | None = Field(
        default=None, description="where each verified webhook is posted on to, as it came"
    )
    forward_timeout_seconds: Annotated[float, Field(ge=0.001, le=60, allow_inf_nan=False)] = Field(
        default=5, description="how long one request to forward_url may take"
    )
    # Records of events are kept for a week.
    forward_for_seconds: Annotated[float, Field(ge=1, le=3 * 86_400, allow_inf_nan=False)] = Field(
        default=4 * 3_600, description="how long an event is tried before it becomes a dead letter"
    )

    late_dial: Literal["report", "hang_up"] = Field(
        default="report",
        description="what happens to a dial that rings after its result was UNKNOWN; hang_up: unless it is in use",
    )

    # What Telnyx lets the account do.
    requests_per_second: Rate | None = Field(
        default=None, description="requests that Telnyx takes, in all lanes together; else found out by its refusals"
    )
    dials_per_second: Rate | None = Field(
        default=None, description="dials that Telnyx takes, over five seconds (30 unless it was raised); else as above"
    )
    dials_in_progress_max: Many | None = Field(
        default=None, description="calls that we dialled and that may be there at once: the account's channels"
    )
    urgent_concurrency: Many | None = Field(default=None, description="as worker.concurrency.urgent, of this account")
    action_concurrency: Many | None = Field(default=None, description="as worker.concurrency.action, of this account")
    dial_concurrency: Many | None = Field(default=None, description="as worker.concurrency.dial, of this account")

    # What its owner allows of it, whatever its senders ask for.
    allowed_destinations: Annotated[tuple[str, ...], BeforeValidator(_destinations)] = Field(
        default=(), description="what the numbers and SIP addresses that are called must begin with; none: all are"
    )
    dials_per_minute_max: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="dials in any minute; more are refused"
    )
    dials_per_number_max: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="dials to one number within dials_per_number_hours; more are refused"
    )
    dials_per_number_hours: Annotated[float, Field(gt=0, le=24 * 7, allow_inf_nan=False)] = Field(
        default=24, description="the time over which dials to one number are counted"
    )
    dry_run: bool = Field(default=False, description="send nothing but hangups and rejects, and say what would be sent")

    def read_api_key(self) -> str | None:
        """The API key, or None. A file is read anew each time, so that a rotated key is taken up. Raises OSError."""
        return given(self.api_key, self.api_key_file)

    def read_dial_url_secret(self) -> bytes | None:
        """The secret that seals webhook addresses, or None. Raises OSError."""
        secret = given(self.dial_url_secret, self.dial_url_secret_file)
        return None if secret is None else secret.encode()

    def public_key(self) -> bytes | None:
        """The 32 bytes of the webhook key, or None."""
        return None if self.webhook_public_key is None else base64.b64decode(self.webhook_public_key)
