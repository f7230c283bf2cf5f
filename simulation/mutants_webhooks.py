"""Planted bugs of what becomes of webhooks on their way through: taken, and handed on as they came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import orjson

from cordboard.log.port import NewRecord
from cordboard.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER
from dispatcher.ingress.answers import Refused, Result
from dispatcher.ingress.signature import Verifier
from dispatcher.rendering import Renderer
from simulation.mutation import Change, Mutation, mutation

Method = Callable[..., Any]


def _put_in_order(original: Method) -> Method:
    def hand_on(*given: Any) -> NewRecord:
        record: NewRecord = original(*given)
        tidied = orjson.dumps(orjson.loads(record.value or b""), option=orjson.OPT_SORT_KEYS)
        return replace(record, value=tidied)

    return hand_on


def _without(name: str) -> Callable[[Method], Method]:
    def change(original: Method) -> Method:
        def hand_on(*given: Any) -> NewRecord:
            record: NewRecord = original(*given)
            return replace(record, headers=tuple(one for one in record.headers if one[0] != name))

        return hand_on

    return change


def _a_second_is_old(original: Method) -> Method:
    def check_time(verifier: Verifier, timestamp: str, now_ms: int) -> None:
        original(verifier, timestamp, now_ms)
        if now_ms - int(timestamp) * 1000 > 1_000:
            raise Refused(Result.STALE)

    return check_time


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "tidied-bodies", "an event is handed on with its body written anew", Change(Renderer, "_hand_on", _put_in_order)
    ),
    mutation(
        "unsigned-events",
        "an event is handed on without its signature",
        Change(Renderer, "_hand_on", _without(SIGNATURE_HEADER)),
    ),
    mutation(
        "undated-events",
        "an event is handed on without the time of its signature",
        Change(Renderer, "_hand_on", _without(TIMESTAMP_HEADER)),
    ),
    mutation(
        "nameless-events",
        "an event is handed on without the call that it is of",
        Change(Renderer, "_hand_on", _without("ce_subject")),
    ),
    mutation(
        "a-second-is-old",
        "a signature that is a second old is refused",
        Change(Verifier, "check_time", _a_second_is_old),
    ),
)
