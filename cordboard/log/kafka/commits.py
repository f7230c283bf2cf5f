"""What a group has committed, asked of its coordinator in words of our own.

aiokafka's `committed` reads the errors of partitions and not the one of the answer as a whole (tried with 0.14), and
from Kafka 0.10.2 on that is where a coordinator says that it is one no more, or not yet: its answer then names no
partition, and aiokafka takes that for "nothing was ever committed". Whoever believed it would begin with the oldest
record, and do everything a second time.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError, NoError, NotCoordinatorForGroupError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

_AGAIN_SECONDS: Final = 0.1
_NOTHING: Final = -1


async def committed(consumer: AIOKafkaConsumer, group: str, place: KafkaPartition) -> int | None:
    """The stored offset, None only where the coordinator says that there is none; asks for as long as it is moving.

    Raises KafkaError for whatever else is said, and where nothing is.
    """
    coordinator: Any = consumer._coordinator
    while True:
        await coordinator.ensure_coordinator_known()
        try:
            request = OffsetFetchRequest(group, [(place.topic, [place.partition])])
            return _offset(await coordinator._send_req(request), place)
        except KafkaError as error:
            if isinstance(error, NotCoordinatorForGroupError):
                coordinator.coordinator_dead()
            if not error.retriable:
                raise
        await asyncio.sleep(_AGAIN_SECONDS)


def _offset(answer: Any, place: KafkaPartition) -> int | None:
    _must_be_fine(getattr(answer, "error_code", NoError.errno))  # The oldest version of the answer has none.
    for topic, partitions in answer.topics:
        for partition, offset, _, error_code in partitions:
            if (topic, partition) == place:
                _must_be_fine(error_code)
                return None if offset == _NOTHING else int(offset)
    raise KafkaError(f"the coordinator says nothing of partition {place.partition} of {place.topic}")


def _must_be_fine(error_code: int) -> None:
    if error_code != NoError.errno:
        raise for_code(error_code)()
