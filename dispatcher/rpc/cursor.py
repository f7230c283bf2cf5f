"""A watch's cursor: where in the log everything before was dealt with. Opaque to those who carry it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from cordboard.log.port import Log, TopicPartition
from cordboard.v1 import result_pb2
from cordboard.validation import Violation
from dispatcher.acceptance.refusals import Refused, invalid

VERSION: Final = 1


class _Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Offsets by topic, in the order in which the watch names them, and by partition."""

    version: int
    offsets: list[list[int]]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Cursor)


def write(topics: tuple[str, ...], positions: Mapping[TopicPartition, int]) -> str:
    """The cursor of these positions, which are those of all partitions of the topics."""
    offsets: list[list[int]] = [[] for _ in topics]
    for at in sorted(positions):
        offsets[topics.index(at.topic)].append(positions[at])
    return base64.urlsafe_b64encode(_encoder.encode(_Cursor(VERSION, offsets))).decode()


async def read(log: Log, topics: tuple[str, ...], cursor: str) -> dict[TopicPartition, int]:
    """The positions of a cursor. Raises Refused when it is none of ours, or no longer kept; LogError."""
    offsets = _decoded(cursor).offsets
    if [len(one) for one in offsets] != [log.partitions(topic) for topic in topics]:
        raise _malformed()
    positions = {
        TopicPartition(topic, number): offset
        for topic, each in zip(topics, offsets, strict=True)
        for number, offset in enumerate(each)
    }
    for at, offset in positions.items():
        if offset < await log.start(at):
            message = "What followed the cursor is no longer kept; watch from now on, without a cursor."
            raise Refused(result_pb2.REASON_CURSOR_EXPIRED, message)
        if offset > await log.end(at):
            message = "The cursor is ahead of the log: it is of another one. Watch from now on, without a cursor."
            raise Refused(result_pb2.REASON_CURSOR_EXPIRED, message)
    return positions


def _decoded(cursor: str) -> _Cursor:
    try:
        known = _decoder.decode(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise _malformed() from None
    if known.version != VERSION or any(offset < 0 for each in known.offsets for offset in each):
        raise _malformed()
    return known


def _malformed() -> Refused:
    return invalid([Violation("cursor", "cursor must be one that a response of Watch carried", "cursor.malformed")])
