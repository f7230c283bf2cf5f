"""Secrets, given as they are or in a file that is read anew each time; and files that must be there at the start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, SecretStr

_BYTES_MAX: Final = 16 * 1024  # Tokens of single sign-on reach some kilobytes.
_LONG: Final = 16


def read_secret(path: Path) -> str:
    """What a file holds, without the line's end. Raises OSError, and ValueError where that is no one word."""
    with path.open("rb") as file:
        content = file.read(_BYTES_MAX + 1)
    if len(content) > _BYTES_MAX:
        raise ValueError(f"holds more than {_BYTES_MAX} bytes")
    return _one_word(content.decode("ascii").strip())


def given(secret: SecretStr | None, path: Path | None) -> str | None:
    """The secret from whichever of the two is set, or None. Raises as `read_secret` does."""
    if secret is not None:
        return secret.get_secret_value()
    return None if path is None else read_secret(path)


def _one_word(secret: str) -> str:
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise ValueError("must be one word of printable ASCII characters")
    return secret


def _secret(value: SecretStr) -> SecretStr:
    _one_word(value.get_secret_value())
    return value


def _long(secret: str) -> str:
    if len(_one_word(secret)) < _LONG:
        raise ValueError(f"must have {_LONG} characters or more")
    return secret


def _long_secret(value: SecretStr) -> SecretStr:
    _long(value.get_secret_value())
    return value


def _secret_file(path: Path) -> Path:
    try:
        read_secret(path)
    except OSError as error:
        raise ValueError(f"must name a file that can be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("must name a file that holds one word of printable ASCII characters") from None
    return path


def _long_secret_file(path: Path) -> Path:
    _long(read_secret(_secret_file(path)))
    return path


def _readable_file(path: Path) -> Path:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise ValueError(f"must name a file that can be read: {error.strerror}") from None
    return path


Secret = Annotated[SecretStr, AfterValidator(_secret)]
SecretFile = Annotated[Path, AfterValidator(_secret_file)]
LongSecret = Annotated[SecretStr, AfterValidator(_long_secret)]
LongSecretFile = Annotated[Path, AfterValidator(_long_secret_file)]
ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
