"""`cordboard pause`, `resume`, `cancel`: what was ordered, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message

from cordboard.cli.connection import dispatcher
from cordboard.cli.screen import Screen, time_of
from cordboard.cli.send import plain_json
from cordboard.cli.target import Target


async def pause_account(account: str, comment: str, target: Target, screen: Screen) -> None:
    """Pause an account, and say since when."""
    async with dispatcher(target) as client:
        answer = await client.pause(account, comment=comment)
    _show(
        screen, answer, f"{answer.account} is paused since {time_of(answer.pause_time)}: nothing but hangups is sent."
    )


async def resume_account(account: str, comment: str, target: Target, screen: Screen) -> None:
    """Resume an account, and say since when."""
    async with dispatcher(target) as client:
        answer = await client.resume(account, comment=comment)
    _show(screen, answer, f"{answer.account} is resumed since {time_of(answer.resume_time)}.")


async def cancel_commands(
    call: str, ids: Sequence[str], group: str, account: str, target: Target, screen: Screen
) -> None:
    """Cancel what waits, and say what became of it where that is reported."""
    async with dispatcher(target) as client:
        answer = await client.cancel(call, ids, group=group, account=account)
    lists = (
        ("cancelled", answer.report.cancelled_command_ids),
        ("too late", answer.report.too_late_command_ids),
        ("unknown", answer.report.unknown_command_ids),
    )
    said = "; ".join(f"{what}: {', '.join(names)}" for what, names in lists if names)
    if not answer.HasField("report"):
        said = f"Accepted at {time_of(answer.accept_time)}. What waited ends as CANCELLED; its results tell."
    _show(screen, answer, said or "Nothing waited.")


def _show(screen: Screen, answer: Message, sentence: str) -> None:
    if screen.json:
        screen.record(plain_json(answer))
    else:
        screen.show(sentence)
