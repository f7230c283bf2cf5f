"""Dead letters: listed, shown, and written back so that their call judges them as it is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dispatcher.batch as batches
from cordboard.letters import dead_letter
from cordboard.log.port import NewRecord, Record
from cordboard.v1 import (
    DeadLetter,
    GetCommandRequest,
    GetDeadLetterRequest,
    ListDeadLettersRequest,
    ReplayDeadLetterRequest,
    State,
    SubmitRequest,
)
from dispatcher.core.advance import advance
from dispatcher.core.inputs import Asked, Heard, Input
from tests.recorder.test_telling import operator_of
from tests.rpc.door import TOPICS, Desk, desk_at, error_of, hangup, speak, until, webhook


class Poison:
    """In the place of the core: it fails on some inputs, until the bug is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_mended = False
        monkeypatch.setattr(batches, "advance", self._advance)

    def _advance(self, page: Any, key: str, given: Input, *more: Any) -> Any:
        if not self.is_mended and isinstance(given, Asked | Heard):
            raise ZeroDivisionError
        return advance(page, key, given, *more)


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Poison:
    return Poison(monkeypatch)


async def letters_of(desk: Desk, count: int = 0) -> list[DeadLetter]:
    return list((await operator_of(desk).ListDeadLetters(ListDeadLettersRequest(page_size=count))).letters)


async def replay(desk: Desk, letter: DeadLetter) -> Any:
    return await operator_of(desk).ReplayDeadLetter(ReplayDeadLetterRequest(letter_id=letter.letter_id))


async def state_of(desk: Desk, command_id: str, call: str = "A") -> str:
    """How a command ended, once it has."""
    request = GetCommandRequest(command_id=command_id, call_control_id=call)
    view = (await desk.stub.GetCommand(request)).command
    return State.Name(view.result.state).removeprefix("STATE_")


async def set_aside(desk: Desk, topic: str, key: bytes = b"A", value: bytes = b"\xff", **more: Any) -> None:
    """A dead letter of a record that came by a topic."""
    record = Record(topic, 0, 5, 1, key, value, more.pop("headers", ()))
    await desk.log.append([dead_letter(TOPICS.dead_letters, record, "somebody said so", **more)])


async def test_a_command_that_failed_here_is_done_when_it_is_written_back(tmp_path: Path, poison: Poison):
    """
    Its id is remembered as FAILED INTERNAL, which does not swallow it; and its end takes that one's place.
    """
    async with desk_at(tmp_path) as desk:
        await desk.stub.Submit(SubmitRequest(command=speak("c-1")))
        assert await state_of(desk, "c-1") == "FAILED"
        poison.is_mended = True
        (letter,) = await letters_of(desk)
        assert (letter.kind, letter.command_id, letter.action) == ("command", "c-1", "speak")
        assert (letter.key, letter.topic, letter.not_replayable) == ("A", TOPICS.commands, "")
        written = await replay(desk, letter)

        assert written.topic == TOPICS.commands
        await until(lambda: desk.hands.works)
        assert [work.command_id for work in desk.hands.works] == ["c-1"]
        assert (await letters_of(desk))[0].HasField("replay_time")


async def test_written_back_twice_it_is_done_once(tmp_path: Path, poison: Poison):
    """
    From its end on it is a command like any other: the same again is answered with what it came to.
    """
    async with desk_at(tmp_path) as desk:
        await desk.stub.Submit(SubmitRequest(command=speak("c-1")))
        assert await state_of(desk, "c-1") == "FAILED"
        poison.is_mended = True
        (letter,) = await letters_of(desk)
        for _ in range(3):
            await replay(desk, letter)
        await until(lambda: desk.hands.works)
        await desk.stub.Submit(SubmitRequest(command=hangup("h-1")))
        await until(lambda: len(desk.hands.works) == 2)

        assert [work.command_id for work in desk.hands.works] == ["c-1", "h-1"]


async def test_it_is_judged_by_the_call_as_it_is_now(tmp_path: Path, poison: Poison):
    """
    Here the call is over by then: nothing is sent, and the sender is told so.
    """
    async with desk_at(tmp_path) as desk:
        await desk.stub.Submit(SubmitRequest(command=speak("c-1")))
        assert await state_of(desk, "c-1") == "FAILED"
        poison.is_mended = True
        (letter,) = await letters_of(desk)
        await desk.log.append([webhook("call.initiated", "A"), webhook("call.hangup", "A")])
        await replay(desk, letter)

        assert await state_of(desk, "c-1") == "REJECTED"
        assert desk.hands.works == []


