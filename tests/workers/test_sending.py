"""Carrying one release: what its plan says is done, in order, and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import pytest

from cordboard.work import Lane, Repeat, Verdict, Work
from workers.core.attempt import Limits
from workers.core.outcome import Answer, Meaning, NoAnswer, Reading, Reply
from workers.events import Event, Tried
from workers.pace import AccountPace, Hold, Rates
from workers.sending import Sender, sleep_unless

MakeWork = Callable[..., Work]
DROPPED = NoAnswer(unsent=False, why="dropped")


class Clock(Protocol):
    ms: int

    def now_ms(self) -> int: ...


class Scripted:
    """Gives one reply after the other; each takes 40 ms of the clock."""

    def __init__(self, clock: Clock, *replies: Reply) -> None:
        self._clock = clock
        self._replies = list(replies)
        self.on_send: Callable[[], None] = lambda: None

    async def send(self, work: Work, timeout_ms: int) -> Reply:
        self.on_send()
        self._clock.ms += 40
        return self._replies.pop(0)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def sender(clock: Clock, events: list[Event]) -> Callable[..., Sender]:
    def make(*replies: Reply) -> Sender:
        return Sender(
            client=Scripted(clock, *replies),
            clock=clock,
            limits=Limits(),
            jitter=lambda: 0.0,
            pace=AccountPace(Rates()),
            observe=events.append,
        )

    return make


class TestCarry:
    async def test_each_try_is_told(
        self, sender: Callable[..., Sender], events: list[Event], make_work: MakeWork
    ) -> None:
        """
        What it meant, how long it took, and which try it was.
        """
        outcome = await sender(DROPPED, Answer(200, b"{}")).carry(make_work(), "in_lane", asyncio.Event())

        assert outcome.verdict is Verdict.DONE
        assert [
            (event.reading.meaning, event.seconds, event.resend) for event in events if isinstance(event, Tried)
        ] == [(Meaning.UNANSWERED, 0.04, 0), (Meaning.ACCEPTED, 0.04, 1)]

    async def test_after_a_revocation_nothing_is_resent(
        self, sender: Callable[..., Sender], make_work: MakeWork
    ) -> None:
        """
        The partition went while the request was under way: what is in doubt is reported as it is.
        """
        stop = asyncio.Event()
        carrying = sender(Answer(503))
        assert isinstance(carrying.client, Scripted)
        carrying.client.on_send = stop.set
        outcome = await carrying.carry(make_work(), "in_lane", stop)

        assert (outcome.verdict, outcome.tries) == (Verdict.SERVER_ERROR, 1)

    async def test_a_revocation_ends_the_wait_for_a_resend(
        self, sender: Callable[..., Sender], make_work: MakeWork
    ) -> None:
        """
        Nobody sits out a back-off after which nothing may be sent.
        """
        stop = asyncio.Event()
        carrying = asyncio.create_task(sender(Answer(429, reset="5")).carry(make_work(lane=Lane.DIAL), "in_lane", stop))
        await asyncio.sleep(0)
        stop.set()

        assert (await carrying).verdict is Verdict.UNSENT

    async def test_a_limit_slows_the_lane(
        self, sender: Callable[..., Sender], clock: Clock, make_work: MakeWork
    ) -> None:
        """
        Others of the lane wait for the reset too, instead of asking for the same answer.
        """
        carrying = sender(Answer(429, reset="20"))
        await carrying.carry(make_work(), "in_lane", asyncio.Event())
        hold = carrying.pace.hold(make_work(command_id="c2"), clock.now_ms())

        assert hold is not None
        assert (hold.ms, hold.cause) == (20_000, "rate_limited")

    async def test_a_limit_on_questions_slows_no_command(
        self, sender: Callable[..., Sender], clock: Clock, make_work: MakeWork
    ) -> None:
        """
        Telnyx counts them by themselves, and nobody waits for one.
        """
        carrying = sender(Answer(429, reset="20"))
        question = make_work(command_id="?alive", method="GET", body=b"", repeat=Repeat.ALWAYS)
        outcome = await carrying.carry(question, "in_lane", asyncio.Event())

        assert outcome.verdict is Verdict.UNSENT
        assert carrying.pace.hold(make_work(), clock.now_ms()) is None


class TestSleepUnless:
    async def test_it_wakes_when_told(self) -> None:
        """
        A day's sleep ends at once where the stop is already set.
        """
        stop = asyncio.Event()
        stop.set()
        await sleep_unless(stop, 86_400_000)

    async def test_it_wakes_by_itself(self) -> None:
        """
        Without a stop the time passes, and nothing is raised.
        """
        stop = asyncio.Event()
        await sleep_unless(stop, 1)

        assert not stop.is_set()


class Grudging:
    """A pace that lets each request wait once."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def share(self, lane: Lane, part: float) -> None:
        """Not looked at."""

    def heard(self, work: Work, reading: Reading, now_ms: int) -> None:
        """Not looked at."""

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        self.asked.append(now_ms)
        return Hold(5, "rate_limited") if len(self.asked) == 1 else None


class TestPacedResends:
    async def test_a_resend_takes_its_place_in_the_allowance(self, clock: Clock, make_work: MakeWork) -> None:
        """
        After a 429 all that wait come back at the same moment; the pace lets them go one after another.
        """

        class Going:
            def now_ms(self) -> int:
                clock.ms += 1
                return clock.ms

        pace = Grudging()
        client = Scripted(clock, Answer(503), Answer(200, b"{}"))
        sender = Sender(
            client=client,
            clock=Going(),
            limits=Limits(),
            jitter=lambda: 0.0,
            pace=pace,
            observe=lambda event: None,
        )
        outcome = await sender.carry(make_work(), "in_lane", asyncio.Event())

        assert (outcome.verdict, outcome.tries) == (Verdict.DONE, 2)
        assert len(pace.asked) == 2
        assert pace.asked[1] - pace.asked[0] >= 5

    async def test_while_paused_what_is_urgent_ends_at_once(self, clock: Clock, make_work: MakeWork) -> None:
        """
        Kept here it would take the room of hangups: certainly nothing was sent, and the cause says why.
        """
        client = Scripted(clock)
        pace = AccountPace(Rates(), paused=lambda: True)
        sender = Sender(
            client=client, clock=clock, limits=Limits(), jitter=lambda: 0.0, pace=pace, observe=lambda event: None
        )
        answer = make_work(lane=Lane.URGENT, action="answer")
        outcome = await sender.carry(answer, "in_lane", asyncio.Event())

        assert (outcome.verdict, outcome.cause, outcome.tries) == (Verdict.UNSENT, "paused", 0)
