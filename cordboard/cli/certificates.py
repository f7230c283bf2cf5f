"""`cordboard certificates`: an authority for a trial, and what it vouches for: the dispatchers, and a client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cordboard.cli.exits import Failure, Status
from cordboard.cli.screen import Screen
from cordboard.tls.issuing import Authority

_FILES: Final = ("ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def make_certificates(folder: Path, names: Sequence[str], client: str, days: float, screen: Screen) -> None:
    """Make the authority, unless the folder has one, and both certificates anew. Raises Failure."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(folder / "ca.pem", folder / "ca.key")
        authority.issue("cordboard", names or _LOOPBACK, days=days).write(folder / "server.pem", folder / "server.key")
        authority.issue(client, days=days).write(folder / "client.pem", folder / "client.key")
    except (OSError, ValueError) as error:
        raise Failure(f"no certificates were made in {folder}: {error}", Status.USAGE) from None
    if screen.json:
        screen.record({name: str(folder / name) for name in _FILES})
        return
    screen.show(f"Made in {folder}, for {days:g} days. The processes' settings:\n")
    screen.show(f'[tls]\ncertificate_file = "{folder}/server.pem"\nkey_file = "{folder}/server.key"')
    screen.show(f'client_ca_file = "{folder}/ca.pem"\n\nWho asks them:\n')
    screen.show(f"export CORDBOARD_TLS_CA={folder}/ca.pem")
    screen.show(f"export CORDBOARD_TLS_CERTIFICATE={folder}/client.pem CORDBOARD_TLS_KEY={folder}/client.key")


def _authority(certificate_file: Path, key_file: Path) -> Authority:
    if certificate_file.exists():
        return Authority.read(certificate_file, key_file)
    authority = Authority.new()
    authority.issued.write(certificate_file, key_file)
    return authority
