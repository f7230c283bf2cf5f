"""Results and events as a service is told of them, whether by a watch or from Kafka."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cordboard.v1 import CallEvent, CommandResult
from cordboard.v1.dispatcher_service_pb2 import WatchResponse

_RESULTS: Final = "cordboard.command."


@dataclass(frozen=True, slots=True)
class Told:
    """A result. `kind` is result (exactly one for each command), replayed, refused, or settled (after UNKNOWN)."""

    kind: str
    result: CommandResult


@dataclass(frozen=True)
class Event:
    """A webhook that was verified: one for each of Telnyx's events."""

    message: CallEvent

    @property
    def id(self) -> str:
        """Telnyx's id of it."""
        return self.message.event_id

    @property
    def type(self) -> str:
        """Its type, such as call.answered."""
        return self.message.event_type

    @property
    def account(self) -> str:
        """The Telnyx account."""
        return self.message.account

    @property
    def call_control_id(self) -> str:
        """The call; empty where Telnyx names none, and none could be found."""
        return self.message.call_control_id

    @property
    def command_id(self) -> str:
        """The command that it belongs to, where that is known."""
        return self.message.command_id

    @property
    def is_late(self) -> bool:
        """Whether an event that happened after it was handed on before it."""
        return self.message.late

    @cached_property
    def payload(self) -> Mapping[str, Any]:
        """What Telnyx says of it: `data.payload` of the webhook."""
        try:
            payload = json.loads(self.message.payload)["data"]["payload"]
        except (ValueError, LookupError, TypeError):
            return {}
        return payload if isinstance(payload, dict) else {}


def told_of(response: WatchResponse) -> Told | None:
    """The result in a response, if there is one."""
    if response.WhichOneof("item") != "result":
        return None
    return Told(kind_of(response.type), response.result)


def event_of(response: WatchResponse) -> Event | None:
    """The event in a response, if there is one."""
    return Event(response.event) if response.WhichOneof("item") == "event" else None


def kind_of(event_type: str) -> str:
    """What kind of result a CloudEvents type stands for."""
    return event_type.removeprefix(_RESULTS).partition(".")[0]
