"""Client and plan together against real sockets: what is resent, what is not, and what stays secret."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import pytest

from cordboard.clock import SystemClock
from cordboard.work import Lane, Outcome, Repeat, Verdict, Work
from workers.core.attempt import Limits
from workers.events import Event
from workers.pace import AccountPace, Rates
from workers.sending import Sender
from workers.telnyx import Telnyx

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


async def carried(client: Telnyx, work: Work, events: list[Event] | None = None) -> Outcome:
    """Send a work as a lane would, in real time, with tries short enough for a test."""
    sender = Sender(
        client=client,
        clock=SystemClock(),
        limits=Limits(budget_ms=2_000, try_ms=300, connect_ms=200, backoff_ms=1, backoff_ms_max=2),
        jitter=random.Random(1).random,
        pace=AccountPace(Rates()),
        observe=(events if events is not None else []).append,
    )
    return await sender.carry(work, "in_lane", asyncio.Event())


def fresh(work: Work, **changes: object) -> Work:
    """The same work, released now."""
    now_ms = SystemClock().now_ms()
    fields = {name: getattr(work, name) for name in work.__struct_fields__}
    times = {"released_ms": now_ms, "not_after_ms": now_ms + 50_000, "expire_ms": None}
    return Work(**{**fields, **times, **changes})


class TestCarried:
    async def test_a_dial_dropped_after_it_was_sent_is_not_sent_again(
        self, telnyx: Telnyx, server: Server, dial: Work
    ) -> None:
        """
        One request on the wire, and the outcome says that nobody knows.
        """
        server.then(b"", hang_up=True)
        outcome = await carried(telnyx, fresh(dial))

        assert (outcome.verdict, outcome.tries, len(server.requests)) == (Verdict.NO_ANSWER, 1, 1)

    async def test_a_dial_dropped_on_a_reused_connection_is_not_sent_again(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, dial: Work
    ) -> None:
        """
        A connection that was good a moment ago is no proof either.
        """
        server.then(answer(200, b'{"data":{"call_control_id":"v3:new"}}'))
        first = await carried(telnyx, fresh(dial))
        server.then(b"", hang_up=True)
        second = await carried(telnyx, fresh(dial, command_id="d2"))

        assert (first.verdict, second.verdict) == (Verdict.DONE, Verdict.NO_ANSWER)
        assert (len(server.requests), server.connections) == (2, 1)

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    async def test_an_action_dropped_after_it_was_sent_is_sent_again_as_it_was(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork, method: str
    ) -> None:
        """
        Inside the window the same bytes are harmless; each try is counted.
        """
        server.then(b"", hang_up=True)
        server.then(answer())
        outcome = await carried(telnyx, fresh(make_work(), method=method))

        assert (outcome.verdict, outcome.tries) == (Verdict.DONE, 2)
        assert server.requests[0] == server.requests[1]

    async def test_a_no_to_a_resend_is_ambiguous(
        self, telnyx: Telnyx, server: Server, answer: MakeAnswer, make_work: MakeWork
    ) -> None:
        """
        "Call has already ended" may be the first try's success speaking.
        """
        server.then(b"", hang_up=True)
        server.then(answer(422, b'{"errors":[{"code":"90018","title":"ended"}]}'))
        hangup = fresh(make_work(), lane=Lane.URGENT, repeat=Repeat.ALWAYS, not_after_ms=None)
        outcome = await carried(telnyx, hangup)

        assert (outcome.verdict, outcome.errors[0].code) == (Verdict.AMBIGUOUS, "90018")

    async def test_the_key_shows_nowhere(
        self,
        telnyx: Telnyx,
        server: Server,
        answer: MakeAnswer,
        make_work: MakeWork,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """
        Not in any log at any level, not in what is told, not in a repr: whatever went wrong.
        """
        caplog.set_level(logging.DEBUG)
        events: list[Event] = []
        server.then(b"garbage\r\n\r\n", b"", hang_up=True)
        server.then(answer(401, b'{"errors":[{"code":"10009"}]}'))
        outcome = await carried(telnyx, fresh(make_work()), events)

        assert outcome.verdict is Verdict.AMBIGUOUS
        assert KEY not in f"{caplog.text}{events!r}{outcome!r}{telnyx!r}{vars(telnyx)!r}"
