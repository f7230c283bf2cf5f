"""What a call's page knows of its story, for when nothing was recorded, or not yet. Pure.

A page forgets what has ended: of that 32 bytes are left, and no name. What waits, is under way or is open it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cordboard.v1 import timeline_pb2
from dispatcher.core.commands import Ask
from dispatcher.core.page import Flight, Held, Page
from dispatcher.rpc.timeline import Told


def known_to(page: Page) -> Iterator[Told]:
    """The lines that a page can tell."""
    if page.opened_ms:
        yield Told(page.opened_ms, timeline_pb2.TIMELINE_KIND_CALL, action="first seen")
    for place, held in enumerate([*page.line, *page.early], 1):
        yield _accepted(held.ask)
        yield _waiting(held, place)
    for flight in page.flights:
        yield from _of_flight(flight)
    for one in page.open:
        yield Told(one.accept_ms, timeline_pb2.TIMELINE_KIND_ACCEPTED, one.command_id, one.action, source=one.source)
        if one.sent_ms:
            sent = timeline_pb2.TIMELINE_KIND_SENT
            yield Told(one.sent_ms, sent, one.command_id, one.action, attempt=1, detail="it was, or may have been")
    if page.ended_ms:
        yield Told(page.ended_ms, timeline_pb2.TIMELINE_KIND_CALL, action="ended", detail=page.hangup_cause)


def _accepted(ask: Ask) -> Told:
    kind = timeline_pb2.TIMELINE_KIND_ACCEPTED
    return Told(ask.accept_ms, kind, ask.command_id, ask.action, source=ask.source)


def _waiting(held: Held, place: int) -> Told:
    why = [f"it waits in place {place}"]
    why += [f"until {held.gate} is complete"] * bool(held.gate)
    why += [f"for the number before {held.ask.sequence}"] * bool(held.wait_until_ms)
    why += [f"for {held.ask.requires} to succeed"] * bool(held.ask.requires)
    kind = timeline_pb2.TIMELINE_KIND_HELD
    return Told(held.ask.accept_ms, kind, held.ask.command_id, held.ask.action, detail=", ".join(why))


def _of_flight(flight: Flight) -> Iterator[Told]:
    ask, released = flight.ask, timeline_pb2.TIMELINE_KIND_RELEASED
    yield _accepted(ask)
    yield Told(flight.first_ms, released, ask.command_id, ask.action, attempt=1)
    if flight.attempt > 1:
        yield Told(flight.released_ms, released, ask.command_id, ask.action, attempt=flight.attempt)
    for one in flight.outcomes:
        told = Told(one.sent_ms, timeline_pb2.TIMELINE_KIND_SENT, ask.command_id, ask.action, attempt=one.attempt)
        if one.sent_ms:
            yield told
        if one.finished_ms:
            answered = timeline_pb2.TIMELINE_KIND_ANSWERED
            yield replace(told, at_ms=one.finished_ms, kind=answered, state=one.verdict.value, reason=one.cause)
