"""What a newer version may add is passed over by this one, or refused by name, and taken for nothing else."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cordboard import work
from cordboard.enumerations import name_of
from cordboard.log.kafka import entries
from cordboard.log.port import LogUnusable, Record
from cordboard.orders import NO_ORDERS
from cordboard.v1 import Command, CommandResult, Reason
from cordboard.work import Lane, Outcome, Repeat, Verdict, Work
from dispatcher import telling
from dispatcher.core import memory, page
from dispatcher.core.decision import Tell
from dispatcher.core.inputs import Permit, Step
from dispatcher.core.words import State
from dispatcher.ingress.spool.file import decoded
from tests.releases.keep import HERE

NEWER = ["newer", 7, {"a": "map"}]


def with_more(value: Any) -> Any:
    """A record as a newer version writes it: each of its structs has some fields more, at the end."""
    if isinstance(value, msgspec.Struct):
        return [*(with_more(getattr(value, name)) for name in value.__struct_fields__), *NEWER]
    if isinstance(value, list | tuple):
        return [with_more(one) for one in value]
    return value


def pages() -> list[page.Page]:
    """Those of a log in the middle of many calls."""
    database = sqlite3.connect(":memory:")
    database.deserialize(gzip.decompress((HERE / "0.1.0" / "log.sqlite3.gz").read_bytes()))
    return [page.decode(value) for (value,) in database.execute("SELECT value FROM page")]


def encoded(value: Any) -> bytes:
    """As it is on disk, with what is newer."""
    return msgspec.msgpack.encode(with_more(value))


def test_a_page_is_read_without_what_is_newer() -> None:
    """
    At every depth: in commands, flights, clues, outcomes, slots.
    """
    every = pages()
    assert sum(len(one.line) + len(one.flights) + len(one.open) for one in every) > 5

    for one in every:
        assert page.decode(encoded(one)) == one


def test_work_and_outcomes_are_read_without_what_is_newer() -> None:
    """
    A worker sends what it was given; a dispatcher learns what it can.
    """
    release = Work(
        key="A",
        command_id="c",
        attempt=1,
        account="main",
        action="speak",
        lane=Lane.ACTION,
        repeat=Repeat.WINDOW,
        method="POST",
        path="/p",
        body=b"{}",
        released_ms=1,
        not_after_ms=2,
        expire_ms=None,
    )
    outcome = Outcome(key="A", command_id="c", attempt=1, verdict=Verdict.DONE, errors=(work.TelnyxError("1"),))

    assert work.decode_work(encoded(release)) == release
    assert work.decode_outcome(encoded(outcome)) == outcome


@pytest.mark.parametrize("decode", [page.decode, work.decode_work, work.decode_outcome])
def test_a_word_that_is_newer_is_refused(decode: Callable[[bytes], Any]) -> None:
    """
    A life, a lane, a verdict of which this version has never heard: to guess would be to send, or tell, what is wrong.
    """
    newest = {
        page.decode: ["A", "", [], "REINCARNATED"],
        work.decode_work: ["A", "c", 1, "main", "speak", "express", "always", "POST", "/p", b"", 1, 2, None],
        work.decode_outcome: ["A", "c", 1, "done twice"],
    }
    with pytest.raises(msgspec.ValidationError):
        decode(msgspec.msgpack.encode(newest[decode]))


def test_a_word_between_pages_that_is_newer_is_taken_for_no_other() -> None:
    """
    It becomes a dead letter, which can be written back once the newer version is there again.
    """
    permit = telling.write(Tell(page="P", account="a", sender="s", permit=Permit(Step.GRANTED)))
    newer = [*msgspec.msgpack.decode(permit)[:-1], None, "of a new kind"]

    assert telling.read(permit)[0] == "P"
    with pytest.raises(msgspec.ValidationError, match="newer version"):
        telling.read(msgspec.msgpack.encode(newer))


def test_a_reason_that_is_newer_is_remembered_without_it() -> None:
    """
    The state of the ended command is what its repeat needs.
    """
    ended = bytearray(
        memory.remember(b"", "c", memory.Remembered(b"f" * 8, 1, 2, 200, State.FAILED, memory._REASONS[1]))
    )
    ended[29] = ended[31] = 250

    known = memory.recall(bytes(ended), "c")
    assert known is not None
    assert (known.state, known.reason, known.doubt) == (State.FAILED, "NONE", None)


def test_what_the_contract_has_added_is_kept_and_shown_by_number() -> None:
    """
    A field that is not known is handed on with its record; a reason has a number.
    """
    field = b"\xc2\x3e\x05newer"  # Number 1000, a string.
    assert Command.FromString(Command(command_id="c").SerializeToString() + field).SerializeToString().endswith(field)
    result = CommandResult.FromString(CommandResult(reason=950).SerializeToString())
    assert name_of(Reason.Name, result.reason, "REASON_") == "950"


def test_a_ledger_of_a_newer_format_is_refused_and_one_with_more_in_it_is_read() -> None:
    """
    Fields may be added; where the meaning changes, the format's number does, and nobody guesses.
    """
    state = entries._State(entries.VERSION, "done", 1, (1, 1), {"t": 3})
    assert entries.from_stored(b"s", encoded(state), ()) == entries.from_stored(b"s", msgspec.msgpack.encode(state), ())
    with pytest.raises(LogUnusable, match="another version"):
        entries.from_stored(b"c", bytes((entries.VERSION + 1,)), ())


def test_spooled_webhooks_and_orders_are_read_without_what_is_newer() -> None:
    """
    A webhook is written into the log; an order that is known is obeyed, and one that is not stops nobody.
    """
    spooled = msgspec.msgpack.encode([[b"A", b"{}", [], *NEWER]])
    assert [one.value for one in decoded(spooled, "t")] == [b"{}"]
    pause = Record("t", 0, 0, 1, b"pause/main", b'{"paused": true, "until": "noon"}')
    assert NO_ORDERS.after(pause).paused == {"main"}
    assert NO_ORDERS.after(Record("t", 0, 0, 1, b"slow/main", b'{"paused": true}')) == NO_ORDERS
