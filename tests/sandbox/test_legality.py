"""Which command a call takes in which state, and with which code it refuses: all twenty-eight in all four."""

import pytest

from sandbox.core.bodies import SCHEMAS
from sandbox.core.call import State
from sandbox.core.problems import Refused
from tests.sandbox.test_bodies import VALID

ENDED, NOT_ANSWERED, NO_MEDIA = "422 90018", "422 90034", "422 90020"
OWN = "422 99901"  # Telnyx documents no code for it.
ACTIONS = sorted(set(SCHEMAS) - {"dial"})
# What is needed beside an answered call for the command to be taken.
FIRST = {
    "fork_stop": ("fork_start", VALID["fork_start"]),
    "record_pause": ("record_start", VALID["record_start"]),
    "record_resume": ("record_start", VALID["record_start"]),
}


def call_in(story, state):
    if state is State.PARKED:
        return story.incoming()
    call = story.dial("+13125559905")
    if state is not State.RINGING:
        story.exchange.far_answer(call)
    if state is State.ENDED:
        story.exchange.far_end(call)
    return call


def other_leg(story):
    story.told()
    call = story.dial("+13125559905")
    story.exchange.far_answer(call)
    return call


def verdict(story, call, action):
    """The status and code with which a command is refused, or None."""
    body = dict(VALID[action])
    if action == "bridge":
        body["call_control_id"] = other_leg(story).id
    try:
        story.do(call, action, **body)
    except Refused as refused:
        return f"{refused.status} {refused.problems[0].code}"
    return None


@pytest.mark.parametrize("action", ACTIONS)
def test_an_answered_call_takes_all_but_reject(story, action):
    """
    Given what the command is about.
    """
    call = call_in(story, State.ANSWERED)
    if action in FIRST:
        first, body = FIRST[action]
        story.do(call, first, **body)

    assert verdict(story, call, action) == (OWN if action == "reject" else None)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_ended_call_takes_nothing(story, action):
    """
    90018, whatever it is.
    """
    assert verdict(story, call_in(story, State.ENDED), action) == ENDED


@pytest.mark.parametrize("action", ACTIONS)
def test_an_incoming_call_must_be_answered_first(story, action):
    """
    90034, but for what decides about it and for its state.
    """
    special = dict.fromkeys(("answer", "reject", "hangup", "client_state_update")) | {"record_start": NO_MEDIA}

    assert verdict(story, call_in(story, State.PARKED), action) == special.get(action, NOT_ANSWERED)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_call_that_rings_can_only_be_hung_up_or_referred(story, action):
    """
    90034 for everything else, but for a recording, and for a reject, which is for incoming calls.
    """
    special = {"hangup": None, "client_state_update": None, "refer": None, "reject": OWN, "record_start": NO_MEDIA}

    assert verdict(story, call_in(story, State.RINGING), action) == special.get(action, NOT_ANSWERED)
