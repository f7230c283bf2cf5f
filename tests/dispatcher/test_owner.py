"""The owner around the core, on a log that can only append: rules 1 to 5 and 12 from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cordboard.cloudevents import header
from cordboard.log.port import Claim, LogError, NewRecord, PositionsLost
from cordboard.v1 import result_pb2
from cordboard.work import Lane, Verdict
from dispatcher import batch
from dispatcher import dispatcher as dispatching
from dispatcher.accounts import Accounts
from dispatcher.core.inputs import Due
from dispatcher.finding import group_of
from dispatcher.observing import Decided, Lost
from tests.dispatcher.harness import TOPICS, HandClock, Stage, connect, dial, hangup, make_broker, speak, staged


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def stage(clock: HandClock) -> AsyncIterator[Stage]:
    async with staged(connect(make_broker(clock)), clock) as stage:
        yield stage


async def test_a_command_is_released_and_its_outcome_becomes_its_result(stage: Stage) -> None:
    """
    The whole way round: command in, work out, outcome in, one result out.
    """
    await stage.submit(speak("a"))
    await stage.applied()
    [work] = await stage.works()
    await stage.report(work)
    await stage.applied()

    [result] = await stage.results()
    assert (result.command_id, result.state) == ("a", result_pb2.STATE_SUCCEEDED)
    assert work.path == "/calls/A/actions/speak"


async def test_a_restart_finds_the_line_as_it_was(clock: HandClock) -> None:
    """
    Pages survive their owner: what was in flight is still awaited, what waited is released next, once each.
    """
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as first:
        await first.submit(speak("a"))
        await first.submit(speak("b"))
        await first.applied()
    async with staged(connect(broker), clock) as second:
        [work] = await second.works()
        await second.report(work)
        await second.applied()

        assert [one.command_id for one in await second.works()] == ["a", "b"]


async def test_a_timer_survives_its_owner(clock: HandClock) -> None:
    """
    Silence that began before a restart is judged after it.
    """
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as first:
        await first.submit(dial("d"))
        await first.applied()
        assert len(await first.works(Lane.DIAL)) == 1
    clock.time_ms += 15_000
    async with staged(connect(broker), clock) as second:
        await second.applied()

        [result] = await second.results()
        assert (result.state, result.reason) == (result_pb2.STATE_UNKNOWN, result_pb2.REASON_WORKER_LOST)
        assert len(await second.works(Lane.DIAL)) == 1


async def test_a_timer_waits_for_what_is_still_unread(clock: HandClock) -> None:
    """
    Rule 4: an outcome that was written in time is heard before the silence is judged, however late it is read.
    """
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as first:
        await first.submit(speak("a"))
        await first.applied()
        [work] = await first.works()
    log = connect(broker)
    outside = Stage(log, clock)
    await outside.report(work)
    clock.time_ms += 60_000
    async with staged(log, clock) as second:
        await second.applied()

        [result] = await second.results()
        assert result.state == result_pb2.STATE_SUCCEEDED
        assert len(await second.works()) == 1


async def test_what_cannot_be_read_is_set_aside_whole_and_the_next_proceeds(stage: Stage) -> None:
    """
    A dead letter has the original bytes, key and headers, and says where it stood and why.
    """
    partition = stage.log.partition_for(TOPICS.commands, b"A")
    odd = NewRecord(TOPICS.commands, b"\xff", b"\x0anot a command", (("x", b"y"),), partition)
    await stage.log.append([odd])
    await stage.submit(speak("a"))
    await stage.applied()

    [letter] = await stage.all_of(TOPICS.dead_letters)
    assert (letter.key, letter.value, letter.headers[0]) == (odd.key, odd.value, ("x", b"y"))
    assert header(letter.headers, "dlq.errors.topic") == TOPICS.commands
    assert "no command" in header(letter.headers, "dlq.errors.reason")
    assert [work.command_id for work in await stage.works()] == ["a"]


async def test_what_can_be_read_but_is_invalid_is_refused_with_every_violation(stage: Stage) -> None:
    """
    Nothing is remembered of it: the same id may come again, corrected.
    """
    wrong = speak("a")
    wrong.speak.ClearField("voice")
    wrong.client_state = "not base64!"
    await stage.submit(wrong)
    await stage.submit(speak("a"))
    await stage.applied()

    [refusal] = await stage.results()
    assert (refusal.state, refusal.reason) == (result_pb2.STATE_REJECTED, result_pb2.REASON_INVALID_COMMAND)
    assert {"speak.voice", "client_state"} <= {violation.field for violation in refusal.violations}
    assert [work.command_id for work in await stage.works()] == ["a"]


async def test_a_command_in_json_is_a_command(stage: Stage) -> None:
    """
    The content type decides how a value is read.
    """
    value = b'{"commandId": "a", "callControlId": "A", "speak": {"payload": "hi", "voice": "female"}}'
    await stage.log.append([NewRecord(TOPICS.commands, b"A", value, (("content-type", b"application/json"),))])
    await stage.applied()

    assert [work.command_id for work in await stage.works()] == ["a"]


async def test_a_command_without_an_id_takes_the_event_s(stage: Stage) -> None:
    """
    On Kafka the CloudEvents id is the command's where it has none of its own.
    """
    await stage.submit(speak(""), (("ce_id", b"from-header"),))
    await stage.applied()

    assert [work.command_id for work in await stage.works()] == ["from-header"]


async def test_an_account_that_is_not_configured_is_refused(stage: Stage) -> None:
    """
    The refusal names the field.
    """
    await stage.submit(speak("a", account="nobody"))
    await stage.applied()

    [refusal] = await stage.results()
    assert [violation.field for violation in refusal.violations] == ["account"]


async def test_a_command_on_the_wrong_partition_is_routed_on_once(stage: Stage) -> None:
    """
    Rule 12: the key is not trusted; its first address travels in a header.
    """
    right = stage.log.partition_for(TOPICS.commands, b"A")
    await stage.submit(speak("a"), partition=1 - right)
    await stage.until(lambda: Decided(TOPICS.commands, "asked") in stage.seen)
    await stage.applied()

    assert [work.command_id for work in await stage.works()] == ["a"]
    routed = [record for record in await stage.all_of(TOPICS.commands) if record.partition == right]
    assert header(routed[0].headers, "cordboard-first-address").startswith(f"{TOPICS.commands}/{1 - right}/")


async def test_poison_ends_as_internal_and_is_remembered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Rule 5: a command on which the core fails gets a result; the same one again is answered, not tried.
    """
    real, failures = batch.advance, iter([True])

    def advance(*given: object, **more: object) -> object:
        if next(failures, False):
            raise ZeroDivisionError
        return real(*given, **more)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(batch, "advance", advance)
    await stage.submit(speak("a"))
    await stage.submit(speak("b"))
    await stage.applied()

    assert [(one.command_id, one.reason) for one in await stage.results()] == [("a", result_pb2.REASON_INTERNAL)]
    assert [work.command_id for work in await stage.works()] == ["b"]
    assert len(await stage.all_of(TOPICS.dead_letters)) == 1


