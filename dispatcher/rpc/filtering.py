"""What a watch is told of a record: a result, a completion or an event, where its filter lets it through."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError

from cordboard.access import ANYBODY, Caller, Right
from cordboard.cloudevents import CloudEvent, NotACloudEvent, from_headers, header, parse_rfc3339
from cordboard.log.port import Record
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.v1 import result_pb2, view_pb2
from cordboard.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER
from dispatcher.acceptance.views import timestamp
from dispatcher.rendering import COMPLETED_TYPE, RESULT_TYPES

_EVENT_PREFIX: Final = "com.telnyx."
_KINDS: Final = {
    **dict.fromkeys(RESULT_TYPES.values(), service.WATCH_KIND_RESULTS),
    COMPLETED_TYPE: service.WATCH_KIND_COMPLETIONS,
}


class Filter:
    """What one watch wants, of what its caller may see."""

    def __init__(self, request: service.WatchRequest, caller: Caller = ANYBODY) -> None:
        self._caller = caller
        self._account = request.account
        self._call = request.call_control_id
        self._key = request.call_control_id.encode()
        self._kinds = frozenset(request.kinds)

    def response(self, record: Record) -> service.WatchResponse | None:
        """The record as a response without its cursor; None where it is not wanted. Raises Denied."""
        kind = _kind(header(record.headers, "ce_type"))
        if kind is None or (self._kinds and kind not in self._kinds):
            return None
        try:
            event = from_headers(record.headers)
        except NotACloudEvent:
            return None
        self._caller.need(Right.READ)
        account = event.source.rpartition("/")[2]
        if (self._account and account != self._account) or not self._caller.identity().may_use(account):
            return None
        if self._call and record.key != self._key and event.subject != self._call:
            return None
        try:
            return _response(kind, event, record)
        except DecodeError:
            return None  # Another hand wrote it; one record that nobody can read must not hold up all behind it.


def _kind(event_type: str) -> service.WatchKind.ValueType | None:
    if event_type.startswith(_EVENT_PREFIX):
        return service.WATCH_KIND_EVENTS
    return _KINDS.get(event_type)


def _response(kind: service.WatchKind.ValueType, event: CloudEvent, record: Record) -> service.WatchResponse:
    if kind == service.WATCH_KIND_RESULTS:
        result = result_pb2.CommandResult.FromString(record.value)
        return service.WatchResponse(type=event.type, result=result)
    if kind == service.WATCH_KIND_COMPLETIONS:
        completion = result_pb2.CommandCompletion.FromString(record.value)
        return service.WatchResponse(type=event.type, completion=completion)
    return service.WatchResponse(type=event.type, event=_call_event(event, record))


def _call_event(event: CloudEvent, record: Record) -> view_pb2.CallEvent:
    return view_pb2.CallEvent(
        event_id=event.id,
        event_type=event.type.removeprefix(_EVENT_PREFIX),
        account=event.source.rpartition("/")[2],
        call_control_id=event.subject,
        occur_time=timestamp(_occurred(event.time)),
        command_id=event.extensions.get("commandid", ""),
        late=event.extensions.get("late") == "true",
        payload=record.value,
        headers={name: header(record.headers, name) for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER)},
    )


def _occurred(time: str) -> int | None:
    try:
        return parse_rfc3339(time)
    except ValueError:
        return None  # Telnyx named none, or none that can be read: the payload has what there is.
