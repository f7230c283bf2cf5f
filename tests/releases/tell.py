"""What is in a log's file, told by whatever version runs this: a line of JSON for each page and internal record.

    PYTHONPATH=TREE python tests/releases/tell.py LOG

It is run by old versions, too, so it leans on nothing but the modules that all of them have. A record is told by the
names of its fields, and only those that are not as they are by default; bytes in hex.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from cordboard import work
from dispatcher import telling
from dispatcher.core import commands, memory, page

_RECORDS = (
    'SELECT topic, "offset", value, headers FROM record JOIN source ON source.id = record.source ORDER BY sequence'
)


def told(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [told(one) for one in value]
    names = getattr(value, "__struct_fields__", None) or getattr(value, "__dataclass_fields__", None)
    if names is None:
        return value
    plain = {name: told(getattr(value, name)) for name in names}
    return {name: one for name, one in plain.items() if one not in ("", 0, False, None, [], {})}


def remembered(ended: bytes) -> list[Any]:
    """What a page remembers of its ended commands."""
    size = memory.ENTRY_BYTES
    return [told(memory._decode(ended[at : at + size])) for at in range(0, len(ended), size)]


def shapes() -> Iterator[dict[str, Any]]:
    """The fields of everything that is written as an array, in their order."""
    for module in (work, page, commands, telling):
        for name, kind in sorted(vars(module).items()):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
                yield {"kind": "shape", "at": name, "said": list(kind.__struct_fields__)}


def word(value: bytes) -> Any:
    """What one page tells another; what is refused becomes a dead letter."""
    try:
        key, given = telling.read(value)
    except msgspec.MsgspecError:
        return "refused"
    return [key, type(given).__name__, told(given)]


def lines(log: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    """Everything that only Cordboard itself reads."""
    for key, value in log.execute("SELECT key, value FROM page ORDER BY key"):
        one = page.decode(value)
        yield {"kind": "page", "at": key, "said": told(one), "remembered": remembered(one.ended)}
    for topic, offset, value, headers in log.execute(_RECORDS):
        at = f"{topic}/{offset}"
        kinds = dict(msgspec.msgpack.decode(headers)) if headers else {}
        if ".work." in topic:
            yield {"kind": "work", "at": at, "said": told(work.decode_work(value))}
        elif topic.endswith(".outcomes"):
            yield {"kind": "outcome", "at": at, "said": told(work.decode_outcome(value))}
        elif kinds.get("ce_type") == telling.TOLD_TYPE.encode():
            yield {"kind": "told", "at": at, "said": word(value)}


def tell(path: Path) -> list[dict[str, Any]]:
    """All of one file."""
    log = sqlite3.connect(path)
    try:
        return [*shapes(), *lines(log)]
    finally:
        log.close()


if __name__ == "__main__":
    for line in tell(Path(sys.argv[1])):
        print(json.dumps(line, sort_keys=True))  # noqa: T201 - that is what it is for.