async def test_input_that_changes_nothing_writes_no_page(stage: Stage) -> None:
    """
    An outcome for a call that nobody knows leaves no trace.
    """
    await stage.submit(speak("a"))
    await stage.applied()
    [work] = await stage.works()
    await stage.report(work)
    await stage.applied()
    before = stage.dispatcher.pages
    await stage.log.append([NewRecord(TOPICS.outcomes, b"Z", (await stage.all_of(TOPICS.outcomes))[0].value)])
    await stage.applied()

    assert stage.dispatcher.pages == before


async def test_a_successful_dial_opens_its_call(stage: Stage) -> None:
    """
    Its result is keyed by the new call, whose page knows where it came from.
    """
    await stage.submit(dial("d"))
    await stage.applied()
    [work] = await stage.works(Lane.DIAL)
    made = b'{"data": {"call_control_id": "v3:new", "call_leg_id": "leg", "call_session_id": "session"}}'
    await stage.report(work, response=made)
    await stage.until(lambda: stage.dispatcher.pages == 2)

    [result] = await stage.results()
    assert [leg.call_control_id for leg in result.dialed] == ["v3:new"]
    page = await stage.dispatcher.find("v3:new")
    assert page is not None
    assert (page.dial, page.leg, page.direction) == ("dial:main/d", "leg", "outgoing")


async def test_hangups_that_are_doubted_go_out_again_by_the_timer(stage: Stage, clock: HandClock) -> None:
    """
    Promise 8 through the owner: no answer after 15 s, and the next attempt has the same bytes.
    """
    await stage.submit(hangup("h"))
    await stage.applied()
    [work] = await stage.works(Lane.URGENT)
    await stage.report(work, Verdict.NO_ANSWER)
    await stage.applied()
    clock.time_ms += 15_000
    await stage.applied()

    again = await stage.works(Lane.URGENT)
    assert [one.attempt for one in again] == [1, 2]
    assert again[0].body == again[1].body
    assert await stage.results() == []


