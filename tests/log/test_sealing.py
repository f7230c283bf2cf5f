"""What is sealed, and what of it opens."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.log import sealing
from cordboard.log.sealing import MAGIC, Key, Sealing, Unopened, place
from cordboard.v1 import Command

OLD, NEW = Key("2026-01", b"o" * 32), Key("2026-02", b"n" * 32)
HERE = place("t.webhooks", b"v3:call", (("ce_id", b"1"),))


def by(*keys: Key, **more: bool) -> Sealing:
    return Sealing(lambda: keys, **more)


@given(st.binary(max_size=2_000), st.text(max_size=20), st.none() | st.binary(max_size=20))
def test_what_was_sealed_for_a_place_opens_there(value: bytes, topic: str, key: bytes | None):
    """
    By another process too, which has only the key.
    """
    at = place(topic, key)

    sealed = by(NEW).seal(at, value)

    assert by(NEW).open(at, sealed) == value
    assert sealed.startswith(MAGIC)
    assert len(value) < 8 or value not in sealed


def test_the_same_value_is_never_sealed_to_the_same_twice():
    """
    Neither by one process nor by several.
    """
    one = by(NEW)

    assert len({sealer.seal(HERE, b"4111") for sealer in (one, one, by(NEW))}) == 3


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("t.outcomes", b"v3:call", (("ce_id", b"1"),)),
        place("t.webhooks", b"v3:other", (("ce_id", b"1"),)),
        place("t.webhooks", None, (("ce_id", b"1"),)),
        place("t.webhooks", b"v3:call", (("ce_id", b"2"),)),
        place("t.webhooks", b"v3:call"),
    ],
)
def test_it_does_not_open_elsewhere(elsewhere: bytes):
    """
    Another topic, another key, or other headers: whoever moves records about is found out.
    """
    sealed = by(NEW).seal(HERE, b"4111")

    with pytest.raises(Unopened, match=r"'2026-02' and does not open: it was altered, or brought here"):
        by(NEW).open(elsewhere, sealed)


def test_no_altered_byte_passes():
    """
    Whichever it is, and wherever a value ends, nothing but the value itself ever comes out.
    """
    sealed = by(NEW).seal(HERE, b"4111")
    altered = [sealed[:n] + bytes((sealed[n] ^ 1,)) + sealed[n + 1 :] for n in range(len(MAGIC), len(sealed))]
    short = [sealed[:n] for n in range(len(MAGIC), len(sealed))]

    for value in altered + short:
        with pytest.raises(Unopened):
            by(NEW).open(HERE, value)


def test_the_newest_key_seals_and_all_open():
    """
    So keys are changed without a stop: what the old one sealed opens as long as it stands in the file.
    """
    before, after = by(OLD), by(OLD, NEW)
    old = before.seal(HERE, b"old")

    assert after.open(HERE, old) == b"old"
    with pytest.raises(Unopened, match=r"by key '2026-02', which is not in sealing.key_file \(known: '2026-01'\)"):
        before.open(HERE, after.seal(HERE, b"new"))


def test_another_key_of_the_same_name_opens_nothing():
    """
    And the error says that this may be why.
    """
    with pytest.raises(Unopened, match="another key has the same name") as raised:
        by(Key("2026-02", b"x" * 32)).open(HERE, by(NEW).seal(HERE, b"4111"))
    assert raised.value.why == "altered"


def test_a_key_that_is_not_known_is_looked_for_in_the_file():
    """
    Now and then, not at each value; once it is there, it also seals.
    """
    keys, now, told = [OLD], [0.0], []
    mine = Sealing(lambda: tuple(keys), now=lambda: now[0], on_newest=told.append)
    theirs = by(OLD, NEW).seal(HERE, b"4111")
    keys.append(NEW)
    with pytest.raises(Unopened):
        mine.open(HERE, theirs)
    now[0] += sealing._LOOK_SECONDS

    assert mine.open(HERE, theirs) == b"4111"
    assert told == ["2026-01", "2026-02"]
    assert b"2026-02" in mine.seal(HERE, b"")


def test_a_file_that_is_gone_takes_no_key_away():
    """
    What is known goes on counting, and who asks for more is told what is wrong with the file.
    """
    now, answers = [0.0], [(OLD,)]

    def read() -> tuple[Key, ...]:
        if not answers:
            raise OSError("it is gone")
        return answers.pop()

    mine = Sealing(read, now=lambda: now[0])
    now[0] += sealing._LOOK_SECONDS

    with pytest.raises(Unopened, match=r"'2026-02', and sealing.key_file cannot be read any more \(it is gone\)"):
        mine.open(HERE, by(NEW).seal(HERE, b"4111"))
    assert mine.open(HERE, by(OLD).seal(HERE, b"old")) == b"old"


def test_a_writer_takes_a_new_key_of_its_own_long_before_nonces_could_meet(monkeypatch: pytest.MonkeyPatch):
    """
    After so many values another salt stands before what it seals.
    """
    monkeypatch.setattr(sealing, "_VALUES_MAX", 2)
    mine = by(NEW)

    fronts = [mine.seal(HERE, b"")[: len(MAGIC) + 1 + len(NEW.name) + 16] for _ in range(4)]

    assert [fronts[0] == fronts[1], fronts[1] == fronts[2], fronts[2] == fronts[3]] == [True, False, True]


def test_what_was_not_sealed_is_taken_as_it_is_unless_it_must_not_be():
    """
    Records from before; a switch ends that.
    """
    assert by(NEW).open(HERE, b"plain") == b"plain"
    with pytest.raises(Unopened, match=r"is not sealed, and sealing\.accept_plain is false") as raised:
        by(NEW, accept_plain=False).open(HERE, b"plain")
    assert raised.value.why == "plain"


def test_a_key_does_not_show_itself():
    """
    Not even in a debugger's words.
    """
    assert "nnnn" not in repr(NEW)


def test_nothing_else_that_we_write_begins_like_a_sealed_value():
    """
    No MessagePack, no JSON, and no protobuf of the contract.
    """
    unreadable: list[Callable[[], object]] = [
        lambda: msgspec.msgpack.decode(MAGIC),
        MAGIC.decode,
    ]
    for read in unreadable:
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            read()
    number = (MAGIC[0] & 0x7F | MAGIC[1] << 7) >> 3
    assert number not in {field.number for field in Command.DESCRIPTOR.fields}
