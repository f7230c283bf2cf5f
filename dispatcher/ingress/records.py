"""A verified webhook as records of the log: under its own call, and where it settles a dial, under the dial's page."""

from __future__ import annotations

from dataclasses import dataclass

from cordboard.cloudevents import CloudEvent, to_headers, trace_of
from cordboard.log.port import Headers, NewRecord
from cordboard.webhook import (
    ACCOUNT_HEADER,
    DIAL_COPY_HEADER,
    DIAL_EVENTS,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Webhook,
    dial_key,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One verified request: the body as it came, who it is for, and what travels with it.

    `command_id` is the dial's whose address was used, empty for an ordinary address.
    """

    account: str
    body: bytes
    signature: str
    timestamp: str
    command_id: str = ""
    traceparent: str = ""


def records_of(webhook: Webhook, delivery: Delivery, topic: str) -> list[NewRecord]:
    """The one or two records; both are to become durable together."""
    headers = _headers(webhook, delivery)
    records = [NewRecord(topic, webhook.key.encode(), delivery.body, headers)]
    if delivery.command_id and webhook.event_type in DIAL_EVENTS:
        key = dial_key(delivery.account, delivery.command_id)
        records.append(NewRecord(topic, key.encode(), delivery.body, (*headers, (DIAL_COPY_HEADER, b"1"))))
    return records


def _headers(webhook: Webhook, delivery: Delivery) -> Headers:
    event = CloudEvent(
        id=webhook.id,
        source=f"/telnyx/{delivery.account}",
        type=f"com.telnyx.{webhook.event_type}",
        subject=webhook.call_control_id,
        time=webhook.occurred_at if webhook.occurred_ms else "",
        content_type="application/json",
        traceparent=trace_of(delivery.traceparent),
    )
    ours = (
        (ACCOUNT_HEADER, delivery.account.encode()),
        (SIGNATURE_HEADER, delivery.signature.encode()),
        (TIMESTAMP_HEADER, delivery.timestamp.encode()),
    )
    return to_headers(event, ours)
