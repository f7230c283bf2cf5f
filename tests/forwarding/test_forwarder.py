"""Forwarders on the embedded log and a service on real HTTP: order, independence, repeats, and an end of patience."""

from __future__ import annotations

import asyncio
import random

import pytest
from structlog.testing import capture_logs

from cordboard.cloudevents import header
from cordboard.liveness import Judge
from cordboard.log.port import Record, TopicPartition
from tests.forwarding.conftest import PARTITIONS, World
from tests.forwarding.stage import TOPICS, Service, event, until
from workers.core.forwarding import Answer, Patience, TryResult
from workers.forwarding.events import Abandoned, BrokeOff, Delivered, TriedInVain
from workers.forwarding.journal import Journal

CALLS = [f"v3:{number}" for number in range(8)]


async def test_each_call_in_its_order_one_at_a_time(world: World, service: Service) -> None:
    """
    Whatever fails in between; and all of it is committed.
    """
    service.chance = random.Random(3)
    await world.forwarder(service.url)
    await world.write(*(event(call, number) for number in range(6) for call in CALLS))
    await until(world.all_committed)

    assert service.overlaps == []
    assert any(isinstance(one, TriedInVain) for one in world.events)
    for call in CALLS:
        taken = service.of(call)
        assert list(dict.fromkeys(taken)) == [f"{call}-{number}" for number in range(6)]
        assert taken == sorted(taken)  # Repeats stand beside their first try.


async def test_a_call_that_fails_holds_up_only_itself(world: World, service: Service) -> None:
    """
    The next event of the same call waits; all others are taken; nothing past it is committed.
    """
    service.answers = {"v3:bad": 503}
    forwarder = await world.forwarder(service.url)
    await world.write(event("v3:bad", 0), event("v3:bad", 1), *(event(call, 0) for call in CALLS))
    await until(lambda: all(service.of(call) for call in CALLS) and len(service.of("v3:bad")) > 3)

    assert set(service.of("v3:bad")) == {"v3:bad-0"}
    await until(lambda: forwarder.in_hand() == 2)
    assert forwarder.oldest_seconds() > 0
    home = world.log.partition_for(TOPICS.events, b"v3:bad")
    assert world.committed()[home] == 0
    assert {one.answer.status for one in world.events if isinstance(one, TriedInVain)} == {503}

    service.answers = {}
    await until(world.all_committed)
    assert service.of("v3:bad")[-1] == "v3:bad-1"


async def test_a_call_that_is_not_answered_holds_up_only_itself(world: World, service: Service) -> None:
    """
    A request that hangs takes one of the places at once, and ends by its time.
    """
    service.hold("v3:slow")
    await world.forwarder(service.url, timeout_ms=300, concurrency=2)
    await world.write(event("v3:slow", 0), *(event(call, 0) for call in CALLS))
    await until(lambda: all(service.of(call) for call in CALLS))

    await until(lambda: any(_result(one) is TryResult.TIMED_OUT for one in world.events))
    service.let_go()
    await until(world.all_committed)


def _result(one: object) -> TryResult | None:
    return one.answer.result if isinstance(one, TriedInVain) else None


async def test_two_accounts_of_which_one_has_a_dead_endpoint(world: World, service: Service) -> None:
    """
    Each has its own group, connections and patience; nobody is told of another's events.
    """
    alive = await world.forwarder(service.url, "main")
    dead = await world.forwarder("http://127.0.0.1:1/", "other")
    await world.write(
        *(event(call, number, account) for number in range(3) for call in CALLS for account in ("main", "other"))
    )
    await until(lambda: world.all_committed("main"))

    assert alive.in_hand() == 0
    assert len(service.posts) == 3 * len(CALLS)
    await until(lambda: dead.in_hand() == 3 * len(CALLS))
    assert max(offset or 0 for offset in world.committed("other")) <= 1  # At most past another's first event.


async def test_an_endpoint_is_away_for_a_while(world: World, service: Service) -> None:
    """
    Then all arrives, once each and in order.
    """
    assert service.server is not None
    url, port = service.url, service.server.port
    await service.server.stop()
    await world.forwarder(url)
    await world.write(*(event(call, number) for number in range(3) for call in CALLS))
    await until(lambda: sum(_result(one) is TryResult.UNREACHABLE for one in world.events) >= 3 * len(CALLS))

    service.server = type(service.server)(service.app(), "127.0.0.1", port, drain_seconds=0.1)
    await service.server.start()
    await until(world.all_committed)
    assert {call: service.of(call) for call in CALLS} == {
        call: [f"{call}-{number}" for number in range(3)] for call in CALLS
    }


