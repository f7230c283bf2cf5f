"""Webhooks, as they reach the page of their call: handed on once, learned from, and held against what is open."""

from __future__ import annotations

from dispatcher.core import aliases, completion, dialling, links, transfers
from dispatcher.core.decision import HandOn
from dispatcher.core.ending import end_call
from dispatcher.core.events import event_is_known, note_event
from dispatcher.core.inputs import Heard
from dispatcher.core.page import Life
from dispatcher.core.turn import Turn


def hear(turn: Turn, heard: Heard) -> None:
    """Take a webhook; the same event id is taken once."""
    page = turn.page
    clue = heard.clue
    if page.is_alias:
        aliases.hear(turn, heard)
        return
    if page.is_dial:
        dialling.hear_own(turn, clue)
        return
    if heard.copy:
        transfers.hear(turn, clue)
        return
    if event_is_known(page, heard.event_id):
        return
    note_event(page, heard.event_id)
    turn.changed = True
    late = heard.occurred_ms < page.occurred_ms
    page.occurred_ms = max(page.occurred_ms, heard.occurred_ms)
    _learn(turn, heard)
    command_id = completion.hear(turn, clue) or dialling.dial_of(page, clue) or transfers.maker_of(page, clue)
    turn.say(HandOn(heard=heard, command_id=command_id, late=late))
    if heard.event_type == "call.hangup":
        end_call(turn, clue)
    dialling.report(turn, clue)
    links.note_event(turn, heard)


def _learn(turn: Turn, heard: Heard) -> None:
    page = turn.page
    page.heard_ms = turn.now
    page.account = page.account or heard.account
    page.leg = page.leg or heard.leg
    page.session = page.session or heard.session
    page.direction = page.direction or heard.direction
    page.hangup_cause = page.hangup_cause or heard.hangup_cause
    if heard.event_type == "call.answered" and page.life is not Life.ENDED:
        page.life, page.hold_until_ms = Life.ANSWERED, 0
    elif page.life is Life.UNHEARD or (page.life is Life.STRANGER and heard.event_type == "call.initiated"):
        page.life = Life.ALIVE
