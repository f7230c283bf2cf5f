"""Everything that keeps others out, switched on: TLS at the ports inside, tokens, and SASL over TLS to the brokers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from brokers.certificates import make_certificates
from brokers.listeners import Listener
from cordboard.access import hash_of
from cordboard.client import Client, Tls
from tests.tls.made import LOOPBACK, Made

LISTENER: Final = "SASL"
_PEER: Final = "dispatchers.example"
_USER: Final = "cordboard"
_SENDER: Final = "chaos"


class Guards:
    """Files for a deployment in a folder: certificates, passwords, tokens, and what the settings are to say of them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        password, secret = secrets.token_hex(16), secrets.token_hex(16)
        self.token = f"cordboard_{secrets.token_urlsafe(32)}"
        brokers = make_certificates(folder / "brokers")
        self.listener = Listener(name=LISTENER, protocol="SASL_SSL", certificates=brokers, users={_USER: password})
        self.made = Made(folder / "ports", _PEER, *LOOPBACK)
        self.client_pair = self.made.issue("client", "client.example")
        identity = f'[identities.{_SENDER}]\ntoken_sha256 = ["{hash_of(self.token).hex()}"]\naccounts = ["*"]\n'
        tls = self.made.settings(asks=True, peer_name=_PEER)
        self.environment = {
            "CORDBOARD_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "CORDBOARD_KAFKA__CA_FILE": str(brokers.authority_file),
            "CORDBOARD_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
            "CORDBOARD_KAFKA__SASL_USERNAME": _USER,
            "CORDBOARD_KAFKA__SASL_PASSWORD_FILE": _kept(folder / "kafka-password", password),
            "CORDBOARD_IDENTITIES_FILE": _kept(folder / "identities.toml", identity),
            "CORDBOARD_PEERS__SECRET_FILE": _kept(folder / "peers-secret", secret),
            **{f"CORDBOARD_TLS__{name.upper()}": str(value) for name, value in tls.items()},
        }

    @property
    def shown(self) -> dict[str, str]:
        """The environment of a command line that is let in."""
        certificate, key = self.client_pair
        return {
            "CORDBOARD_TLS_CA": str(self.made.ca),
            "CORDBOARD_TLS_CERTIFICATE": str(certificate),
            "CORDBOARD_TLS_KEY": str(key),
            "CORDBOARD_TOKEN": self.token,
        }

    def client(self, target: str, options: tuple[tuple[str, int], ...]) -> Client:
        """A client that is let in."""
        tls = Tls(self.made.ca, *self.client_pair, server_name=_PEER)
        return Client(target, tls=tls, token=self.token, options=options)


def _kept(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o600)
    return str(path)
