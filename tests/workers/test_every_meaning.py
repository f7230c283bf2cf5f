"""Every meaning that docs/errors.md lists for an answer of Telnyx, read by the real client from a real socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pytest

from cordboard.work import Work
from workers.core.outcome import TABLE, Meaning, read
from workers.telnyx import Telnyx


class Server(Protocol):
    url: str

    def then(self, *answers: bytes, hang_up: bool = False) -> None: ...


MakeAnswer = Callable[..., bytes]
HEAD = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n"

# What the server does to the one request; None: it is not there.
SCENARIOS: dict[Meaning, Callable[[Server, MakeAnswer], None] | None] = {
    Meaning.ACCEPTED: lambda server, answer: server.then(answer()),
    Meaning.REFUSED: lambda server, answer: server.then(answer(422, b'{"errors":[]}')),
    Meaning.LIMITED: lambda server, answer: server.then(answer(429, b"{}", "x-ratelimit-reset: 2")),
    Meaning.UNREACHED: None,
    Meaning.UNANSWERED: lambda server, answer: server.then(b"", hang_up=True),
    Meaning.FAULT: lambda server, answer: server.then(answer(503, b"{}")),
    Meaning.HALF: lambda server, answer: server.then(HEAD + b"{", hang_up=True),
    Meaning.FOREIGN: lambda server, answer: server.then(answer(200, b"<html>")),
}


def test_every_meaning_has_a_scenario() -> None:
    """
    And a row in the table by which workers act.
    """
    assert set(SCENARIOS) == set(TABLE) == set(Meaning)


@pytest.mark.parametrize("meaning", Meaning)
async def test_the_answer_is_read_as_it_is_listed(
    server: Server, answer: MakeAnswer, make_work: Callable[..., Work], meaning: Meaning
) -> None:
    """
    The status, the body and how they ended decide.
    """
    act = SCENARIOS[meaning]
    if act is not None:
        act(server, answer)
    client = Telnyx(server.url if act else "http://127.0.0.1:1/v2", lambda: "key")
    work = make_work()
    reading = read(await client.send(work, 3_000), work.repeat)
    await client.close()

    assert reading.meaning is meaning
