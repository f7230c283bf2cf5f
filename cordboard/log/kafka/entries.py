"""Ledger entries as Kafka records, and back.

The keys are chosen for compaction, which keeps the last record of each: a page has its own (`p` and the page's key),
the state of a partition (what is owed, how far the inputs are done) has one (`s`), and every claim has one for itself
(`c` and something random), so that claims are kept for ever: what counts is judged by the last claim before it.

A page's value begins with who wrote it; a deleted page is a tombstone, and says so in a header.
"""

from __future__ import annotations

import os
import struct
from typing import Final, NamedTuple

import msgspec

from cordboard.log.ledger import ClaimMade, Done, Entry, Genesis, Owing, PageWritten, SettleId
from cordboard.log.port import Headers, LogUnusable, NewRecord

VERSION: Final = 1
_BY: Final = struct.Struct(">BQI")  # Version, epoch, number of the settle.
_BY_HEADER: Final = "by"
_PAGE: Final = b"p"
_STATE: Final = b"s"
_CLAIM: Final = b"c"


class Stored(NamedTuple):
    """A ledger entry as a Kafka record."""

    key: bytes
    value: bytes | None
    headers: Headers = ()


class _Output(msgspec.Struct, frozen=True, array_like=True):
    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    partition: int | None


class _State(msgspec.Struct, frozen=True, array_like=True):
    """`what` is genesis, owing or done. `epoch` is the writer's, `settle` names what is owed or done."""

    version: int
    what: str
    epoch: int
    settle: tuple[int, int]
    positions: dict[str, int]
    outputs: list[_Output] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_State).decode


def to_stored(entry: Entry) -> Stored:
    """Write an entry as a record."""
    match entry:
        case PageWritten(epoch, settle, key, value):
            by = _BY.pack(VERSION, epoch, settle.number)
            if value is None:
                return Stored(_PAGE + key.encode(), None, ((_BY_HEADER, by),))
            return Stored(_PAGE + key.encode(), by + value)
        case ClaimMade():
            return Stored(_CLAIM + os.urandom(12), bytes((VERSION,)))
        case Genesis(positions):
            return _state("genesis", 0, SettleId(0, 0), dict(positions))
        case Owing(epoch, settle, outputs, positions):
            owed = [_Output(one.topic, one.key, one.value, list(one.headers), one.partition) for one in outputs]
            return _state("owing", epoch, settle, dict(positions), owed)
        case Done(epoch, settle, positions):
            return _state("done", epoch, settle, dict(positions))


def _state(
    what: str, epoch: int, settle: SettleId, positions: dict[str, int], outputs: list[_Output] | None = None
) -> Stored:
    return Stored(_STATE, _encode(_State(VERSION, what, epoch, settle, positions, outputs or [])))


def from_stored(key: bytes | None, value: bytes | None, headers: Headers) -> Entry | None:
    """Read a record as an entry; None for what is none of ours. Raises LogUnusable for what a newer version wrote."""
    kind = key[:1] if key else b""
    if kind == _PAGE and key is not None:
        return _page(key[1:].decode(), value, headers)
    if kind == _CLAIM and value is not None:
        _must_be_known(value[0])
        return ClaimMade()
    if key == _STATE and value is not None:
        return _read_state(value)
    return None


def _page(key: str, value: bytes | None, headers: Headers) -> PageWritten | None:
    by = value if value is not None else dict(headers).get(_BY_HEADER)
    if by is None or len(by) < _BY.size:
        return None
    version, epoch, number = _BY.unpack_from(by)
    _must_be_known(version)
    return PageWritten(epoch, SettleId(epoch, number), key, None if value is None else value[_BY.size :])


def _read_state(value: bytes) -> Entry:
    try:
        state = _decode(value)
    except msgspec.MsgspecError as error:
        raise LogUnusable(f"an entry of the ledger cannot be read: {error}") from error
    _must_be_known(state.version)
    settle = SettleId(*state.settle)
    if state.what == "genesis":
        return Genesis(state.positions)
    if state.what == "done":
        return Done(state.epoch, settle, state.positions)
    owed = (NewRecord(one.topic, one.key, one.value, tuple(one.headers), one.partition) for one in state.outputs)
    return Owing(state.epoch, settle, tuple(owed), state.positions)


def _must_be_known(version: int) -> None:
    if version != VERSION:
        raise LogUnusable(f"the ledger was written by another version (format {version}, this one reads {VERSION})")
