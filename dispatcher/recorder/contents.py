"""What of a record is kept beside its outline, as JSON: with what is sensitive masked, before anything is written.

Of commands the contract says what is secret, sensitive or a number. Of webhooks nobody does, and Telnyx adds fields as
it likes: so of these only fields that are known to be harmless are kept, and of digits only that there were some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from cordboard.cloudevents import rfc3339
from cordboard.masking import MASK, masked_number, shown, without_numbers
from cordboard.v1 import Command, CommandCompletion, CommandResult, Placement, command_pb2
from cordboard.webhook import Webhook
from cordboard.work import Outcome, TelnyxError, Work
from dispatcher.recorder.story import plain, short

_NUMBERS: Final = ("from", "to")
_HARMLESS: Final = (
    "connection_id",
    "direction",
    "state",
    "status",
    "result",
    "reason",
    "cause",
    "hangup_cause",
    "hangup_source",
    "sip_hangup_cause",
    "failure_reason",
    "recording_id",
    "channels",
    "format",
    "queue",
    "current_position",
    "queue_position",
    "queue_avg_wait_time_secs",
    "wait_time_secs",
    "duration_millis",
    "start_time",
    "end_time",
    "recording_started_at",
    "recording_ended_at",
    "stream_id",
    "stream_type",
    "media_name",
    "loop_count",
    "overlay",
)
_KEYED: Final = ("digit", "digits")
_CONTENT_MAX: Final = 64 * 1024
Content = Mapping[str, Any]


class Masking:
    """Makes contents. `numbers`: whether telephone numbers are written whole."""

    def __init__(self, *, numbers: bool = False) -> None:
        self._numbers = numbers
        self.number: Callable[[str], str] = short if numbers else lambda text: short(masked_number(text))
        self.sentence: Callable[[str], str] = plain if numbers else lambda text: plain(without_numbers(text))

    def command(self, command: Command, action: str) -> str:
        """What was asked for."""
        options: dict[str, Any] = {}
        if command.placement:
            options["placement"] = Placement.Name(command.placement).removeprefix("PLACEMENT_")
        if command.start_after == command_pb2.START_AFTER_PREVIOUS_COMPLETED:
            options["start_after"] = "PREVIOUS_COMPLETED"
        if command.HasField("expire_time"):
            options["expire_time"] = rfc3339(command.expire_time.ToMilliseconds())
        for name in ("group", "requires_command_id", "sequence", "sensitive"):
            if value := getattr(command, name):
                options[name] = value
        body = shown(getattr(command, action), sensitive=command.sensitive, numbers=self._numbers)
        if command.HasField("extra"):
            body |= shown(command.extra, sensitive=command.sensitive, numbers=self._numbers)
        return written(options | {"body": body})

    def release(self, work: Work) -> str:
        """What was handed to the workers; its bytes are what the command asked for."""
        content = {"lane": work.lane.value, "released_ms": work.released_ms}
        return written(content | ({"expire_ms": work.expire_ms} if work.expire_ms else {}))

    def outcome(self, outcome: Outcome) -> str:
        """What a worker learned."""
        content = {
            "http_status": outcome.http_status,
            "tries": outcome.tries,
            "sent_ms": outcome.sent_ms,
            "finished_ms": outcome.finished_ms,
            "message": self.sentence(outcome.message),
            "errors": [self._error(error) for error in outcome.errors],
        }
        return written({name: value for name, value in content.items() if value})

    def result(self, result: CommandResult) -> str:
        """What a sender was told."""
        content = {
            "message": self.sentence(result.message),
            "http_status": result.http_status,
            "attempts": result.attempts,
            "related_command_id": result.related_command_id,
            "group": result.group,
            "errors": [self._error(TelnyxError(one.code, one.title, one.detail, one.pointer)) for one in result.errors],
            "violations": [
                {"field": one.field, "description": self.sentence(one.description)} for one in result.violations
            ],
            "dialed": [one.call_control_id for one in result.dialed],
        }
        return written({name: value for name, value in content.items() if value})

    def completion(self, completion: CommandCompletion) -> str:
        """What became of what a command started."""
        content = {
            "event_id": completion.event_id,
            "event_type": completion.event_type,
            "status": completion.status,
            "occur_ms": completion.occur_time.ToMilliseconds(),
        }
        return written({name: value for name, value in content.items() if value})

    def event(self, webhook: Webhook, *, late: bool) -> str:
        """What a webhook said."""
        said, payload = dict[str, Any](), webhook.payload
        for name in _HARMLESS:
            value = payload.get(name)
            if isinstance(value, str | int | float) and value != "":
                said[name] = self.sentence(value) if isinstance(value, str) else value
        said |= {name: self.number(payload[name]) for name in _NUMBERS if isinstance(payload.get(name), str)}
        said |= {name: MASK for name in _KEYED if payload.get(name)}
        content = {"event_id": webhook.id, "occurred_ms": webhook.occurred_ms, "payload": said}
        return written(content | ({"late": True} if late else {}))

    def _error(self, error: TelnyxError) -> dict[str, str]:
        told = {"code": error.code, "title": error.title, "detail": error.detail, "pointer": error.pointer}
        return {name: self.sentence(text) for name, text in told.items() if text}


def written(content: Content) -> str:
    """JSON; what is too large is replaced by its size. `default` is for what a sender may have put into a Struct."""
    text = orjson.dumps(_fit(content), default=str).decode()
    if len(text) <= _CONTENT_MAX:
        return text
    return orjson.dumps({"too_large": len(text)}).decode()


def _fit(value: Any) -> Any:
    """The same with texts that every table takes."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(str(name)): _fit(one) for name, one in value.items()}
    return [_fit(one) for one in value] if isinstance(value, list) else value
