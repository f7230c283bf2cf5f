"""What aiokafka raises, in the port's words: mapped once, here, at the border."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiokafka import errors

from cordboard.log.port import AppendUncertain, Fenced, LogError, LogUnavailable, RecordRefused

# Refused for what is in a record, and so for ever.
_REFUSED_RECORDS: Final = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError, errors.RecordTooLargeError)
# Refused before anything was handed to a connection, or refused by the broker as a whole.
_CERTAINLY_NOT_WRITTEN: Final = (
    *_REFUSED_RECORDS,
    errors.InvalidTopicError,
    errors.TopicAuthorizationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.UnknownTopicOrPartitionError,
    errors.ProducerClosed,
)


def refused(error: Exception, doing: str) -> LogError:
    """What a failed write means: LogUnavailable where certainly nothing was written, else AppendUncertain.

    Where a record is to blame, RecordRefused: others of the same write may be there.
    """
    if isinstance(error, _REFUSED_RECORDS):
        return RecordRefused(f"{doing}: {in_words(error)}")
    kind = LogUnavailable if isinstance(error, _CERTAINLY_NOT_WRITTEN) else AppendUncertain
    return kind(f"{doing}: {in_words(error)}")


def in_words(error: BaseException) -> str:
    """An error in one line, for a person: brokers' messages name topics and partitions, never contents."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Raise LogUnavailable for what goes wrong inside, where something is asked or read."""
    try:
        yield
    except (errors.KafkaError, errors.ConsumerStoppedError, errors.IllegalOperation, OSError, TimeoutError) as error:
        raise LogUnavailable(f"{what}: {in_words(error)}") from error


@contextmanager
def committing(group: str) -> Iterator[None]:
    """Raise what goes wrong with a group's commit: Fenced where the member is none any more, else AppendUncertain."""
    try:
        yield
    except (errors.CommitFailedError, errors.IllegalStateError, errors.ConsumerStoppedError) as error:
        raise Fenced(f"group {group}: {in_words(error)}") from error
    except (errors.KafkaError, OSError, TimeoutError) as error:
        raise AppendUncertain(f"group {group}: {in_words(error)}") from error
