"""The secrets of a desk for development, made once and kept beside its data, so that a restart goes on as before.

Webhook addresses of calls that are up carry a seal made with one of them.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordboard.cli.exits import Failure

_FILE: Final = "dev-keys.json"
_BYTES: Final = 32


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both in Base64: the seed of the sandbox's webhook key, and what seals webhook addresses of dials."""

    signing_key: str
    dial_url_secret: str

    @property
    def public_key(self) -> str:
        """What webhooks verify against, in Base64."""
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.signing_key))
        return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def keys_in(folder: Path, rng: Random) -> Keys:
    """The keys of a data folder, made where there are none. Raises Failure where the file is not what it should be."""
    path = folder / _FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    keys = Keys(_secret(rng), _secret(rng))
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(keys))
    return keys


def _read(path: Path) -> Keys:
    try:
        keys = msgspec.json.decode(path.read_bytes(), type=Keys)
        if len(base64.b64decode(keys.signing_key, validate=True)) == _BYTES:
            return keys
    except ValueError:  # Of msgspec and of Base64 alike.
        pass
    raise Failure(f"{path} does not hold the keys of a development desk; remove it, and new ones are made")


def _secret(rng: Random) -> str:
    return base64.b64encode(rng.randbytes(_BYTES)).decode()
