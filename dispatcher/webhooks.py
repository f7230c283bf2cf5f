"""A webhook's record as what a page hears. The times in it are Telnyx's, and believed as far as they can be true."""

from __future__ import annotations

from typing import Final

from cordboard import marks
from cordboard.cloudevents import header
from cordboard.log.port import Record
from cordboard.webhook import ACCOUNT_HEADER, DIAL_COPY_HEADER, parse
from dispatcher.core.inputs import Heard
from dispatcher.core.turn import GRACE_MS

_AHEAD_MS: Final = 5_000  # How far the time that an event says it happened may be ahead of the log.


def heard_in(record: Record) -> Heard:
    """What a webhook's record says. Raises MalformedWebhook."""
    webhook = parse(record.value)
    # What is said to happen in years to come would make all that follows late.
    latest_ms = record.time_ms + _AHEAD_MS
    # A recording that is over only later than now was timed by another clock than ours: then its order has to do.
    is_timed = webhook.over_ms <= record.time_ms + GRACE_MS
    return Heard(
        account=header(record.headers, ACCOUNT_HEADER),
        event_id=webhook.id,
        event_type=webhook.event_type,
        occurred_ms=min(webhook.occurred_ms or record.time_ms, latest_ms),
        call=webhook.call_control_id,
        leg=webhook.call_leg_id,
        session=webhook.call_session_id,
        direction=webhook.direction,
        status=webhook.status,
        copy=bool(header(record.headers, DIAL_COPY_HEADER)),
        hangup_cause=webhook.hangup_cause,
        marks=marks.of_event(webhook.event_type, webhook.payload),
        begun_ms=webhook.begun_ms if is_timed else 0,
        over_ms=webhook.over_ms if is_timed else 0,
    )
