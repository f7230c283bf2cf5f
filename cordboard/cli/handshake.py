"""Why no handshake comes about with a dispatcher, found by trying one: gRPC says it in its own words, or not at all."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from typing import Final

from cordboard.cli.target import Target

_SECONDS: Final = 3.0
_WORD_SECONDS: Final = 1.0  # For what a server says of our certificate, once the handshake is over for us.
# A client of HTTP/2 begins with it; a server that lets us in answers.
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_PLACE: Final = re.compile(r"(?:(?:dns|ipv4|ipv6):/*)?(?P<host>\[[^\]]+\]|[^:/\[\]]+):(?P<port>\d+)")
_OF_THE_SERVER: Final[Mapping[int, str]] = {
    9: "shows a certificate that is not valid yet: is the clock right?",
    10: "shows a certificate that has expired: it must be renewed",
    18: "shows a certificate that nobody in --tls-ca vouches for",
    19: "shows a certificate that nobody in --tls-ca vouches for",
    20: "shows a certificate that nobody in --tls-ca vouches for",
    21: "shows a certificate that nobody in --tls-ca vouches for",
    62: "shows a certificate for another name: if it is the right one, give that by --tls-name",
    64: "shows a certificate for other addresses: if it is the right one, give its name by --tls-name",
}


async def trouble_with(target: Target) -> str | None:
    """What is wrong between us and it, as the end of a sentence; None where it cannot be reached, or nothing is."""
    found = _PLACE.fullmatch(target.address)
    if found is None:
        return None
    host, port = found["host"].strip("[]"), int(found["port"])
    try:
        async with asyncio.timeout(_SECONDS):
            return await (_over_tls(target, host, port) if target.encrypted else _in_the_clear(host, port))
    except (OSError, TimeoutError):
        return None


async def _in_the_clear(host: str, port: int) -> str | None:
    """Whether TLS is spoken where we spoke none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # Nothing is told to whoever it is.
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except ssl.SSLError as error:
        if "ALERT" not in (error.reason or ""):
            return None
    else:
        writer.close()
    return "speaks TLS: give the certificates of who vouches for it by --tls-ca"


async def _over_tls(target: Target, host: str, port: int) -> str | None:
    context = ssl.create_default_context(cafile=target.ca_file)
    context.set_alpn_protocols(["h2"])
    if target.certificate_file is not None:
        context.load_cert_chain(target.certificate_file, target.key_file, "")
    named = target.server_name or host
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=named)
    except ssl.SSLCertVerificationError as error:
        return _OF_THE_SERVER.get(error.verify_code, f"shows a certificate that is not right: {error.verify_message}")
    except ssl.SSLError as error:
        if "ALERT" in (error.reason or ""):
            return _refused(target)
        return "speaks no TLS: leave out --tls-ca, if it is reached over a network that you trust"
    try:
        return None if await _lets_in(reader, writer) else _refused(target)
    finally:
        writer.close()


async def _lets_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """In TLS 1.3 a client is through before the server has looked at its certificate; gRPC's then closes, wordless."""
    try:
        writer.write(_PREFACE)
        async with asyncio.timeout(_WORD_SECONDS):
            return bool(await reader.read(1))
    except TimeoutError:
        return True  # It takes its time, so it has not closed.
    except OSError:
        return False


def _refused(target: Target) -> str:
    if target.certificate_file is None:
        return "asks for a certificate: give --tls-certificate and --tls-key"
    return (
        "does not know who vouches for the certificate of --tls-certificate (its tls.client_ca_file says whom it knows)"
    )
