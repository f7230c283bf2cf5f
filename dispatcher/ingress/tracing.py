"""The ingress's spans: a webhook from its verification until it is kept, and the record that carries it on.

They are a trace of their own, since Telnyx begins none. What the webhook completes is told in its command's trace, with
a link to this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from cordboard.cloudevents import trace_of
from cordboard.tracing import conventions as names
from cordboard.tracing.port import Kind, Tracer
from cordboard.webhook import Webhook
from dispatcher.ingress.answers import ANSWERS, Refused, Result
from dispatcher.ingress.records import Delivery

_ROUTE: Final = "/webhooks/telnyx/{account}"


@dataclass(slots=True)
class Arrival:
    """What became of a webhook: nothing good, unless it is said."""

    result: Result = Result.BROKEN


@contextmanager
def arriving(tracer: Tracer, webhook: Webhook, delivery: Delivery, topic: str) -> Iterator[tuple[Delivery, Arrival]]:
    """Give the delivery as it is traced from here on, and where to say what became of it."""
    attributes = {names.HTTP_METHOD: "POST", names.HTTP_ROUTE: _ROUTE, names.ACCOUNT: delivery.account}
    about = {names.EVENT: webhook.event_type, names.CALL: webhook.call_control_id}
    parent = trace_of(delivery.traceparent)
    whole = tracer.begin(f"POST {_ROUTE}", Kind.SERVER, parent, attributes | about)
    said = names.sending(topic, **{names.MESSAGE_ID: webhook.id})
    sent = tracer.begin(names.send(topic), Kind.PRODUCER, whole.traceparent, said)
    arrival = Arrival()
    try:
        yield replace(delivery, traceparent=sent.traceparent), arrival
    except Refused as refused:
        arrival.result = refused.result
        raise
    finally:
        status = ANSWERS[arrival.result].status
        error = "" if status < 400 else arrival.result.value
        sent.end(error=error)
        whole.end({names.HTTP_STATUS: status}, error=error)
