"""`cordboard dead-letters`: records of which nothing could be made, and the way back for them."""

from __future__ import annotations

from typing import Final

import orjson
from google.protobuf import json_format
from rich.text import Text

from cordboard.cli.connection import dispatcher
from cordboard.cli.screen import Screen, time_of
from cordboard.cli.send import plain_json
from cordboard.cli.target import Target
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


async def replay(letter_id: str, target: Target, screen: Screen) -> None:
    """Write one back."""
    async with dispatcher(target) as client:
        letter = await client.get_dead_letter(letter_id)
        written = await client.replay_dead_letter(letter_id)
    if screen.json:
        screen.record(plain_json(written))
        return
    screen.show(f"written back to {written.topic}, {written.position}, at {time_of(written.accept_time)}")
    if letter.kind == "command":
        screen.show(f"what becomes of it: cordboard call {letter.key}")
