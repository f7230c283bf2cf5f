"""`cordboard dead-letters`: records of which nothing could be made, and the way back for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson
from google.protobuf import json_format
from rich.text import Text

from cordboard.cli.connection import dispatcher
from cordboard.cli.exits import Failure, Status
from cordboard.cli.progress import working
from cordboard.cli.screen import Screen, time_of
from cordboard.cli.send import plain_json
from cordboard.cli.target import Target
from cordboard.client import Client, CommandRefused
from cordboard.v1 import DeadLetter

_PAGE: Final = 500
_COLUMNS: Final = (("letter", 6), ("set aside", 13), ("kind", 10), ("action", 20), ("replayed", 13), ("why", 0))


async def show_letters(count: int, target: Target, screen: Screen) -> None:
    """Show the latest ones."""
    shown, token = 0, ""
    async with dispatcher(target) as client:
        while shown < count:
            found = await client.list_dead_letters(min(count - shown, _PAGE), token)
            if not shown and not screen.json:
                screen.line(*((name, width, "dim") for name, width in _COLUMNS))
            for letter in found.letters:
                _show(screen, letter)
            shown, token = shown + len(found.letters), found.next_page_token
            if not token:
                return


def _show(screen: Screen, letter: DeadLetter) -> None:
    if screen.json:
        screen.record(plain_json(letter))
        return
    words = (
        letter.letter_id,
        time_of(letter.time),
        letter.kind,
        letter.action,
        time_of(letter.replay_time),
        letter.reason,
    )
    screen.line(*((word, width, "") for word, (_, width) in zip(words, _COLUMNS, strict=True)))


async def show_one(letter_id: str, target: Target, screen: Screen) -> None:
    """Show one with what can be read of it."""
    async with dispatcher(target) as client:
        letter = await client.get_dead_letter(letter_id)
    if screen.json:
        screen.record(plain_json(letter))
        return
    screen.show(Text.assemble(("dead letter ", "dim"), (letter.letter_id, "bold")))
    for label, text in (
        ("why", letter.reason),
        ("detail", letter.detail),
        ("set aside", time_of(letter.time)),
        ("came by", " ".join(filter(None, (letter.topic, letter.position, time_of(letter.record_time))))),
        ("key", letter.key),
        ("kind", letter.kind),
        ("command", " ".join(filter(None, (letter.action, letter.command_id)))),
        ("size", f"{letter.size} bytes"),
        ("replayed", time_of(letter.replay_time)),
        ("replay", letter.not_replayable and f"not possible: {letter.not_replayable}"),
    ):
        if text:
            screen.line((f"  {label}", 14, "dim"), (text, 0, ""))
    if letter.HasField("content"):
        content = json_format.MessageToDict(letter.content)
        screen.show(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())


async def replay(letter_ids: Sequence[str], target: Target, screen: Screen, *, every: bool = False) -> Status:
    """Write some back, each told as it is; one that cannot be written back keeps none of the others."""
    if bool(letter_ids) == every:
        raise Failure("name letters by their numbers, as the list shows them, or say --all", Status.USAGE)
    async with dispatcher(target) as client:
        wanted = await _replayable(client) if every else letter_ids
        if len(wanted) == 1:
            await _replay(client, wanted[0], screen)
            return Status.OK
        refused = 0
        with working("writing back", len(wanted)) as step:
            for letter_id in wanted:
                try:
                    await _replay(client, letter_id, screen)
                except CommandRefused as why:
                    refused += 1
                    _tell_refused(screen, letter_id, why)
                step.advance()
    if not screen.json:
        screen.show(f"{len(wanted) - refused} of {len(wanted)} written back")
    return Status.FAILED if refused else Status.OK


async def _replayable(client: Client) -> list[str]:
    """Those that can be written back and were not yet, the oldest first: a call's letters may follow each other."""
    found: list[str] = []
    token = ""
    while True:
        page = await client.list_dead_letters(_PAGE, token)
        found += [one.letter_id for one in page.letters if not one.not_replayable and not one.HasField("replay_time")]
        token = page.next_page_token
        if not token:
            return found[::-1]


async def _replay(client: Client, letter_id: str, screen: Screen) -> None:
    letter = await client.get_dead_letter(letter_id)
    written = await client.replay_dead_letter(letter_id)
    if screen.json:
        screen.record({"letter_id": letter_id, **plain_json(written)})
        return
    screen.show(
        f"{letter_id} is written back to {written.topic}, {written.position}, at {time_of(written.accept_time)}"
    )
    if letter.kind == "command":
        screen.show(f"what becomes of it: cordboard call {letter.key}")


def _tell_refused(screen: Screen, letter_id: str, why: CommandRefused) -> None:
    if screen.json:
        screen.record({"letter_id": letter_id, "refused": why.reason, "message": str(why)})
    else:
        screen.show(Text(f"{letter_id} is not written back: {why}", "red"))
