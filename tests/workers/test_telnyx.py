"""The client against real sockets: what one try of a work puts on the wire, and what it makes of what comes back."""

from __future__ import annotations

import gzip
import socket
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import httpx
import pytest

from cordboard.work import Repeat, Work
from workers.core.outcome import Answer, Ending, NoAnswer
from workers.telnyx import ANSWER_BYTES_MAX, Telnyx

KEY = "KEY0123_sentinel_that_must_not_show"


class Server(Protocol):
    url: str
    requests: list[bytes]
    connections: int

    def then(self, *answers: bytes, hang_up: bool = False) -> None: ...

    def then_nothing(self) -> None: ...


MakeWork = Callable[..., Work]
MakeAnswer = Callable[..., bytes]


@pytest.fixture
async def telnyx(server: Server) -> AsyncIterator[Telnyx]:
    client = Telnyx(server.url, lambda: KEY)
    yield client
    await client.close()


class TestOnTheWire:
    async def test_a_work_becomes_exactly_its_request(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        Verb, path and body are the work's own; on the road only a needless escape (%3D) may be spelled out.
        """
        server.then(answer())
        work = make_work(path="/calls/v3:a_b-c%2F%3D/actions/speak", body='{"payload":"ä"}'.encode())
        reply = await telnyx.send(work, 3_000)

        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert reply == Answer(200, b'{"data":{"result":"ok"}}')
        assert head.split(b"\r\n")[0] == b"POST /v2/calls/v3:a_b-c%2F=/actions/speak HTTP/1.1"
        assert body == work.body
        lines = {line.split(b":")[0].lower(): line.split(b": ")[1] for line in head.split(b"\r\n")[1:]}
        assert lines[b"authorization"] == b"Bearer " + KEY.encode()
        assert lines[b"content-type"] == b"application/json"
        assert lines[b"host"] == server.url[7:-3].encode()
        assert lines[b"accept-encoding"] == b"identity"
        assert len(lines) == len(head.split(b"\r\n")) - 1

    async def test_a_question_has_no_body(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        GET /calls/{id}: neither a body nor what describes one; what comes back is kept.
        """
        said = b'{"data":{"is_alive":true}}'
        server.then(answer(200, said))
        question = make_work(method="GET", path="/calls/v3:a_b-c%2F", body=b"", repeat=Repeat.ALWAYS)

        assert await telnyx.send(question, 3_000) == Answer(200, said)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.split(b"\r\n")[0] == b"GET /v2/calls/v3:a_b-c%2F HTTP/1.1"
        names = {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
        assert names == {b"host", b"accept", b"accept-encoding", b"user-agent", b"authorization"}
        assert body == b""

    async def test_a_redirect_is_an_answer_and_not_an_order(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        A request with a key goes nowhere but where it was meant to.
        """
        server.then(answer(302, b"", f"Location: {server.url}/elsewhere"))

        assert await telnyx.send(make_work(), 3_000) == Answer(302)
        assert len(server.requests) == 1

    async def test_cookies_are_not_returned(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        Every resend is the same bytes, whatever the first answer asked to be remembered.
        """
        server.then(answer(503, b"{}", "Set-Cookie: a=b"), answer())
        for _ in range(2):
            await telnyx.send(make_work(), 3_000)

        assert server.requests[0] == server.requests[1]

    async def test_a_replaced_key_is_used_at_once(
        self, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        The key is asked for each request; spaces and newlines of a key file do not matter.
        """
        keys = iter(["first\n", "second"])
        client = Telnyx(server.url, lambda: next(keys))
        server.then(answer(), answer())
        for _ in range(2):
            await client.send(make_work(), 3_000)
        await client.close()

        assert [b"Bearer first\r" in server.requests[0], b"Bearer second\r" in server.requests[1]] == [True, True]

    async def test_dials_do_not_share_the_connections_of_actions(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork, dial: Work
    ) -> None:
        """
        An action's connection may have idled longer than a dial may trust.
        """
        server.then(answer(), answer(), answer())
        for work in (make_work(), dial, dial):
            await telnyx.send(work, 3_000)

        assert server.connections == 2

    async def test_a_simulation_may_give_its_own_transport(self, make_work: MakeWork, dial: Work) -> None:
        """
        Everything goes through the transport that is given, dials too.
        """
        seen = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(request.url.path)
            return httpx.Response(200, content=b"{}")

        client = Telnyx("http://telnyx.test/v2", lambda: KEY, transport=httpx.MockTransport(handle))
        replies = [await client.send(make_work(), 3_000), await client.send(dial, 3_000)]
        await client.close()

        assert replies == [Answer(200, b"{}")] * 2
        assert seen == ["/v2/calls/v3:call/actions/speak", "/v2/calls"]

    @pytest.mark.parametrize(
        "path", ["/calls/../x", "/calls/%2e%2E/x", "/calls/./x", "/calls/a?b", "/a#b", "calls", "", "//x"]
    )
    async def test_a_path_that_would_become_another_is_not_sent(
        self, telnyx: Telnyx, server: Server, make_work: MakeWork, path: str
    ) -> None:
        """
        A call id of two dots must not reach another endpoint with our key.
        """
        assert await telnyx.send(make_work(path=path), 3_000) == NoAnswer(
            unsent=True, why="it is not a path that can be asked for (InvalidURL)"
        )
        assert server.requests == []


class TestReplies:
    async def test_nobody_listening_is_certainly_unsent(self, make_work: MakeWork) -> None:
        """
        A refused connection proves that nothing happened.
        """
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        client = Telnyx(url, lambda: KEY)

        assert await client.send(make_work(), 3_000) == NoAnswer(
            unsent=True, why="no connection could be had (ConnectError)"
        )
        await client.close()

    async def test_an_unknown_name_is_certainly_unsent(self, make_work: MakeWork) -> None:
        """
        Without an address there is no connection.
        """
        client = Telnyx("http://telnyx.invalid", lambda: KEY)
        reply = await client.send(make_work(), 3_000)
        await client.close()

        assert isinstance(reply, NoAnswer)
        assert reply.unsent

    async def test_a_missing_key_is_certainly_unsent(self, server: Server, make_work: MakeWork) -> None:
        """
        A key that cannot be read costs its request, not the worker.
        """

        def no_key() -> str:
            raise FileNotFoundError

        client = Telnyx(server.url, no_key)

        assert await client.send(make_work(), 3_000) == NoAnswer(
            unsent=True, why="the API key cannot be read (FileNotFoundError)"
        )

    async def test_no_answer_in_time_may_have_been_sent(
        self, telnyx: Telnyx, server: Server, make_work: MakeWork
    ) -> None:
        """
        The time is over while the server is silent.
        """
        server.then_nothing()

        assert await telnyx.send(make_work(), 100) == NoAnswer(
            unsent=False, why="no answer came in time (TimeoutError)"
        )
        assert len(server.requests) == 1

    @pytest.mark.parametrize("hang_up", [True, False])
    async def test_half_an_answer_keeps_its_status(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork, hang_up: bool
    ) -> None:
        """
        Whether the connection broke or the time was over inside the body.
        """
        server.then(answer()[:-5], hang_up=hang_up)

        assert await telnyx.send(make_work(), 500) == Answer(200, ending=Ending.BROKEN)

    async def test_a_giant_answer_is_cut(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        Not more than 64 KiB of any answer is kept.
        """
        server.then(answer(200, b"x" * (ANSWER_BYTES_MAX + 1)))
        reply = await telnyx.send(make_work(), 3_000)

        assert reply == Answer(200, b"x" * ANSWER_BYTES_MAX, Ending.CUT)

    async def test_an_answer_packed_against_our_word_is_unpacked(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        We ask for plain answers; one that comes packed even so is no reason not to understand it.
        """
        server.then(answer(200, gzip.compress(b'{"data":{}}'), "Content-Encoding: gzip"))

        assert await telnyx.send(make_work(), 3_000) == Answer(200, b'{"data":{}}')

    async def test_what_is_not_http_is_an_answer_without_status(
        self, telnyx: Telnyx, server: Server, make_work: MakeWork
    ) -> None:
        """
        Something is there, and it is not the API.
        """
        server.then(b"\x15\x03\x01\x00\x02\x02\x46", hang_up=True)
        reply = await telnyx.send(make_work(), 3_000)

        assert reply == Answer(0)

    async def test_a_limit_names_its_reset(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        The header reaches the table as it came.
        """
        server.then(answer(429, b"{}", "X-RateLimit-Reset: 3"))

        assert await telnyx.send(make_work(), 3_000) == Answer(429, b"{}", reset="3")