async def test_work_of_an_account_that_was_taken_away_stops_nobody(clock: HandClock) -> None:
    """
    Its command waited while the settings changed: it is set aside, judged by the timer, and the others go on.
    """
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as before:
        await before.submit(speak("a", account="other"))
        await before.submit(speak("b", account="other"))
        await before.applied()
    only_main = Accounts(addresses={"main": None}, default="main")
    async with staged(connect(broker), clock, accounts=only_main) as after:
        clock.time_ms += 16_000
        await after.submit(speak("c", "C"))
        await after.applied()

        assert [work.command_id for work in await after.works()] == ["c"]
        assert len(await after.all_of(TOPICS.dead_letters)) == 1


async def test_lost_positions_stop_the_partition_and_say_so(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Rule 3: nothing is repeated or skipped; the process stays unready, and questions are refused, not kept waiting.
    """
    log = connect(make_broker(clock))

    async def claim(partition: int) -> Claim:
        raise PositionsLost(f"partition {partition} was owned before")

    monkeypatch.setattr(log, "claim", claim)
    stage = Stage(log, clock)
    await stage.dispatcher.start()
    await stage.until(lambda: {Lost(0, "stopped"), Lost(1, "stopped")} <= set(stage.seen))

    assert (stage.dispatcher.broken, stage.dispatcher.restoring) == ((0, 1), ())
    with pytest.raises(LogError):
        await stage.dispatcher.find("A")
    await stage.dispatcher.stop()


async def test_an_empty_ledger_under_settled_commands_begins_nothing(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Rule 3: a ledger that was deleted and made again looks like a first start, and going on would dial again all that
    was ever dialled. What the group remembers tells them apart, at the first try and at every later one.
    """
    monkeypatch.setattr(dispatching, "REPORT_SECONDS", 0.01)
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as before:
        await before.submit(dial("d"))
        await before.applied()
        number = before.log.partition_for(TOPICS.commands, b"dial:main/d")
        await before.until(lambda: broker.stored_commit((group_of(TOPICS), TOPICS.commands, number)))
    broker.lose_ledger(number)

    for _ in range(2):
        after = Stage(connect(broker), clock)
        await after.dispatcher.start()
        await after.until(lambda: Lost(number, "stopped") in after.seen)  # noqa: B023 - called in this round
        assert after.dispatcher.broken == (number,)
        assert len(await after.works(Lane.DIAL)) == 1
        await after.dispatcher.stop()
    assert broker.stored_commit((group_of(TOPICS), TOPICS.commands, number)) == 1


async def test_a_timer_that_fails_is_looked_at_again(
    stage: Stage, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What a page owes at a time is not lost with one failure: it is judged a minute later.
    """
    real, failures = batch.advance, iter([True])

    def advance(page: object, key: str, given: object, *more: object) -> object:
        if isinstance(given, Due) and next(failures, False):
            raise ZeroDivisionError
        return real(page, key, given, *more)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(batch, "advance", advance)
    await stage.submit(dial("d"))
    await stage.applied()
    clock.time_ms += 15_000
    await stage.applied()
    assert await stage.results() == []

    clock.time_ms += 60_000
    await stage.applied()
    assert [result.reason for result in await stage.results()] == [result_pb2.REASON_WORKER_LOST]


async def test_everyone_who_asked_hears_of_a_gap(stage: Stage, clock: HandClock) -> None:
    """
    A repeat of a command that waits for its number gets a refusal of its own.
    """
    await stage.submit(speak("a", sequence=9))
    await stage.submit(speak("a", sequence=9))
    await stage.applied()
    clock.time_ms += 2_000
    await stage.applied()

    records = await stage.all_of(TOPICS.results)
    assert len({header(record.headers, "ce_id") for record in records}) == 2
    assert {result.reason for result in await stage.results()} == {result_pb2.REASON_SEQUENCE_GAP}


async def test_a_dial_whose_answer_has_nulls_is_a_call(stage: Stage) -> None:
    """
    The call's id is what counts; what Telnyx leaves out or sets to null is not known, that is all.
    """
    await stage.submit(dial("d"))
    await stage.applied()
    [work] = await stage.works(Lane.DIAL)
    await stage.report(work, response=b'{"data": {"call_control_id": "v3:new", "call_leg_id": null}}')
    await stage.until(lambda: stage.dispatcher.pages == 2)

    [result] = await stage.results()
    assert (result.state, result.dialed[0].call_control_id) == (result_pb2.STATE_SUCCEEDED, "v3:new")