async def test_what_is_not_taken_in_time_is_a_dead_letter(world: World, service: Service) -> None:
    """
    With the event as it came and why; the next one of the call has its turn. Both are said.
    """
    service.usual = 410
    patience = Patience(whole_ms=1, pause_ms=5)
    with capture_logs() as lines:
        await world.forwarder(service.url, patience=patience)
        journal = Journal("main", world.clock)
        await world.write(event("v3:a", 0), event("v3:a", 1))
        await until(world.all_committed)
        for one in world.events:
            journal(one)

    letters = await world.dead_letters()
    assert [header(letter.headers, "ce_id") for letter in letters] == ["v3:a-0", "v3:a-1"]
    reason = header(letters[0].headers, "dlq.errors.reason")
    assert reason == "forwarding to the endpoint of main was given up: too_long"
    assert header(letters[0].headers, "dlq.errors.detail").endswith("the last one: refused 410")
    assert letters[0].value == event("v3:a", 0).value
    said = [(line["event_id"], line["reason"], line["http_status"]) for line in lines if "reason" in line]
    assert said == [("v3:a-0", "too_long", 410), ("v3:a-1", "too_long", 410)]
    assert [line["event"] for line in lines].count("event_not_taken") == 1  # Floods are one line a minute.


async def test_a_stale_signature_that_is_refused_is_not_tried_for_hours(world: World, service: Service) -> None:
    """
    What was signed 301 s ago and is refused can only be refused again; new events go on.
    """
    service.answers = {"v3:old": 400}
    await world.forwarder(service.url)
    signed = world.clock.now_ms() // 1000 - 301
    await world.write(event("v3:old", 0, at=signed), event("v3:new", 0))
    await until(world.all_committed)

    assert service.of("v3:old") == ["v3:old-0"]
    assert [one.why for one in world.events if isinstance(one, Abandoned)] == ["stale"]


async def test_a_full_partition_is_not_read_on(world: World, service: Service) -> None:
    """
    So many are in hand and no more; the rest waits in the log, where it is seen, until there is room.
    """
    service.usual = 500
    forwarder = await world.forwarder(service.url, in_hand_max=10, read_max=2, concurrency=2)
    await world.write(*(event(f"v3:{number}", 0) for number in range(100)))
    most = PARTITIONS * 10
    await until(lambda: forwarder.in_hand() > most - PARTITIONS * 2)
    await until(lambda: sum(isinstance(one, TriedInVain) for one in world.events) > 2 * most)

    assert forwarder.in_hand() <= most
    service.usual = 200
    await until(world.all_committed)
    assert sum(isinstance(one, Delivered) for one in world.events) == 100


async def test_large_events_fill_a_partition_too(world: World, service: Service) -> None:
    """
    Bytes are bounded as their number is.
    """
    service.usual = 500
    forwarder = await world.forwarder(service.url, in_hand_bytes_max=1_000, read_max=1)
    await world.write(*(event(f"v3:{number}", 0) for number in range(20)))
    await until(lambda: sum(isinstance(one, TriedInVain) for one in world.events) > 20)
    assert forwarder.in_hand() < 10

    service.usual = 200
    await until(world.all_committed)
    assert sum(isinstance(one, Delivered) for one in world.events) == 20


class Hanging:
    """Takes no event of some calls, and takes its time over it; notes how many of those are out again at once."""

    def __init__(self, calls: set[bytes]) -> None:
        self.calls = calls
        self.taken: set[bytes] = set()
        self.tried: set[bytes] = set()
        self.again = self.again_max = 0

    async def post(self, record: Record) -> Answer:
        call = record.key or b""
        if call not in self.calls:
            self.taken.add(call)
            return Answer(TryResult.DELIVERED, 200)
        is_again = call in self.tried
        self.tried.add(call)
        self.again += is_again
        self.again_max = max(self.again, self.again_max)
        await asyncio.sleep(0.02)
        self.again -= is_again
        return Answer(TryResult.TIMED_OUT)


async def test_calls_that_hang_leave_room_for_those_that_do_not(world: World) -> None:
    """
    However many of them there are, what was not tried yet has half of the slots.
    """
    poster = Hanging({f"v3:hangs-{number}".encode() for number in range(12)})
    await world.forwarder("http://127.0.0.1:1/", poster=poster, concurrency=4)
    await world.write(*(event(call.decode(), 0) for call in poster.calls))
    await until(lambda: sum(isinstance(one, TriedInVain) for one in world.events) > 50)
    await world.write(*(event(call, 0) for call in CALLS))
    await until(lambda: poster.taken == {call.encode() for call in CALLS})

    assert poster.again_max == 2


