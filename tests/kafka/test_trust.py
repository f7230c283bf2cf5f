"""Certificates that change beneath a process: the next connection has the new ones, or what was good before."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from structlog.testing import capture_logs

from brokers.certificates import Certificates, make_certificates
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.trust import Trust
from cordboard.log.port import LogError


def trust(made: Certificates) -> Trust:
    way = Connection(
        bootstrap_servers="a:1",
        security_protocol="SSL",
        ca_file=made.authority_file,
        certificate_file=made.client_file,
        key_file=made.client_key_file,
        key_password=made.client_password,
    )
    context = way.arguments()["ssl_context"]
    assert isinstance(context, Trust)
    return context


@contextlib.asynccontextmanager
async def broker(made: Certificates) -> AsyncIterator[int]:
    """Something that asks who comes, and says by which certificate it knew them; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=made.authority_file)
    context.load_cert_chain(made.broker_file)
    context.verify_mode = ssl.CERT_REQUIRED

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.write(f"{x509.load_der_x509_certificate(shown).serial_number}\n".encode())
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def known_as(context: Trust, port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    said = int(await reader.readline())
    writer.close()
    return said


def serial(made: Certificates) -> int:
    return x509.load_pem_x509_certificate(made.client_file.read_bytes()).serial_number


async def test_what_has_changed_is_taken_up_by_the_next_connection(tmp_path: Path):
    """
    A new authority, a new certificate, a new key, beneath a context that a client keeps for its life.
    """
    made = make_certificates(tmp_path)
    context, before = trust(made), serial(made)
    async with broker(made) as port:
        assert await known_as(context, port) == before

    make_certificates(tmp_path)
    async with broker(made) as port, asyncio.timeout(10):
        with capture_logs() as lines:
            assert await known_as(context, port) == serial(made) != before
            assert await known_as(context, port) == serial(made)
    assert [line["event"] for line in lines] == ["changed certificates were taken up"]


async def test_what_cannot_be_used_leaves_what_was_there(tmp_path: Path):
    """
    A certificate whose key has not come yet, a file that has gone: said once each, and the old one serves on.
    """
    made = make_certificates(tmp_path)
    other = make_certificates(tmp_path / "other")
    context, before = trust(made), serial(made)
    async with broker(made) as port:
        with capture_logs() as lines:
            shutil.copy(other.client_file, made.client_file)
            assert [await known_as(context, port) for _ in range(2)] == [before, before]
            made.client_key_file.unlink()
            assert await known_as(context, port) == before
    assert [line["event"] for line in lines] == 2 * ["changed certificates cannot be used; those of before serve on"]
    assert all("certificate_file" in line["why"] for line in lines)


def test_at_the_beginning_they_must_be_right(tmp_path: Path):
    """
    There is nothing before it that could serve on.
    """
    made = make_certificates(tmp_path)
    made.client_key_file.write_text("no key")

    with pytest.raises(LogError, match="certificate_file, key_file or key_password"):
        trust(made)


def test_as_strict_as_contexts_usually_are(tmp_path: Path):
    """
    Certificates are asked for, names are compared, and nothing is allowed that the standard library would not allow.
    """
    context, usual = trust(make_certificates(tmp_path)), ssl.create_default_context()

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    for name in ("options", "verify_flags", "minimum_version"):
        assert getattr(context, name) == getattr(usual, name), name
