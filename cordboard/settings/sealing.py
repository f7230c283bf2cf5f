"""Sealed topics: the file of keys, and what is sealed beside that which only Cordboard itself reads."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cordboard.log.sealing import KEY_BYTES, Key

_FILE_BYTES_MAX: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_FORM: Final = "<name> <32 bytes in Base64 or hex>, such as: openssl rand -base64 32"

PUBLIC: Final = ("commands", "now", "results", "events", "control")


def read_keys(path: Path) -> list[Key]:
    """The keys of a file, in its order. Raises OSError, and ValueError that says which line is wrong, without it."""
    with path.open("rb") as file:
        content = file.read(_FILE_BYTES_MAX + 1)
    if len(content) > _FILE_BYTES_MAX:
        raise ValueError(f"holds more than {_FILE_BYTES_MAX} bytes")
    keys = list(_keys_of(content.decode("ascii", errors="replace")))
    if not keys:
        raise ValueError(f"holds no key; a line must be {_FORM}")
    names = [key.name for key in keys]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"names {', '.join(sorted(twice))} twice: every key must have a name of its own")
    return keys


def _keys_of(content: str) -> Iterator[Key]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        if len(words) != 2 or not _NAME.fullmatch(words[0]):
            raise ValueError(f"has no key on line {number}: it must be {_FORM}")
        secret = _bytes_of(words[1])
        if secret is None or len(secret) != KEY_BYTES:
            found = "neither Base64 nor hex" if secret is None else f"{len(secret)} bytes"
            raise ValueError(f"has {found} on line {number}: it must be {_FORM}")
        yield Key(words[0], secret)


def _bytes_of(word: str) -> bytes | None:
    try:
        return bytes.fromhex(word) if len(word) == 2 * KEY_BYTES else base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return None


def _key_file(path: Path) -> Path:
    try:
        read_keys(path)
    except OSError as error:
        raise ValueError(f"must name a file of keys that can be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"must name a file of keys, and that {error}") from None
    return path


def _listed(value: object) -> object:
    """A list, or in the environment a text with commas."""
    listed = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(one in PUBLIC for one in listed):
        raise ValueError(f"must be some of {', '.join(PUBLIC)}; what is internal is sealed in any case")
    return tuple(listed)


class Sealing(BaseModel):
    """Sealed topics. None of this counts unless key_file is set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key_file: Annotated[Path, AfterValidator(_key_file)] | None = Field(
        default=None, description="a file of keys by which records and pages are sealed, the newest last; none: plain"
    )
    public_topics: Annotated[tuple[str, ...], BeforeValidator(_listed)] | None = Field(
        default=None,
        description="sealed as well, so that only Cordboard can read them; else none on Kafka, all on the embedded log",
    )
    accept_plain: bool = Field(
        default=True, description="whether what is not sealed is still read in sealed topics, such as older records"
    )

    def read_keys(self) -> list[Key]:
        """The keys, the newest last; none where nothing is sealed. Raises OSError, and ValueError."""
        return [] if self.key_file is None else read_keys(self.key_file)

    def read_secrets(self) -> list[str]:
        """The keys as they stand in the file, for the guard in the logs. Raises OSError, and ValueError."""
        forms = [(base64.b64encode(key.secret).decode(), key.secret.hex()) for key in self.read_keys()]
        return [text for form in forms for text in form]