async def test_a_partition_changes_hands(world: World, service: Service) -> None:
    """
    Another process joins, then the first leaves: what was done is not done again, what was not is.
    """
    first = await world.forwarder(service.url)
    await world.write(*(event(call, 0) for call in CALLS))
    await until(world.all_committed)
    service.answers = dict.fromkeys(CALLS, 503)
    await world.write(*(event(call, 1) for call in CALLS))
    await until(lambda: first.in_hand() == len(CALLS))
    second = await world.forwarder(service.url)
    await until(lambda: second.in_hand() > 0 and first.in_hand() + second.in_hand() == len(CALLS))
    await first.drain(1.0)
    await until(lambda: second.in_hand() == len(CALLS))
    service.answers = {}
    await until(world.all_committed)

    for call in CALLS:
        assert service.of(call).count(f"{call}-0") == 1
        assert service.of(call)[-1] == f"{call}-1"


async def test_a_drain_lets_end_what_is_on_its_way(world: World, service: Service) -> None:
    """
    What is answered meanwhile is committed; what waits behind it is not begun.
    """
    service.hold("v3:a")
    forwarder = await world.forwarder(service.url)
    await world.write(event("v3:a", 0), event("v3:a", 1))
    await until(lambda: service.in_hand["v3:a"] == 1)
    draining = asyncio.create_task(forwarder.drain(1.0))
    await until(lambda: forwarder.posts == [])
    service.let_go()
    await draining

    assert service.of("v3:a") == ["v3:a-0"]
    assert sum(offset or 0 for offset in world.committed()) == 1
    assert not forwarder.broken


async def test_a_drain_is_bounded(world: World, service: Service) -> None:
    """
    A request that does not end is cut off, and its event stays where it is.
    """
    service.hold("v3:a")
    forwarder = await world.forwarder(service.url, timeout_ms=60_000, handover_ms=50)
    await world.write(event("v3:a", 0))
    await until(lambda: service.in_hand["v3:a"] == 1)
    async with asyncio.timeout(20):
        await forwarder.drain(0.05)

    assert set(world.committed()) == {0}


async def test_a_restart_begins_where_it_was_committed(world: World, service: Service) -> None:
    """
    Events that came while nobody forwarded are forwarded.
    """
    first = await world.forwarder(service.url)
    await world.write(event("v3:a", 0))
    await until(world.all_committed)
    await first.drain(1.0)
    await world.write(event("v3:a", 1))
    await world.forwarder(service.url)
    await until(world.all_committed)

    assert service.of("v3:a") == ["v3:a-0", "v3:a-1"]


async def test_what_was_handed_on_long_before_is_not_forwarded(
    world: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Who switches forwarding on has had those events already; only the last minute is taken along.
    """
    await world.write(event("v3:a", 0))
    later = world.clock.now_ms() + 61_000
    monkeypatch.setattr(world.clock, "now_ms", lambda: later)
    await world.forwarder(service.url)
    await until(world.all_committed)
    await world.write(event("v3:a", 1))
    await until(world.all_committed)

    assert service.of("v3:a") == ["v3:a-1"]


async def test_a_dead_endpoint_is_no_stall(world: World) -> None:
    """
    All partitions are excused for as long as something is tried in vain; the lag is told all the same.
    """
    forwarder = await world.forwarder("http://127.0.0.1:1/")
    await world.write(*(event(call, 0) for call in CALLS))
    await until(lambda: forwarder.in_hand() == len(CALLS) and all(post.excuse for post in forwarder.posts))
    judge, ends = (
        Judge(30.0),
        {TopicPartition(TOPICS.events, number): end for number, end in enumerate(await world.ends())},
    )
    for seconds in range(0, 1_000, 10):
        found = [judge.judge(post, ends, "", float(seconds)) for post in forwarder.posts]
        assert not any(one.stalled_seconds for one in found)

    assert sum(sum(one.lags.values()) for one in found) == len(CALLS)
    assert {post.holder for post in forwarder.posts} == {("main", "forward")}


async def test_a_bug_is_said(world: World, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Forwarding that broke off is no longer ready; silence would look like peace.
    """
    monkeypatch.setattr("workers.forwarding.line.judge", lambda *_: 1 / 0)
    forwarder = await world.forwarder(service.url)
    await world.write(event("v3:a", 0))
    await until(lambda: forwarder.broken)

    assert isinstance(world.events[-1], BrokeOff)


async def test_a_task_that_is_cancelled_by_somebody_else_is_a_bug_too(world: World, service: Service) -> None:
    """
    Libraries have let their own cancellations out: a line that ends so would stand still without a word.
    """
    service.hold("v3:a")
    forwarder = await world.forwarder(service.url)
    await world.write(event("v3:a", 0))
    await until(lambda: service.in_hand["v3:a"] == 1)
    [line] = [task for task in asyncio.all_tasks() if task.get_name() == "cordboard.forward.main line"]
    line.cancel()
    await until(lambda: forwarder.broken)
