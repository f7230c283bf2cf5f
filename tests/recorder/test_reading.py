"""What is recorded of each kind of record: masked before it is written, found by its call, and nothing stops it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.log.port import NewRecord, Record
from cordboard.v1 import Command
from cordboard.work import Lane
from dispatcher.recorder.contents import Masking
from dispatcher.recorder.reading import Reading
from dispatcher.recorder.story import NAME_BYTES_MAX, Story, joined, name_of
from tests.recorder import samples
from tests.recorder.samples import ANOTHER, NUMBER, T0
from tests.recorder.world import TOPICS, interpreter

RECORDED = [TOPICS.commands, TOPICS.work("main", Lane.ACTION), TOPICS.outcomes, TOPICS.results, TOPICS.events]


def read(new: NewRecord, masking: Masking | None = None, place: int = 7) -> Reading:
    record = Record(new.topic, 1, place, T0, new.key, new.value, new.headers)
    return interpreter(masking).read(record)


def content_of(new: NewRecord, masking: Masking | None = None) -> dict[str, Any]:
    entry, _ = read(new, masking)
    found: dict[str, Any] = orjson.loads(entry.content)
    return found


class TestMasking:
    """What nobody is to see is not written."""

    def test_a_password_is_never_written(self):
        """
        Nor where its sender has put it beside the types.
        """
        record = samples.dial("d-1", extra={"sip_auth_password": "too", "nested": {"stream_auth_token": "three"}})

        assert "open-sesame" not in str(read(record))
        assert content_of(record)["body"]["sip_auth_password"] == "***"
        assert content_of(record)["body"]["nested"] == {"stream_auth_token": "***"}

    def test_numbers_are_written_but_for_their_ends(self):
        """
        In fields, in what no type describes, in sentences of Telnyx's, and where calls are searched.
        """
        dial = read(samples.dial("d-1", extra={"to": NUMBER, "note": f"ask {NUMBER} first"}))
        event = read(samples.event("call.initiated", **{"from": ANOTHER, "to": "sip:bob@example.com"}))
        refusal = read(samples.refused("c-1"))

        for told in (dial, event, refusal):
            assert NUMBER not in str(told)
            assert ANOTHER not in str(told)
            assert "bob" not in str(told)
        assert dial[1][0].to_number == "+1******0001"
        assert event[1][0].to_number == "sip:***@example.com"

    def test_numbers_are_written_in_full_where_that_is_set(self):
        """
        By a setting, and then everywhere.
        """
        full = Masking(numbers=True)

        assert content_of(samples.dial("d-1"), full)["body"]["to"] == NUMBER
        assert content_of(samples.event("call.initiated", to=NUMBER), full)["payload"]["to"] == NUMBER
        assert NUMBER in content_of(samples.refused("c-1"), full)["message"]

    def test_texts_and_digits_are_masked_where_their_command_says_so(self):
        """
        Then also what no type describes.
        """
        shown = content_of(samples.command("c-1", payload="your code is 1234"))
        hidden = content_of(
            samples.command(
                "c-1", payload="your code is 1234", sensitive=True, extra={"x": "1234"}, client_state="MTIz"
            )
        )

        assert shown["body"]["payload"] == "your code is 1234"
        assert hidden["body"]["payload"] == hidden["body"]["x"] == "***"
        assert "1234" not in str(hidden)
        assert "MTIz" not in str(hidden)

    def test_of_webhooks_only_what_is_harmless_is_written(self):
        """
        Digits are masked, and what Telnyx may add stays out until it is known what it is.
        """
        record = samples.event("call.gather.ended", digits="4711", status="valid", transcript="my secret", a={"b": 1})

        assert content_of(record)["payload"] == {"digits": "***", "status": "valid"}


class TestStories:
    """By what calls are found."""

    def test_a_dial_and_its_call_know_each_other(self):
        """
        Each leg that it made is a call of its own that came from it.
        """
        _, (dial, call) = read(samples.dialled("d-1", "new"))

        assert (dial.call, dial.led_to) == ("dial:main/d-1", "new")
        assert (call.call, call.dial) == ("new", "dial:main/d-1")

    def test_a_dial_that_made_no_call_is_found_by_how_it_ended(self):
        """
        There is nothing else to be found.
        """
        _, (dial,) = read(samples.failed_dial("d-1"))

        assert (dial.call, dial.outcome, dial.led_to) == ("dial:main/d-1", "FAILED", "")

    def test_a_call_ends_with_its_hangup(self):
        """
        The cause is Telnyx's word.
        """
        _, (call,) = read(samples.event("call.hangup", hangup_cause="user_busy"))

        assert (call.call, call.outcome, call.ended_ms > 0) == ("A", "user_busy", True)

    def test_what_names_no_call_has_a_place_all_the_same(self):
        """
        By its key, or else by where it stood.
        """
        nameless, _ = read(NewRecord(TOPICS.commands, None, b"\xff"))
        keyed, _ = read(NewRecord(TOPICS.commands, b"A", b"\xff"))

        assert (nameless.call, nameless.kind) == (f"record:{TOPICS.commands}/1/7", "unreadable")
        assert keyed.call == "A"


@pytest.mark.parametrize("text", ["x" * 5000, "\U0001f600" * 900, "a\0b", "\ud800"])
def test_whatever_a_thing_is_called_it_fits_into_an_index(text: str):
    """
    A name that is too long, or no text at all for a database, gets one that is.
    """
    made = name_of(text)

    assert len(made.encode()) <= NAME_BYTES_MAX
    assert "\0" not in made
    assert made == name_of(text)
    assert name_of(text + "y") != made


@given(
    topic=st.sampled_from(RECORDED),
    key=st.none() | st.binary(max_size=20),
    value=st.binary(max_size=200)
    | st.builds(lambda call: Command(call_control_id=call).SerializeToString(), st.text()),
    headers=st.lists(
        st.tuples(st.sampled_from(["ce_type", "ce_subject", "content-type", "x"]), st.binary(max_size=20))
    ),
)
def test_every_record_becomes_an_entry(topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]):
    """
    Nothing that anybody can write stops the recorder, and no entry holds what a table does not take.
    """
    entry, stories = read(NewRecord(topic, key, value, tuple(headers)))

    assert stories
    for told in (entry, *stories):
        for text in (getattr(told, name) for name in told.__dataclass_fields__):
            assert not isinstance(text, str) or "\0" not in text.encode().decode()


def test_whose_a_call_is_its_events_say() -> None:
    """
    A command of another account is refused, and takes no call away.
    """
    event = Story(call="A", account="main", first_ms=1, last_ms=1, heard_ms=1)
    own, rival = (Story(call="A", account=name, first_ms=2, last_ms=2) for name in ("main", "rival"))

    assert joined(event, rival).account == joined(rival, event).account == "main"
    assert joined(joined(rival, own), event).account == "main"
    assert joined(Story(call="A", first_ms=1, last_ms=1), own).account == "main"
