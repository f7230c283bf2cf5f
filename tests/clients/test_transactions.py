"""Kafka's transactions, as others use them: what was taken back is never done, and what is open stops no clocks."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from cordboard.v1 import Reason
from tests.clients.desk import KafkaDesk, note
from tests.clients.foreign import Sender, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIKE_JAVA = {"partitioner": "murmur2_random"}


def transactional(desk: KafkaDesk) -> Sender:
    return desk.sender(**LIKE_JAVA, **{"transactional.id": uuid.uuid4().hex})


async def test_what_was_committed_is_done_and_questions_are_answered(desk: KafkaDesk) -> None:
    """
    The marker behind it is an offset without a record: whoever asks does not wait for one.
    """
    call, sender = desk.call(), transactional(desk)
    notes = [note(call) for _ in range(3)]
    await sender.begin()
    for command in notes:
        sender.put(desk.topics.commands, command.SerializeToString(), call.encode())
    await sender.commit()

    assert await desk.ended(*(command.command_id for command in notes)) == ["SUCCEEDED"] * 3
    assert (await desk.client.get_call(call, timeout=60)).call_control_id == call
    assert [effect.body["client_state"] for effect in desk.effects(call)] == [one.client_state for one in notes]


async def test_what_was_taken_back_is_never_done(desk: KafkaDesk) -> None:
    """
    Its sender was told that it did not happen; and the same command may come again, and is the first.
    """
    call, sender = desk.call(), transactional(desk)
    back, after = note(call), note(call)
    await sender.begin()
    await sender.send(desk.topics.commands, back.SerializeToString(), call.encode())
    await sender.abort()
    await desk.sender(**LIKE_JAVA).send(desk.topics.commands, after.SerializeToString(), call.encode())

    assert await desk.ended(after.command_id) == ["SUCCEEDED"]
    assert (await desk.client.get_call(call, timeout=60)).call_control_id == call
    assert [effect.body["client_state"] for effect in desk.effects(call)] == [after.client_state]
    assert desk.said(back.command_id) == []

    await desk.sender(**LIKE_JAVA).send(desk.topics.commands, back.SerializeToString(), call.encode())
    assert await desk.ended(back.command_id) == ["SUCCEEDED"]


async def test_while_one_is_open_what_is_behind_it_waits_and_time_goes_on(desk: KafkaDesk) -> None:
    """
    A number that does not come is given up in its time, though more has been written behind the open transaction.
    """
    call, sender, plain = desk.call(), transactional(desk), desk.sender(**LIKE_JAVA)
    gap, inside, behind = note(call, sequence=2), note(call), note(call)
    await plain.send(desk.topics.commands, gap.SerializeToString(), call.encode())
    await sender.begin()
    await sender.send(desk.topics.commands, inside.SerializeToString(), call.encode())
    await plain.send(desk.topics.commands, behind.SerializeToString(), call.encode())

    question = asyncio.create_task(desk.client.get_command(behind.command_id, call, timeout=60))
    assert (await desk.refused(gap.command_id)).reason == Reason.REASON_SEQUENCE_GAP
    assert desk.said(inside.command_id) == desk.said(behind.command_id) == []
    assert not question.done()  # What was accepted before it is not applied yet.
    await sender.commit()
    assert (await question).command_id == behind.command_id
    assert await desk.ended(inside.command_id, behind.command_id) == ["SUCCEEDED"] * 2
    assert [one.body["client_state"] for one in desk.effects(call)] == [inside.client_state, behind.client_state]


async def test_hangup_now_waits_for_no_transaction(desk: KafkaDesk) -> None:
    """
    It has a topic of its own, on which nobody else's transaction is open.
    """
    call, sender = desk.call(), transactional(desk)
    held, hangup = note(call), note(call)
    hangup.hangup.SetInParent()
    hangup.placement = type(hangup)(placement=3).placement
    await sender.begin()
    await sender.send(desk.topics.commands, held.SerializeToString(), call.encode())
    await desk.client.submit(hangup, timeout=60)

    assert await desk.ended(hangup.command_id) == ["SUCCEEDED"]
    await sender.commit()
    await until(lambda: desk.results(held.command_id), "the end of what came too late")
    assert desk.effects(call)[-1].action == "hangup"
