"""Certificates as files, made for a test: an authority, what it issued, and what others did."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509

from cordboard.tls.identity import Files
from cordboard.tls.issuing import Authority

LOOPBACK = ("localhost", "127.0.0.1")


class Made:
    """A folder of them: the server's pair and the authority are there, others when they are asked for."""

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.authority = Authority.new("Authority of a test", days=1)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self.authority.issued.certificate)
        self.server, self.server_key = self.issue("server", *(names or LOOPBACK))

    def issue(self, file: str, *names: str, subject: str = "", by: Authority | None = None, **more: float) -> Any:
        """Issue a certificate, in place of the one of before; its file and its key's."""
        certificate, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        (by or self.authority).issue(subject or file, names, **{"days": 1, **more}).write(certificate, key)
        return certificate, key

    def expired(self, file: str, *names: str) -> Any:
        """One that ended an hour ago."""
        return self.issue(file, *names, begins_days=-1, days=23 / 24)

    def files(self, *, asks: bool = False) -> Files:
        """The server's; with `asks` it wants to see the clients'."""
        return Files(self.server, self.server_key, self.ca if asks else None)

    def client_context(self, pair: tuple[Path, Path] | None = None, ca: Path | None = None) -> ssl.SSLContext:
        """What a client trusts, and shows."""
        context = ssl.create_default_context(cafile=ca or self.ca)
        if pair is not None:
            context.load_cert_chain(*pair)
        return context

    def settings(self, *, asks: bool = False, **more: Any) -> dict[str, Any]:
        """The table `tls` of the settings."""
        table = {"certificate_file": self.server, "key_file": self.server_key, **more}
        return {**table, "client_ca_file": self.ca} if asks else table


def serial(path: Path) -> int:
    """Which certificate a file holds."""
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


async def serial_shown(port: int, context: ssl.SSLContext) -> int:
    """Which certificate a port shows to who connects now."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number
