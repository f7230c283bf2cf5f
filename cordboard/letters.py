"""Dead letters: records of which nothing can be made, for people to look at, with where they stood and why."""

from __future__ import annotations

from typing import Final

from cordboard.log.port import Headers, NewRecord, Record, size_of

# A record comes in compressed, perhaps, and by a client with limits of its own: what goes out must fit in any case.
LETTER_BYTES_MAX: Final = 2 * 1024 * 1024
REPLAY_HEADER: Final = "cordboard-replay"  # On a record that was written back: the letter that it comes from.
REPLAYED_HEADER: Final = "cordboard-replayed"  # On a receipt among the letters: the one that was written back.
REPLAYED_BY_HEADER: Final = "cordboard-replayed-by"  # And on the receipt: the identity of who wanted that.
WHY_PREFIX: Final = "dlq.errors."
_KEPT_BYTES: Final = 64 * 1024  # Of what is longer: so much of its value, of its key, and of its headers.


def dead_letter(topic: str, record: Record, reason: str, detail: str = "") -> NewRecord:
    """The record as it came, or the beginning of one that is too long; `detail` may repeat some of it."""
    why: Headers = (
        ("dlq.errors.topic", record.topic.encode()),
        ("dlq.errors.partition", str(record.partition).encode()),
        ("dlq.errors.offset", str(record.offset).encode()),
        ("dlq.errors.timestamp", str(record.time_ms).encode()),
        ("dlq.errors.reason", reason.encode()),
    )
    if detail:
        why += (("dlq.errors.detail", detail.encode(errors="replace")),)
    size = size_of(record)
    if size <= LETTER_BYTES_MAX:
        return NewRecord(topic, record.key, record.value, (*record.headers, *why))
    why += (("dlq.errors.cut", f"it had {size} bytes; of value, key and headers the first {_KEPT_BYTES}".encode()),)
    key = None if record.key is None else record.key[:_KEPT_BYTES]
    return NewRecord(topic, key, record.value[:_KEPT_BYTES], (*_first(record.headers), *why))


def _first(headers: Headers) -> Headers:
    """As many as are kept, each of them whole."""
    kept, room = [], _KEPT_BYTES
    for name, value in headers:
        room -= len(name) + len(value)
        if room < 0:
            break
        kept.append((name, value))
    return tuple(kept)
