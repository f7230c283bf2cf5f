"""Batches that aiokafka cannot read: one in which the name of a header is not UTF-8. They must not end the reading.

Such a record fails the whole of its batch, now and whenever it is fetched again. A batch is one producer's, so nobody
else's records are in it. aiokafka raises from the middle of it and does not say where it was; its frames know.
"""

from __future__ import annotations

import traceback
from typing import NamedTuple

from aiokafka import TopicPartition as KafkaPartition
from aiokafka.consumer.fetcher import PartitionRecords


class Unreadable(NamedTuple):
    """The first record that cannot be read, and where the next batch begins."""

    place: KafkaPartition
    offset: int
    next_offset: int


def unreadable(error: UnicodeDecodeError) -> Unreadable:
    """Where the reading stopped. Raises the error itself where it did not come from a batch."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        reading, batch = frame.f_locals.get("self"), frame.f_locals.get("next_batch")
        if isinstance(reading, PartitionRecords) and batch is not None:
            return Unreadable(reading._tp, reading.next_fetch_offset, batch.next_offset)
    raise error
