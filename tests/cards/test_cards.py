"""A card's number is nowhere that people look, and in topics only where they are not sealed: docs/pci.md, shown."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from cordboard.settings import Recorder, Sealing, Tracing
from examples.card import PROMPT
from tests.cards.flow import CARD, Taking
from tests.operations.test_nothing_leaks import lines
from tests.promises.stage import Stage, until
from tests.tracing.collector import Collector

assert lines  # The fixture that keeps what is logged, at debug.


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with Collector() as collector:
        yield collector


@pytest.fixture(params=["plain", "sealed"])
async def taking(
    request: pytest.FixtureRequest, tmp_path: Path, collector: Collector, lines: io.StringIO
) -> AsyncIterator[Taking]:
    """A card was taken, on a log that is sealed or not."""
    stage = Stage(tmp_path, tracing=Tracing(endpoint=collector.endpoint))
    stage.recorder = Recorder(kind="sqlite", path=tmp_path / "recorded.sqlite3")
    if request.param == "sealed":
        keys = tmp_path / "sealing.keys"
        keys.write_text(f"k1 {base64.b64encode(bytes(range(32))).decode()}\n")
        stage.sealing = Sealing(key_file=keys)
    async with stage:
        taking = Taking(stage, tmp_path)
        await taking.a_card()
        assert await until(lambda: b"send_dtmf" in taking.files("recorded"))
        yield taking


async def test_a_card_s_number_is_nowhere_that_people_look(taking: Taking, collector: Collector, lines: io.StringIO):
    """
    Not in the log's lines, metrics, the recorder's tables, timelines, dead letters, traces, nor on a terminal; in the
    log's file, and so in any copy of it, where it is not sealed.
    """
    stage, is_sealed = taking.stage, taking.stage.sealing.key_file is not None
    letters = await stage.client.list_dead_letters(10)
    letter = await stage.client.get_dead_letter(letters.letters[0].letter_id)
    places = {
        "metrics": generate_latest(stage.registry).decode(),
        "timeline": str(await stage.client.get_timeline(taking.call)),
        "dead letter": str(letter),
        **{" ".join(words): await taking.said_by_the_command_line(*words) for words in taking.looks(letter.letter_id)},
    }
    await stage.close()
    places["traces"], places["logs"] = collector.raw.decode(errors="replace"), lines.getvalue()
    places["recorded"] = taking.files("recorded").decode(errors="replace")

    assert [(place, word) for place, text in places.items() for word in (CARD, PROMPT) if word in text] == []
    assert letter.action == "send_dtmf"
    assert all("***" in places[place] for place in ("dead letter", "recorded", taking.watching))
    kept = taking.files("log.sqlite3")
    assert [word.encode() in kept for word in (CARD, PROMPT)] == [not is_sealed] * 2


@pytest.mark.parametrize("taking", ["plain"], indirect=True)
async def test_what_was_recorded_of_it_can_be_forgotten(taking: Taking):
    """
    That there was a call stays, and what was done; nothing of what was in it, not even that something was masked.
    """
    client = taking.stage.client
    before = (await client.get_timeline(taking.call)).timeline

    assert await client.forget_call(taking.call) > 0

    after = (await client.get_timeline(taking.call)).timeline
    assert "send_dtmf" in {one.action for one in before} == {one.action for one in after}
    assert any(one.content.fields for one in before)
    assert [dict(one.content) for one in after if "body" in one.content.fields or "payload" in one.content.fields] == []
