"""One request to an endpoint: what it carries, and what its answer comes to."""

from __future__ import annotations

import asyncio

import pytest
import telnyx

from cordboard.log.port import NewRecord, Record
from tests.forwarding.stage import PUBLIC_KEY, Service, event
from workers.core.forwarding import Answer, TryResult
from workers.forwarding import Endpoint


def record(new: NewRecord) -> Record:
    return Record(new.topic, 0, 0, 0, new.key, new.value, new.headers)


async def posted(url: str, new: NewRecord | None = None, timeout_ms: int = 2_000) -> Answer:
    endpoint = Endpoint(url, timeout_ms=timeout_ms)
    try:
        return await endpoint.post(record(new or event("v3:a", 1)))
    finally:
        await endpoint.close()


async def test_the_vendors_client_finds_the_signature_right(service: Service) -> None:
    """
    Body and headers are Telnyx's own, to the byte, at the very address that was given.
    """
    new = event("v3:a", 1)
    assert await posted(service.url + "?key=k%20v", new) == Answer(TryResult.DELIVERED, 200)
    (post,) = service.posts

    told = telnyx.Telnyx(api_key="x").webhooks.unwrap(post.body.decode(), headers=post.headers, key=PUBLIC_KEY)
    assert told.data.id == "v3:a-1"
    assert (post.path, post.body) == ("/hooks/", new.value)
    assert post.headers["content-type"] == "application/json"
    assert "authorization" not in post.headers


@pytest.mark.parametrize(
    ("status", "result"),
    [(204, TryResult.DELIVERED), (302, TryResult.REDIRECTED), (410, TryResult.REFUSED), (500, TryResult.FAILED)],
)
async def test_a_status_is_all_that_counts(service: Service, status: int, result: TryResult) -> None:
    """
    A redirection is told and not followed.
    """
    service.usual = status

    assert await posted(service.url) == Answer(result, status)
    assert len(service.posts) == 1


async def test_nobody_listens() -> None:
    """
    No connection: nothing was sent.
    """
    listening = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()

    assert await posted(f"http://127.0.0.1:{port}/") == Answer(TryResult.UNREACHABLE)


async def test_no_answer_in_time(service: Service) -> None:
    """
    Whether it was taken nobody knows; it is posted again.
    """
    service.hold("v3:a")

    assert await posted(service.url, timeout_ms=50) == Answer(TryResult.TIMED_OUT)


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (b"", Answer(TryResult.BROKEN_OFF)),
        (b"SSH-2.0-x\r\n", Answer(TryResult.FAILED)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", Answer(TryResult.DELIVERED, 200)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n" + b"x" * 200_000, Answer(TryResult.DELIVERED, 200)),
    ],
)
async def test_what_answers_may_be_odd(said: bytes, result: Answer) -> None:
    """
    A status counts even where the body behind it breaks off or is far too long.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await posted(f"http://127.0.0.1:{port}/") == result


def test_an_address_is_not_shown() -> None:
    """
    Its query may hold what opens the door.
    """
    assert "hush" not in repr(Endpoint("http://calls.example/x?token=hush", timeout_ms=1))
