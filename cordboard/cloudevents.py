"""CloudEvents on records: the Kafka binding's binary mode, attributes in `ce_` headers, data untouched in the value.

An own codec, because it stands on every record's way and the official SDK takes some eighty times as long; the SDK is
the second opinion in the tests. Values are UTF-8 and never percent-encoded (that is HTTP's binding).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import msgspec

from cordboard.log.port import Headers

_SPECVERSION: Final = ("ce_specversion", b"1.0")
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "ce_id": "id",
    "ce_source": "source",
    "ce_type": "type",
    "ce_subject": "subject",
    "ce_time": "time",
    "ce_dataschema": "dataschema",
    "content-type": "content_type",
    "traceparent": "traceparent",
}
_NO_EXTENSIONS: Final[Mapping[str, str]] = {}
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class NotACloudEvent(ValueError):
    """The headers are not those of a CloudEvent; the message says which is missing or wrong."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of an event. An empty string stands for an attribute that is not there.

    `time` is RFC 3339 text, carried as it came. `extensions` have their names without `ce_`: lower-case letters and
    digits only. `traceparent` travels as a plain header, as W3C trace context does.
    """

    id: str
    source: str
    type: str
    subject: str = ""
    time: str = ""
    content_type: str = ""
    dataschema: str = ""
    extensions: Mapping[str, str] = _NO_EXTENSIONS
    traceparent: str = ""


def to_headers(event: CloudEvent, more: Headers = ()) -> Headers:
    """Write the attributes as headers, followed by `more` that are no attributes."""
    headers = [
        _SPECVERSION,
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
    ]
    if event.subject:
        headers.append(("ce_subject", event.subject.encode()))
    if event.time:
        headers.append(("ce_time", event.time.encode()))
    if event.content_type:
        headers.append(("content-type", event.content_type.encode()))
    if event.dataschema:
        headers.append(("ce_dataschema", event.dataschema.encode()))
    for name, value in event.extensions.items():
        headers.append((f"ce_{name}", value.encode()))
    if event.traceparent:
        headers.append(("traceparent", event.traceparent.encode()))
    return (*headers, *more)


def from_headers(headers: Headers) -> CloudEvent:
    """Read the attributes; other headers are passed over, and of equal names the last one counts.

    Raises NotACloudEvent when a required attribute is missing or empty, the version is not 1.0, or a value is not
    UTF-8.
    """
    attributes: dict[str, str] = {}
    extensions: dict[str, str] = {}
    for name, raw in headers:
        known = _ATTRIBUTES.get(name)
        if known is not None:
            attributes[known] = _text(name, raw)
        elif name.startswith("ce_"):
            extensions[name[3:]] = _text(name, raw)
    if (version := extensions.pop("specversion", "")) != "1.0":
        raise NotACloudEvent(f"ce_specversion is {version!r:.20}, not '1.0'")
    for name in ("id", "source", "type"):
        if not attributes.get(name):
            raise NotACloudEvent(f"ce_{name} is missing")
    return CloudEvent(extensions=extensions or _NO_EXTENSIONS, **attributes)


def header(headers: Headers, name: str) -> str:
    """The last value of a header, or an empty string; bytes that are not UTF-8 are replaced."""
    found = next((value for key, value in reversed(headers) if key == name), b"")
    return found.decode(errors="replace")


def trace_of(text: str) -> str:
    """A W3C trace context (the `traceparent` of somebody who asks) as it came, or "" where the text is none."""
    return text if _TRACEPARENT.fullmatch(text) else ""


def trace_id_of(traceparent: str) -> str:
    """The id by which a trace is looked for, or "" where there is none."""
    return traceparent[3:35]


def rfc3339(time_ms: int) -> str:
    """Unix milliseconds as RFC 3339 text in UTC, with three digits: 2026-11-23T15:00:00.000Z."""
    return f"{_second(time_ms // 1000)}.{time_ms % 1000:03}Z"


def parse_rfc3339(text: str) -> int:
    """RFC 3339 text as Unix milliseconds, rounded down. Raises ValueError, also for a time without its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time must name its zone")
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@lru_cache(maxsize=16)  # Nearly all that is written is of now.
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NotACloudEvent(f"{name} is not UTF-8") from None
