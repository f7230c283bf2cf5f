"""What was recorded of calls, as the contract has it; and why it cannot be told."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, TypeVar

from cordboard.v1 import operator_service_pb2 as operator
from cordboard.v1 import result_pb2, timeline_pb2, view_pb2
from cordboard.v1.timeline_pb2 import TimelineEntry, TimelineOrigin
from dispatcher.acceptance.refusals import Refused
from dispatcher.acceptance.views import DIRECTIONS, timestamp
from dispatcher.core.page import Page
from dispatcher.recorder.archive import Archive
from dispatcher.recorder.database import TablesUnavailable, TablesUnusable
from dispatcher.recorder.story import Entry, Story
from dispatcher.rpc.knowing import known_to
from dispatcher.rpc.timeline import timeline

T = TypeVar("T")
_RECORDER: Final = timeline_pb2.TIMELINE_ORIGIN_RECORDER


class Recalling:
    """Tells calls by the archive; without one, by what their pages know."""

    def __init__(self, archive: Archive | None) -> None:
        self._archive = archive

    def archive(self) -> Archive:
        """The archive. Raises Refused where there is none."""
        if self._archive is None:
            message = "No recorder is configured here (recorder.kind), so nothing is recorded."
            raise Refused(result_pb2.REASON_NO_RECORDER, message)
        return self._archive

    async def story(self, call: str, page: Page | None) -> Recalled:
        """What can be told of a call: where the tables cannot be read, what its page knows."""
        story, entries, origin = None, list[Entry](), _RECORDER
        if self._archive is None:
            origin = timeline_pb2.TIMELINE_ORIGIN_PAGE_NO_RECORDER
        else:
            try:
                story, entries = await self._archive.story(call)
            except (TablesUnavailable, TablesUnusable):
                origin = timeline_pb2.TIMELINE_ORIGIN_PAGE_RECORDER_AWAY
        return Recalled(story, timeline(entries, known_to(page) if page else ()), origin)


class Recalled:
    """A call as it was recorded (None: it was not), its story, and how complete that is."""

    def __init__(self, story: Story | None, entries: list[TimelineEntry], origin: TimelineOrigin.ValueType) -> None:
        self.story = story
        self.entries = entries
        self.origin = origin


async def recalled(asked: Awaitable[T]) -> T:
    """What the archive answers. Raises Refused where it does not."""
    try:
        return await asked
    except (TablesUnavailable, TablesUnusable) as error:
        message = "The recorder's tables cannot be reached now."
        raise Refused(result_pb2.REASON_RECORDER_UNAVAILABLE, message) from error


def view_of(story: Story) -> view_pb2.CallView:
    """A call that no page knows any more."""
    return view_pb2.CallView(
        call_control_id=story.call,
        account=story.account,
        call_leg_id=story.leg,
        call_session_id=story.session,
        direction=DIRECTIONS.get(story.direction, view_pb2.DIRECTION_UNSPECIFIED),
        state=_state(story),
        first_seen_time=timestamp(story.first_ms),
        end_time=timestamp(story.ended_ms),
        hangup_cause=story.outcome,
    )


def summary_of(story: Story) -> operator.CallSummary:
    """A call as a search finds it."""
    return operator.CallSummary(
        call_control_id=story.call,
        account=story.account,
        direction=DIRECTIONS.get(story.direction, view_pb2.DIRECTION_UNSPECIFIED),
        state=_state(story),
        from_number=story.from_number,
        to_number=story.to_number,
        outcome=story.outcome,
        first_seen_time=timestamp(story.first_ms),
        last_seen_time=timestamp(story.last_ms),
        answer_time=timestamp(story.answered_ms),
        end_time=timestamp(story.ended_ms),
        forget_time=timestamp(story.forgotten_ms),
    )


def _state(story: Story) -> view_pb2.CallState.ValueType:
    if story.ended_ms:
        return view_pb2.CALL_STATE_ENDED
    if story.answered_ms:
        return view_pb2.CALL_STATE_ACTIVE
    return view_pb2.CALL_STATE_RINGING if story.heard_ms else view_pb2.CALL_STATE_UNKNOWN
