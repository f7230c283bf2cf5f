"""Records of every kind, as dispatchers, workers and ingresses write them."""

from __future__ import annotations

from typing import Any

import orjson

from cordboard.cloudevents import CloudEvent, to_headers
from cordboard.log.port import NewRecord, Record
from cordboard.v1 import CancelRequest, Command
from cordboard.work import Lane, Outcome, Repeat, TelnyxError, Verdict, Work, encode
from dispatcher.core.decision import CancelAnswer, Completed, HandOn, Output, Result
from dispatcher.core.inputs import Heard
from dispatcher.core.page import Leg
from dispatcher.core.words import Completion, Reason, State
from dispatcher.reading import CANCEL_TYPE
from dispatcher.rendering import Renderer
from tests.recorder.world import ACCOUNTS, TOPICS
from tests.rpc.door import webhook

NUMBER, ANOTHER = "+15550100001", "+15550100002"
T0 = 1_800_000_000_000


def command(command_id: str, call: str = "A", payload: str = "hello", **options: Any) -> NewRecord:
    made = Command(command_id=command_id, call_control_id=call, account="main", source="ivr", **options)
    made.speak.payload, made.speak.voice = payload, "female"
    return NewRecord(TOPICS.commands, call.encode(), made.SerializeToString())


def dial(command_id: str, **options: Any) -> NewRecord:
    made = Command(command_id=command_id, source="campaign", **options)
    made.dial.to, made.dial.from_number, made.dial.connection_id = NUMBER, ANOTHER, "c"
    made.dial.sip_auth_password = "open-sesame"
    return NewRecord(TOPICS.commands, f"dial:main/{command_id}".encode(), made.SerializeToString())


def release(command_id: str, call: str = "A", action: str = "speak", attempt: int = 1) -> NewRecord:
    work = Work(
        key=call,
        command_id=command_id,
        attempt=attempt,
        account="main",
        action=action,
        lane=Lane.ACTION,
        repeat=Repeat.WINDOW,
        method="POST",
        path="/calls/A/actions/speak",
        body=b'{"payload":"hello"}',
        released_ms=T0,
        not_after_ms=T0 + 50_000,
        expire_ms=T0 + 30_000,
    )
    return NewRecord(TOPICS.work("main", Lane.ACTION), call.encode(), encode(work))


def outcome(command_id: str, call: str = "A", verdict: Verdict = Verdict.DONE, **facts: Any) -> NewRecord:
    told: dict[str, Any] = {"http_status": 200, "tries": 1, "sent_ms": T0 + 5, "finished_ms": T0 + 9, **facts}
    made = Outcome(key=call, command_id=command_id, verdict=verdict, **{"attempt": 1, **told})
    return NewRecord(TOPICS.outcomes, call.encode(), encode(made))


def refused(command_id: str, call: str = "A") -> NewRecord:
    error = TelnyxError("10015", "Bad", f"the number {NUMBER} is none", "/to")
    return outcome(command_id, call, Verdict.REFUSED, http_status=422, errors=(error,), message=f"{NUMBER} is none")


def result(command_id: str, call: str = "A", **facts: Any) -> NewRecord:
    told: dict[str, Any] = {
        "kind": "result",
        "page": call,
        "call": call,
        "action": "speak",
        "state": State.SUCCEEDED,
        "reason": Reason.NONE,
        "message": "",
        **facts,
    }
    return rendered(
        Result(command_id=command_id, account="main", accept_ms=T0, finish_ms=T0 + 10, source="ivr", **told)
    )


def dialled(command_id: str, call: str) -> NewRecord:
    leg = Leg(call=call, leg=f"leg-{call}", session="s")
    return result(command_id, call, page=f"dial:main/{command_id}", action="dial", legs=(leg,))


def failed_dial(command_id: str) -> NewRecord:
    page = f"dial:main/{command_id}"
    return result(command_id, "", page=page, action="dial", state=State.FAILED, reason=Reason.TELNYX_REFUSED)


def completion(command_id: str, call: str = "A") -> NewRecord:
    return rendered(
        Completed(
            command_id=command_id,
            page=call,
            call=call,
            account="main",
            action="speak",
            state=Completion.COMPLETED,
            reason=Reason.NONE,
            event_id="e-1",
            event_type="call.speak.ended",
            finish_ms=T0 + 20,
        )
    )


def event(event_type: str, call: str = "A", command_id: str = "", **payload: Any) -> NewRecord:
    came = webhook(event_type, call, **payload)
    body = orjson.loads(came.value)
    source = Record(TOPICS.webhooks, 0, 0, T0, came.key, orjson.dumps(body), came.headers)
    heard = Heard(account="main", event_id=f"{event_type}/{call}", event_type=event_type, occurred_ms=T0, call=call)
    return rendered(HandOn(heard=heard, command_id=command_id, late=False), source)


def cancel(call: str = "A") -> NewRecord:
    wanted = CancelRequest(cancel_id="x", account="main", call_control_id=call, command_ids=["c-1"], source="desk")
    headers = to_headers(CloudEvent(id="x", source="/s", type=CANCEL_TYPE))
    return NewRecord(TOPICS.commands, call.encode(), wanted.SerializeToString(), headers)


def cancelled(call: str = "A") -> NewRecord:
    told: dict[str, Any] = {"cancelled": ("c-1",), "too_late": (), "unknown": ()}
    return rendered(CancelAnswer(request_id="x", page=call, account="main", **told))


def rendered(output: Output, source: Record | None = None) -> NewRecord:
    return Renderer(TOPICS, ACCOUNTS).render(output, source)


def a_call(call: str, dial_id: str) -> list[NewRecord]:
    """A call from dial to hangup, with one command."""
    page = f"dial:main/{dial_id}"
    return [
        dial(dial_id),
        release(dial_id, page, "dial"),
        outcome(dial_id, page),
        dialled(dial_id, call),
        event("call.initiated", call, **{"from": ANOTHER, "to": NUMBER, "direction": "outgoing"}),
        event("call.answered", call, dial_id),
        command(f"{call}-1", call),
        release(f"{call}-1", call),
        outcome(f"{call}-1", call),
        result(f"{call}-1", call),
        event("call.speak.ended", call, f"{call}-1"),
        completion(f"{call}-1", call),
        event("call.hangup", call, hangup_cause="normal_clearing"),
    ]
