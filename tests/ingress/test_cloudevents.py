"""Our codec of CloudEvents against the official SDK, the second opinion."""

from __future__ import annotations

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as TheirEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.cloudevents import (
    CloudEvent,
    NotACloudEvent,
    from_headers,
    header,
    parse_rfc3339,
    rfc3339,
    to_headers,
)

EVENT = CloudEvent(
    id="0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
    source="/telnyx/main",
    type="com.telnyx.call.answered",
    subject="v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg",
    time="2018-02-02T22:25:27.521992Z",
    content_type="application/json",
    dataschema="https://schemas.example/events",
    extensions={"commandid": "käse-1", "late": "true"},
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)

text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
events = st.builds(
    CloudEvent,
    id=text,
    source=text,
    type=text,
    subject=st.just("") | text,
    time=st.just("") | st.integers(0, 4_000_000_000_000).map(rfc3339),
    content_type=st.sampled_from(["", "application/json", "application/protobuf"]),
    dataschema=st.just("") | text,
    extensions=st.dictionaries(st.sampled_from(["commandid", "late", "x1"]), text),
    traceparent=st.just("") | text,
)


@settings(deadline=None)
@given(events)
def test_what_was_written_is_read(event: CloudEvent):
    """
    Attributes survive the way through headers, whatever text they hold.
    """
    assert from_headers(to_headers(event)) == event


def test_the_sdk_reads_what_we_write():
    """
    A consumer with the official SDK sees the same event.
    """
    theirs = from_binary(KafkaMessage(dict(to_headers(EVENT)), None, b'{"a": 1}'), JSONFormat())

    assert (theirs.get_id(), theirs.get_source(), theirs.get_type()) == (EVENT.id, EVENT.source, EVENT.type)
    assert (theirs.get_subject(), theirs.get_dataschema()) == (EVENT.subject, EVENT.dataschema)
    assert theirs.get_datacontenttype() == "application/json"
    assert theirs.get_time().isoformat() == "2018-02-02T22:25:27.521992+00:00"
    assert theirs.get_extension("commandid") == "käse-1"
    assert theirs.get_data() == {"a": 1}


def test_we_read_what_the_sdk_writes():
    """
    A producer with the official SDK is understood.
    """
    attributes = {
        "id": EVENT.id,
        "source": EVENT.source,
        "type": EVENT.type,
        "subject": EVENT.subject,
        "datacontenttype": "application/json",
        "commandid": "käse-1",
    }
    message = to_binary(TheirEvent(attributes, {"a": 1}), JSONFormat())

    ours = from_headers(tuple(message.headers.items()))

    assert (ours.id, ours.source, ours.type, ours.subject) == (EVENT.id, EVENT.source, EVENT.type, EVENT.subject)
    assert ours.content_type == "application/json"
    assert ours.extensions == {"commandid": "käse-1"}
    assert parse_rfc3339(ours.time) > 0


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_specversion"])
def test_without_a_required_attribute_it_is_none(name: str):
    """
    What is no CloudEvent is said to be none, by the name of what is missing.
    """
    headers = tuple(pair for pair in to_headers(EVENT) if pair[0] != name)

    with pytest.raises(NotACloudEvent, match=name):
        from_headers(headers)


def test_another_version_or_bytes_that_are_no_text():
    """
    Neither is guessed at.
    """
    with pytest.raises(NotACloudEvent, match=r"ce_specversion is '0\.3'"):
        from_headers((*to_headers(EVENT), ("ce_specversion", b"0.3")))
    with pytest.raises(NotACloudEvent, match="ce_subject is not UTF-8"):
        from_headers((*to_headers(EVENT), ("ce_subject", b"\xff")))


def test_other_headers_pass_beside_the_attributes():
    """
    Telnyx's signature travels with the event and is none of its attributes.
    """
    headers = to_headers(EVENT, (("telnyx-timestamp", b"1"), ("telnyx-timestamp", b"2")))

    assert from_headers(headers) == EVENT
    assert header(headers, "telnyx-timestamp") == "2"
    assert header(headers, "nothing") == ""


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2018-02-02T22:25:27.521992Z", 1_517_610_327_521),
        ("2018-02-02T23:25:27.521+01:00", 1_517_610_327_521),
    ],
)
def test_times_are_read_to_the_millisecond(time: str, milliseconds: int):
    """
    Microseconds are cut, zones are heeded.
    """
    assert parse_rfc3339(time) == milliseconds


@pytest.mark.parametrize("time", ["", "yesterday", "2018-02-02T22:25:27", "12"])
def test_what_is_no_moment_is_no_time(time: str):
    """
    A time without its zone is a guess, and refused like any other text.
    """
    with pytest.raises(ValueError, match=r".+"):
        parse_rfc3339(time)


@settings(deadline=None)
@given(st.integers(-10_000_000_000, 4_000_000_000_000))
def test_times_survive_being_written(time_ms: int):
    """
    Milliseconds are written in full.
    """
    assert parse_rfc3339(rfc3339(time_ms)) == time_ms