async def test_a_webhook_that_failed_here_is_handed_on_when_it_is_written_back(tmp_path: Path, poison: Poison):
    """
    Nobody has heard of it yet.
    """
    async with desk_at(tmp_path) as desk:
        await desk.log.append([webhook("call.answered", "A")])
        while not (found := await letters_of(desk)):
            pass
        poison.is_mended = True
        assert (found[0].kind, found[0].action) == ("webhook", "call.answered")
        await replay(desk, found[0])
        while not (events := await desk.all_of(TOPICS.events)):
            pass

        assert [record.key for record in events] == [b"A"]


@pytest.mark.parametrize(
    ("topic", "why"),
    [
        (TOPICS.events, "a second time"),
        (TOPICS.dead_letters, "under a new id"),
    ],
)
async def test_what_must_not_go_back_says_why(tmp_path: Path, topic: str, why: str):
    """
    What was handed on already, and what its page has given up.
    """
    async with desk_at(tmp_path) as desk:
        await set_aside(desk, topic)
        (letter,) = await letters_of(desk)
        error = await error_of(replay(desk, letter))

        assert why in letter.not_replayable
        assert error.info.reason == "NOT_REPLAYABLE"


async def test_what_was_cut_does_not_go_back(tmp_path: Path):
    """
    Only its beginning is left.
    """
    async with desk_at(tmp_path) as desk:
        await set_aside(desk, TOPICS.commands, value=b"x" * 3_000_000)
        (letter,) = await letters_of(desk)

        assert (await error_of(replay(desk, letter))).info.reason == "NOT_REPLAYABLE"


async def test_one_is_shown_with_what_can_be_read_of_it(tmp_path: Path):
    """
    Masked as it would be recorded, with all that was written beside it.
    """
    command = speak("c-1", payload="the code is 1", sensitive=True)
    async with desk_at(tmp_path) as desk:
        await set_aside(desk, TOPICS.commands, value=command.SerializeToString(), detail="more")
        (letter,) = await letters_of(desk)
        asked = GetDeadLetterRequest(letter_id=letter.letter_id)
        shown = (await operator_of(desk).GetDeadLetter(asked)).letter

        assert shown.content["body"]["payload"] == "***"
        assert (shown.reason, shown.detail, shown.position) == ("somebody said so", "more", "0/5")


async def test_they_are_listed_page_by_page(tmp_path: Path):
    """
    The latest first; receipts of replays are none of them.
    """
    async with desk_at(tmp_path) as desk:
        for number in range(7):
            await set_aside(desk, TOPICS.commands, key=f"{number}".encode())
        await replay(desk, (await letters_of(desk))[-1])
        await until(lambda: True)
        found, token = list[DeadLetter](), ""
        while not found or token:
            asked = ListDeadLettersRequest(page_size=3, page_token=token)
            page = await operator_of(desk).ListDeadLetters(asked)
            found, token = [*found, *page.letters], page.next_page_token
        keys = [letter.key for letter in found if letter.reason == "somebody said so"]

        assert keys == list("6543210")
        assert [letter.key for letter in found if letter.HasField("replay_time")] == ["0"]


@pytest.mark.parametrize(("letter_id", "reason"), [("99", "LETTER_NOT_FOUND"), ("x", "INVALID_COMMAND")])
async def test_one_that_is_not_there_is_not_found(tmp_path: Path, letter_id: str, reason: str):
    """
    A name that can be none is refused.
    """
    async with desk_at(tmp_path) as desk:
        for ask in (
            operator_of(desk).GetDeadLetter(GetDeadLetterRequest(letter_id=letter_id)),
            operator_of(desk).ReplayDeadLetter(ReplayDeadLetterRequest(letter_id=letter_id)),
        ):
            assert (await error_of(ask)).info.reason == reason


async def test_work_that_nobody_could_have_is_told_as_such(tmp_path: Path):
    """
    It never got to a topic.
    """
    async with desk_at(tmp_path) as desk:
        await desk.log.append([NewRecord(TOPICS.dead_letters, b"A", b"\xff", (("dlq.errors.reason", b"gone"),))])
        (letter,) = await letters_of(desk)

        assert (letter.kind, letter.topic, letter.reason) == ("unreadable", "", "gone")
