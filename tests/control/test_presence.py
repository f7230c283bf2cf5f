"""Words of processes: the last of each counts, also of other versions, and silence is told from a late word."""

from __future__ import annotations

import msgspec
import pytest

from cordboard.log.port import Record
from cordboard.presence import Heard, LaneWord, PartitionWord, PoolWord, Presence, last_words, record_of

TOPIC = "t.processes"


def word(name: str = "a", **more: object) -> Presence:
    said = {"host": "h", "pid": 1, "version": "1", "roles": ("worker",), "started_ms": 0, "every_ms": 5_000, **more}
    return Presence(name=name, **said)  # type: ignore[arg-type]  # as the tests have them


def read(*values: bytes) -> tuple[dict[str, Heard], int]:
    return last_words(Record(TOPIC, 0, place, 1_000 * place, b"", value) for place, value in enumerate(values))


def test_the_last_word_of_each_process_counts() -> None:
    """
    As written, with when it was taken.
    """
    full = word(
        "b",
        partitions=(PartitionWord(0, "served", 3, None, 2, 0.0),),
        lanes=(LaneWord("main", "dial", (0, 1), 1, 64, 0),),
        pools=(PoolWord("main", breaker_open=True),),
        troubles=(("log", "it cannot be written"),),
    )
    heard, unreadable = read(*(record_of(TOPIC, one).value for one in (word("a"), full, word("a", leaving=True))))

    assert heard == {"a": Heard(word("a", leaving=True), 2_000), "b": Heard(full, 1_000)}
    assert unreadable == 0


def test_an_older_and_a_newer_version_are_read() -> None:
    """
    One has fewer fields, which have their defaults; the other more, which are passed over.
    """
    plain = msgspec.msgpack.decode(record_of(TOPIC, word()).value)
    heard, unreadable = read(msgspec.msgpack.encode(plain[:7]), msgspec.msgpack.encode(["b", *plain[1:], "new", 7]))

    assert [heard[name].word.roles for name in "ab"] == [("worker",), ("worker",)]
    assert unreadable == 0


def test_what_cannot_be_read_is_counted_and_probes_are_not() -> None:
    """
    One word that nobody understands hides no other.
    """
    heard, unreadable = read(b"\xc1", b"", record_of(TOPIC, word()).value)

    assert (list(heard), unreadable) == (["a"], 1)


@pytest.mark.parametrize(("now_ms", "silent"), [(15_000, False), (20_000, False), (20_001, True)])
def test_silence_is_three_words_that_did_not_come(now_ms: int, silent: bool) -> None:
    """
    And a little more, for clocks that differ.
    """
    assert Heard(word(), 0).is_silent(now_ms) is silent
