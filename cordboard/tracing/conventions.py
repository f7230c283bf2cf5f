"""The names of spans and attributes: OpenTelemetry's semantic conventions (1.44), and ours where it has none.

Those of messaging are not stable yet, so all names stand here and nowhere else. None of them is for content: ids,
closed lists and places, but no number, text, digit or key.
"""

from __future__ import annotations

from typing import Final

from cordboard.log.port import Record
from cordboard.tracing.port import Value

RPC_SYSTEM: Final = "rpc.system.name"
RPC_METHOD: Final = "rpc.method"
RPC_STATUS: Final = "rpc.response.status_code"
HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"
HTTP_RESENDS: Final = "http.request.resend_count"
URL_TEMPLATE: Final = "url.template"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
MESSAGE_ID: Final = "messaging.message.id"
ERROR: Final = "error.type"
SYSTEM: Final = "messaging.system"

COMMAND: Final = "cordboard.command_id"
CALL: Final = "cordboard.call_control_id"
ACCOUNT: Final = "cordboard.account"
ACTION: Final = "cordboard.action"
ATTEMPT: Final = "cordboard.attempt"
TRIES: Final = "cordboard.tries"
STATE: Final = "cordboard.state"
REASON: Final = "cordboard.reason"
VERDICT: Final = "cordboard.verdict"
EVENT: Final = "cordboard.event_type"

DECIDE: Final = "decide"  # A span that no record is behind: a time had come, or a lane had room.


def send(topic: str) -> str:
    """The name of a span that writes a record."""
    return f"send {topic}"


def process(topic: str) -> str:
    """The name of a span that sees to a record."""
    return f"process {topic}"


def sending(topic: str, **more: Value) -> dict[str, Value]:
    """The attributes of a record that is written."""
    return _messaging("send", topic) | more


def processing(record: Record, group: str = "") -> dict[str, Value]:
    """The attributes of a record that is seen to."""
    place: dict[str, Value] = {
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
    }
    return _messaging("process", record.topic) | place | _group(group)


def working(topic: str, group: str) -> dict[str, Value]:
    """The attributes of work that is seen to, whose place in the log is not told."""
    return _messaging("process", topic) | _group(group)


def template_of(path: str) -> str:
    """A path of Telnyx's API without what names one call: /calls/{call_control_id}/actions/speak."""
    parts = path.split("/")
    if len(parts) > 2:
        parts[2] = "{call_control_id}"
    return "/".join(parts)


def _messaging(operation: str, topic: str) -> dict[str, Value]:
    return {
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
    }


def _group(group: str) -> dict[str, Value]:
    return {"messaging.consumer.group.name": group} if group else {}
