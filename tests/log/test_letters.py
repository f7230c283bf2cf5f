"""Dead letters: whole where they can be, and never larger than a log takes."""

from __future__ import annotations

import pytest

from cordboard.cloudevents import header
from cordboard.letters import LETTER_BYTES_MAX, dead_letter
from cordboard.log.port import Headers, Record, size_of


def record(value: bytes = b"v", key: bytes | None = b"k", headers: Headers = ()) -> Record:
    return Record("commands", 3, 42, 1_700_000_000_000, key, value, headers)


def test_a_record_is_kept_whole_with_where_it_stood_and_why() -> None:
    """
    The reason is for a person; what a parser said stands beside it.
    """
    letter = dead_letter("letters", record(headers=(("x", b"y"),)), "it is odd", "at 7")

    assert (letter.topic, letter.key, letter.value, letter.headers[0]) == ("letters", b"k", b"v", ("x", b"y"))
    told = {
        name: header(letter.headers, f"dlq.errors.{name}") for name in ("topic", "partition", "offset", "timestamp")
    }
    assert told == {"topic": "commands", "partition": "3", "offset": "42", "timestamp": "1700000000000"}
    assert header(letter.headers, "dlq.errors.reason") == "it is odd"
    assert header(letter.headers, "dlq.errors.detail") == "at 7"
    assert header(letter.headers, "dlq.errors.cut") == ""


@pytest.mark.parametrize(
    "large",
    [
        record(value=b"x" * (LETTER_BYTES_MAX + 1)),
        record(key=b"x" * (LETTER_BYTES_MAX + 1)),
        record(headers=(("first", b"1"), ("large", b"x" * LETTER_BYTES_MAX), ("last", b"2"))),
        record(headers=(("n", b""),) * (LETTER_BYTES_MAX + 1)),
        record(key=None, value=b"x" * 100 * 1024 * 1024),
    ],
    ids=["value", "key", "one header", "many headers", "no key"],
)
def test_of_one_that_is_too_large_the_beginning_is_kept(large: Record) -> None:
    """
    Whichever part of it is large; it says how large it was.
    """
    letter = dead_letter("letters", large, "it is large")

    assert size_of(letter) < 256 * 1024
    assert large.value.startswith(letter.value)
    assert (letter.key is None) == (large.key is None)
    assert f"it had {size_of(large)} bytes" in header(letter.headers, "dlq.errors.cut")


def test_the_largest_that_is_kept_whole() -> None:
    """
    To the byte.
    """
    letter = dead_letter("letters", record(value=b"x" * (LETTER_BYTES_MAX - 1), key=b"k"), "it is odd")

    assert header(letter.headers, "dlq.errors.cut") == ""
    assert len(letter.value) == LETTER_BYTES_MAX - 1
