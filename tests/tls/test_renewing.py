"""Files that are renewed beneath a running process: the next handshake has the new ones, or what was good before."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cordboard.tls.files import versions
from cordboard.tls.identity import Unfit
from cordboard.tls.renewing import Renewing, ServerContext
from tests.tls.made import Made, serial, serial_shown

TAKEN_UP = "renewed certificates were taken up"
REFUSED = "renewed certificates cannot be served; those of before serve on"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


@contextlib.asynccontextmanager
async def echoing(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that says again what it is told."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                writer.write(line)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


def test_the_same_as_long_as_nothing_was_written(made: Made):
    """
    Another object says that it was renewed.
    """
    renewing = Renewing(made.files())
    first = renewing.current()

    assert renewing.current() is first
    made.issue("server", "localhost")
    assert renewing.current() is not first


def test_at_the_beginning_they_must_be_right(made: Made):
    """
    There is nothing of before that could serve on.
    """
    made.expired("server", "localhost")

    with pytest.raises(Unfit):
        Renewing(made.files())


async def test_new_handshakes_have_the_new_one_and_old_connections_live_on(made: Made):
    """
    Without a restart, and nobody is cut off.
    """
    trusting = made.client_context()
    async with echoing(ServerContext(Renewing(made.files()))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
        assert await serial_shown(port, trusting) == (before := serial(made.server))

        made.issue("server", "localhost")
        assert await serial_shown(port, trusting) == serial(made.server) != before

        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()


@pytest.mark.parametrize("spoil", ["expired", "another key", "gone", "nonsense"])
async def test_what_cannot_be_served_leaves_what_was_there(made: Made, spoil: str):
    """
    It is said once, and known to who looks; what is right again is taken up.
    """
    renewing, trusting = Renewing(made.files()), made.client_context()
    before = serial(made.server)
    async with echoing(ServerContext(renewing)) as port:
        with capture_logs() as lines:
            if spoil == "expired":
                made.expired("server", "localhost")
            elif spoil == "another key":
                shutil.copy(made.issue("other", "localhost")[1], made.server_key)
            elif spoil == "gone":
                made.server_key.unlink()
            else:
                made.server.write_text("nonsense")
            assert [await serial_shown(port, trusting) for _ in range(2)] == [before, before]
            assert renewing.refused
            made.issue("server", "localhost")
            assert await serial_shown(port, trusting) == serial(made.server) != before
            assert not renewing.refused
    assert [line["event"] for line in lines] == [REFUSED, TAKEN_UP]


def test_what_is_refused_for_its_time_is_looked_at_again(made: Made, monkeypatch: pytest.MonkeyPatch):
    """
    A certificate's time comes without a new file.
    """
    renewing = Renewing(made.files())
    first = renewing.current()
    kept = made.server.read_bytes(), made.server_key.read_bytes()
    made.expired("server", "localhost")
    assert renewing.refused
    made.server.write_bytes(kept[0])
    made.server_key.write_bytes(kept[1])
    monkeypatch.setattr(renewing, "_seen", versions(*made.files().every))
    assert renewing.current() is first

    monkeypatch.setattr(renewing, "_again", 0.0)
    assert not renewing.refused


async def test_an_authority_that_was_taken_away_is_trusted_no_longer(made: Made):
    """
    Who was vouched for by it comes in no more; who is vouched for by the new one does.
    """
    client = made.issue("client")
    other = Made(made.folder / "other")
    async with echoing(ServerContext(Renewing(made.files(asks=True)))) as port:
        assert await said_to(port, made.client_context(client)) == b"hello\n"
        made.ca.write_bytes(other.ca.read_bytes())

        former = made.folder / "former.pem"
        former.write_bytes(made.authority.issued.certificate)
        with pytest.raises(OSError):  # noqa: PT011 - an alert, or a broken connection
            await said_to(port, made.client_context(client, former))
        assert await said_to(port, made.client_context(other.issue("client"), former)) == b"hello\n"


async def said_to(port: int, context: ssl.SSLContext) -> bytes:
    """What the server says again; raises where it lets nobody in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    writer.write(b"hello\n")
    try:
        line = await reader.readline()
    finally:
        writer.close()
    if not line:
        raise ConnectionError("closed")
    return line
