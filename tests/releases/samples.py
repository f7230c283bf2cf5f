"""What a version writes elsewhere than into the embedded log: entries of a ledger on Kafka, a spool, orders, a cursor.

    PYTHONPATH=TREE python tests/releases/samples.py SPOOL

Run by old versions, too: what one has not got yet is left out. Each line of JSON names what it is, and holds it in hex.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from cordboard.log.port import NewRecord, TopicPartition

OUTPUT = NewRecord("cordboard.results", b"A", b"a result", (("ce_type", b"kind"),), 1)


def entries() -> Iterator[dict[str, Any]]:
    """One of each kind of entry."""
    ledger, kafka = import_module("cordboard.log.ledger"), import_module("cordboard.log.kafka.entries")
    settle = ledger.SettleId(7, 3)
    every = (
        ledger.Genesis({"cordboard.commands": 0}),
        ledger.ClaimMade(),
        ledger.PageWritten(7, settle, "A", b"a page"),
        ledger.PageWritten(7, settle, "B", None),
        ledger.Owing(7, settle, (OUTPUT,), {"cordboard.commands": 5}),
        ledger.Done(7, settle, {"cordboard.commands": 5}),
    )
    for entry in every:
        key, value, headers = kafka.to_stored(entry)
        yield {
            "kind": "entry",
            "is": repr(entry),
            "key": key.hex(),
            "value": value and value.hex(),
            "headers": [[name, one.hex()] for name, one in headers],
        }


def spooled(folder: Path) -> Iterator[dict[str, Any]]:
    """A spool with one webhook in two records."""
    spool = import_module("dispatcher.ingress.spool.file")
    records = [NewRecord("", b"A", b"{}", (("ce_id", b"1"),)), NewRecord("", None, b"{}")]
    file = spool.SpoolFile(folder)
    file.add([spool.Entry(1_800_000_000_000, spool.encoded(records))])
    file.close()
    yield {"kind": "spool", "file": (folder / "spool.sqlite3").read_bytes().hex()}


def ordered() -> Iterator[dict[str, Any]]:
    """A pause and a cancel."""
    orders = import_module("cordboard.orders")
    for record in (orders.pause("t", "main", paused=True, comment="why"), orders.cancel("t", "main", "spring")):
        yield {"kind": "order", "key": record.key.hex(), "value": record.value.hex()}


def cursor() -> Iterator[dict[str, Any]]:
    """A watch's."""
    write = import_module("dispatcher.rpc.cursor").write
    yield {"kind": "cursor", "text": write(("r", "e"), {TopicPartition("r", 0): 5, TopicPartition("e", 0): 300})}


def main() -> None:
    """All that this version has."""
    folder = Path(sys.argv[1])
    for kind, sample in {
        "cordboard.log.kafka.entries": entries,
        "dispatcher.ingress.spool.file": lambda: spooled(folder),
        "cordboard.orders": ordered,
        "dispatcher.rpc.cursor": cursor,
    }.items():
        try:
            import_module(kind)
        except ModuleNotFoundError:
            continue
        for line in sample():
            print(json.dumps(line, sort_keys=True))  # noqa: T201 - that is what it is for.


if __name__ == "__main__":
    main()
