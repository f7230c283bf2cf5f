"""A card is taken as docs/pci.md says, by examples/card.py; then everything that was written is looked at."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import pytest

from cordboard.v1 import WAIT_FOR_COMPLETION, Command
from examples.card import take_card
from tests.cli.processes import environment
from tests.promises.stage import Stage, command, until

CARD: Final = "4111222233334444"


class Taking:
    """What a test looks at afterwards."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.folder = folder
        self.call = ""
        self._cursor = ""

    async def a_card(self) -> None:
        """The whole flow, once; then the number goes on to somebody else's machine, and something fails on it."""
        async with self.stage.client.watch() as watch:
            self._cursor = await watch.positioned()
        self.call = await self.stage.call()
        await self._done("c1", "record_start", channels="single", format="mp3")
        taking = asyncio.create_task(take_card(self.stage.client.call(self.call)))
        assert await until(lambda: any(one.action == "gather_using_speak" for one in self.stage.effects()))
        self.stage.sandbox.station.tell(lambda exchange: exchange.far_digits(exchange.find(self.call), f"{CARD}#"))
        assert await taking == CARD
        wanted = ["record_start", "record_pause", "gather_using_speak", "record_resume"]
        assert await until(lambda: [one.action for one in self.stage.effects()] == wanted)
        await self._keyed("c5")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dispatcher.batch.advance", _failing)
            await self.stage.client.submit(self._keying("c6"))
            assert await until(lambda: "cordboard_dead_letters_total" in self._moved())
        await self.stage.all_told()

    @property
    def watching(self) -> str:
        """The look at what happens that a terminal shows."""
        return " ".join(self._watch())

    def looks(self, letter: str) -> list[tuple[str, ...]]:
        """All looks that the command line has at a call."""
        return [
            ("call", self.call, "--output=text"),
            ("dead-letters", "show", letter, "--output=text"),
            self._watch(),
        ]

    def _watch(self) -> tuple[str, ...]:
        count = sum(event.event_type != "call.initiated" for event in self.stage.heard.events)
        return ("watch", "--kind=events", f"--cursor={self._cursor}", f"--count={count}", "--output=text")

    async def _done(self, name: str, action: str, **fields: str) -> None:
        asked = command(name, self.call, action)
        for field, value in fields.items():
            setattr(getattr(asked, action), field, value)
        await self.stage.client.execute(asked, wait_for=WAIT_FOR_COMPLETION)

    def _keying(self, name: str) -> Command:
        asked = command(name, self.call, "send_dtmf", sensitive=True)
        asked.send_dtmf.digits = CARD
        return asked

    async def _keyed(self, name: str) -> None:
        await self.stage.submit(self._keying(name))
        assert await self.stage.ended(name) == []

    def _moved(self) -> set[str]:
        samples = (sample for family in self.stage.registry.collect() for sample in family.samples)
        return {sample.name for sample in samples if sample.value}

    def files(self, beginning: str) -> bytes:
        """All bytes of the files whose names begin so."""
        found = [path.read_bytes() for path in self.folder.iterdir() if path.name.startswith(beginning)]
        assert found
        return b"".join(found)

    async def said_by_the_command_line(self, *words: str) -> str:
        """What `cordboard` shows a person."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cordboard", *words, f"--target={self.stage.target}"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment(COLUMNS="400"),
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()


def _failing(page: object, key: str, given: object, *more: object) -> None:
    """A bug whose exception repeats all that it was given."""
    raise ValueError(repr((given, CARD)))
