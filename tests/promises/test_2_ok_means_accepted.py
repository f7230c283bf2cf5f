"""Promise 2. OK means accepted; an error that carries our ErrorInfo means nothing will happen.

Except ACCEPTANCE_UNKNOWN. Any other error (a deadline, a broken connection) says nothing: send the same command again
under the same id, which is never twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Appended, AppendUncertain, LogError, NewRecord
from cordboard.log.store import Store
from cordboard.v1 import Command
from dispatcher.acceptance import intake, refusals
from tests.promises.stage import Stage, Without, command, no_room, refusal_of

Answers = dict[str, str]


def untrue(stage: Stage, answers: Answers) -> list[str]:
    """Answers of the door that turned out to be wrong."""
    found = []
    for one, reason in answers.items():
        done = bool(stage.door.of(one) or stage.heard.of(one, "result", "refused"))
        if not reason and not done:
            found.append(f"accepted, and lost: {one}")
        if reason and not reason.startswith("grpc") and reason != "ACCEPTANCE_UNKNOWN" and done:
            found.append(f"refused with {reason}, and done: {one}")
    return found


def twice(stage: Stage, *command_ids: str) -> list[str]:
    """Commands that happened, or were told of, more than once."""
    happened = {one: sum(effect.happened for effect in stage.effects(one)) for one in command_ids}
    return [f"not once: {one}" for one in command_ids if happened[one] != 1 or len(stage.heard.of(one)) != 1]


async def answers_to(stage: Stage, *commands: Command, seconds: float = 10.0) -> Answers:
    """What the door says to each of these."""
    return {one.command_id: await refusal_of(stage.client.submit(one, timeout=seconds)) for one in commands}


@contextmanager
def commits(commit: Any) -> Iterator[None]:
    """For a while the disk does this when a transaction is to be made durable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "commit", commit)
        yield


async def full_disk(stage: Stage) -> list[str]:
    """The disk is full while two commands come, and has room again for a third one."""
    call = await stage.call()
    with commits(no_room):
        answers = await answers_to(stage, command("first", call), command("second", call))
    await stage.all_told()  # The owner, too, has come back.
    answers |= await answers_to(stage, command("third", call))
    await stage.ended("third")
    expected = {"first": "LOG_UNAVAILABLE", "second": "LOG_UNAVAILABLE", "third": ""}
    return [*untrue(stage, answers), *([f"answered otherwise: {answers}"] if answers != expected else [])]


async def no_acknowledgement(stage: Stage) -> list[str]:
    """Commands are written, but the log cannot say so; their sender sends them again."""
    call = await stage.call()
    commands = [command(f"c{number}", call) for number in range(3)]
    append = EmbeddedLog.append

    async def unacknowledged(log: EmbeddedLog, records: Sequence[NewRecord]) -> list[Appended]:
        appended = await append(log, records)
        if records[0].topic.endswith(".commands"):
            raise AppendUncertain("no acknowledgement came")
        return appended

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddedLog, "append", unacknowledged)
        answers = await answers_to(stage, *commands)
    again = await answers_to(stage, *commands)
    await stage.ended(*answers)
    await stage.all_told()
    return [*untrue(stage, answers), *untrue(stage, again), *twice(stage, *answers)]


async def no_patience(stage: Stage) -> list[str]:
    """The disk is slower than the sender's deadline; he sends the command again when it is quick."""
    call = await stage.call()
    commit, goes_on = Store.commit, threading.Event()

    def slow(store: Store) -> None:
        goes_on.wait()
        commit(store)

    with commits(slow):
        try:
            answers = await answers_to(stage, command("one", call), seconds=0.2)
        finally:
            goes_on.set()
    again = await answers_to(stage, command("one", call))
    await stage.ended("one")
    await stage.all_told()
    said_nothing = [] if answers["one"].startswith("grpc") else [f"answered otherwise: {answers}"]
    return [*untrue(stage, again), *twice(stage, "one"), *said_nothing]


async def mistakes(stage: Stage) -> list[str]:
    """Commands that are wrong in themselves come together with one that is right."""
    call = await stage.call()
    silent, giant = command("silent", call), command("giant", call, payload="x" * 200_000)
    silent.speak.payload = ""
    wrong = (silent, giant, command("strange", call, account="nobody"), command("nowhere", ""))
    answers = await answers_to(stage, *wrong, command("right", call))
    await stage.ended("right")
    await stage.all_told()
    expected = {"right": "", "strange": "UNKNOWN_ACCOUNT"}
    found = [f"answered otherwise: {one}" for one, reason in expected.items() if answers[one] != reason]
    found += [f"accepted: {one.command_id}" for one in wrong if not answers[one.command_id]]
    return [*untrue(stage, answers), *found]


async def test_what_the_log_could_not_take_will_not_happen(stage: Stage) -> None:
    """
    A full disk is an error that says so, and nothing of what it turned away comes to life later.
    """
    assert await full_disk(stage) == []


async def test_doubt_about_the_acceptance_is_called_so(stage: Stage) -> None:
    """
    Where it may have been accepted, nobody says that it was not; sent again, it is still one command.
    """
    assert await no_acknowledgement(stage) == []


async def test_a_deadline_says_nothing_and_the_command_may_be_sent_again(stage: Stage) -> None:
    """
    Who gave up waiting sends the same again under the same id, and it happens once.
    """
    assert await no_patience(stage) == []


async def test_what_is_wrong_in_itself_is_refused_and_not_done(stage: Stage) -> None:
    """
    Mistakes are errors of the door; they leave no trace, and harm nobody who was right.
    """
    assert await mistakes(stage) == []


def telling_doubt_from_refusal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(intake, "of_log", lambda error: refusals.log_unavailable("it cannot be written"))


def believing_the_log(patch: pytest.MonkeyPatch) -> None:
    append = intake.Intake.append

    async def hopeful(self: intake.Intake, records: Sequence[NewRecord]) -> list[Appended]:
        try:
            return await append(self, records)
        except (refusals.Refused, LogError):
            return [Appended(0, 0, 0) for _ in records]

    patch.setattr(intake.Intake, "append", hopeful)


def checking_before_accepting(patch: pytest.MonkeyPatch) -> None:
    append, admit = intake.Intake.append, intake.Intake.admit
    unchecked: list[NewRecord] = []

    def accept(self: intake.Intake, wanted: Command, traceparent: str = "") -> intake.Admitted:
        if wanted.account != "nobody":
            return admit(self, wanted, traceparent)
        same = command(wanted.command_id, wanted.call_control_id)
        unchecked.append(admit(self, same).record)
        return admit(self, wanted, traceparent)

    async def append_all(self: intake.Intake, records: Sequence[NewRecord]) -> list[Appended]:
        return (await append(self, (*records, *unchecked)))[: len(records)]

    patch.setattr(intake.Intake, "admit", accept)
    patch.setattr(intake.Intake, "append", append_all)


@pytest.mark.parametrize(
    "without",
    [
        Without(telling_doubt_from_refusal, no_acknowledgement, "refused with LOG_UNAVAILABLE, and done"),
        Without(believing_the_log, full_disk, "accepted, and lost"),
        Without(checking_before_accepting, mistakes, "refused with UNKNOWN_ACCOUNT, and done"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
