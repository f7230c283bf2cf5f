"""What one page tells another, as a record on the webhooks topic: a dial its new call, a call its dial, its aliases."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from dispatcher.core.decision import Tell
from dispatcher.core.inputs import Announced, Heard, Input, Joined, Made, Opened, Permit
from dispatcher.core.page import Joining, Leg

TOLD_TYPE: Final = "cordboard.page.told.v1"


class _Told(msgspec.Struct, frozen=True, array_like=True):
    page: str
    account: str
    sender: str
    leg: Leg | None
    heard: Heard | None
    given_up: bool = False
    traceparent: str = ""
    joining: Joining | None = None
    maker: str = ""
    permit: Permit | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Told)


def write(tell: Tell) -> bytes:
    """The record's value."""
    return _encoder.encode(
        _Told(
            tell.page,
            tell.account,
            tell.sender,
            tell.leg,
            tell.heard,
            tell.given_up,
            tell.traceparent,
            tell.joining,
            tell.maker,
            tell.permit,
        )
    )


def read(value: bytes) -> tuple[str, Input]:
    """The key of the page that is told, and what. Raises msgspec.MsgspecError when the value is nothing of the kind."""
    told = _decoder.decode(value)
    if told.permit is not None:
        return told.page, replace(told.permit, account=told.account, sender=told.sender)
    if told.heard is not None:
        return told.page, told.heard
    if told.leg is not None:
        return told.page, Opened(told.account, told.sender, told.leg, told.given_up, told.traceparent)
    if told.joining is not None:
        return told.page, Joined(told.joining)
    if told.maker:
        return told.page, Made(told.maker)
    if any(msgspec.msgpack.decode(value)[len(_Told.__struct_fields__) :]):
        raise msgspec.ValidationError("a newer version tells something that this one does not know")
    return told.page, Announced(told.account, told.sender)
