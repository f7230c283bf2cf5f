"""What each process says of itself, now and then, on a topic of its own: by it whoever asks knows of all of them.

It is for people who look, and for scripts: nothing is decided by it, and who owns what is the groups' to say. A process
that is cut off says nothing, which is seen by the age of its last word; one that stops says that it leaves.

Processes of several versions read each other's words: fields are only ever added, at the end, with a default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from cordboard.log.port import NewRecord, Record

EVERY_SECONDS: Final = 5.0
# A word may be late by a slow write, and clocks differ by up to two seconds before anybody complains of them.
_LATE_MS: Final = 5_000


class PartitionWord(msgspec.Struct, array_like=True, frozen=True):
    """A partition that a dispatcher holds. `state`: served, restoring, or broken (its owner ended by a bug).

    `restored`: how much of its state is read back, 0 to 1; `lag`: inputs not settled. None: not known.
    """

    partition: int
    state: str
    pages: int = 0
    restored: float | None = None
    lag: int | None = None
    stalled_seconds: float = 0.0


class LaneWord(msgspec.Struct, array_like=True, frozen=True):
    """A worker's part of a pool's lane: the partitions that it holds, what it carries, and for how many it has room."""

    pool: str
    lane: str
    partitions: tuple[int, ...]
    in_flight: int = 0
    room: int = 0
    lag: int | None = None
    stalled_seconds: float = 0.0


class PoolWord(msgspec.Struct, array_like=True, frozen=True):
    """A pool, as one worker sees its Telnyx account."""

    pool: str
    breaker_open: bool = False


class Presence(msgspec.Struct, array_like=True, frozen=True):
    """One word of one process. `troubles`: the checks of its readiness that fail, each with its sentence.

    `name` is its own and no other's, also not that of the same process started anew. `address` is where its gRPC door
    is reached by other dispatchers. `every_ms`: when to expect the next word.
    """

    name: str
    host: str
    pid: int
    version: str
    roles: tuple[str, ...]
    started_ms: int
    every_ms: int
    address: str = ""
    leaving: bool = False
    troubles: tuple[tuple[str, str], ...] = ()
    remarks: tuple[tuple[str, str], ...] = ()
    partitions: tuple[PartitionWord, ...] = ()
    lanes: tuple[LaneWord, ...] = ()
    pools: tuple[PoolWord, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """The last word of a process, and when the log took it (Unix milliseconds)."""

    word: Presence
    time_ms: int

    def is_silent(self, now_ms: int) -> bool:
        """Whether three words in a row did not come."""
        return now_ms - self.time_ms > 3 * self.word.every_ms + _LATE_MS


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Presence)


def record_of(topic: str, word: Presence) -> NewRecord:
    """The record of a word."""
    return NewRecord(topic, word.name.encode(), _encoder.encode(word))


def last_words(records: Iterable[Record]) -> tuple[dict[str, Heard], int]:
    """The last word of each process, by its name, and how many words could not be read here."""
    heard: dict[str, Heard] = {}
    unreadable = 0
    for record in records:
        if not record.value:
            continue  # Somebody tried whether it can be written (cordboard check).
        try:
            word = _decoder.decode(record.value)
        except msgspec.MsgspecError:
            unreadable += 1
            continue
        heard[word.name] = Heard(word, record.time_ms)
    return heard, unreadable
