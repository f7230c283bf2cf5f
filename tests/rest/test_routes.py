"""Verbs and paths: those of Telnyx's document, and what is none of them."""

from __future__ import annotations

import re

import pytest

from cordboard.catalogue import CATALOGUE
from dispatcher.rest.routes import Route, WrongMethod, has_dots, route_of, spelt
from tests.contract.samples import CALL

ACTIONS = [action for action in CATALOGUE.values() if action.name not in {"custom", "dial"}]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_its_route(action):
    """
    By the verb and path that the contract gives it, and by no other verb.
    """
    path = f"/calls/{CALL}/actions/{action.name}"

    assert route_of(action.method, path) == Route(action.name, CALL)
    with pytest.raises(WrongMethod) as caught:
        route_of("GET", path)
    assert caught.value.allow == action.method


def test_a_dial_has_no_call():
    """
    It makes one.
    """
    assert route_of("POST", "/calls") == Route("dial", "")
    with pytest.raises(WrongMethod):
        route_of("DELETE", "/calls")


@pytest.mark.parametrize(("segment", "call"), [("v2:T02llQ==", "v2:T02llQ=="), ("a%2Fb", "a/b"), ("a%20b", "a b")])
def test_a_call_is_decoded_once(segment: str, call: str):
    """
    A slash in a name is not one of the path.
    """
    assert route_of("POST", f"/calls/{segment}/actions/hangup") == Route("hangup", call)


def test_what_telnyx_has_added_since_is_custom():
    """
    Its verb is POST; what it may have otherwise is not known here.
    """
    assert route_of("POST", "/calls/c/actions/siprec_start") == Route("custom", "c", "siprec_start")
    assert route_of("GET", "/calls/c/actions/siprec_start") is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/calls/c"),
        ("POST", "/calls/c/actions"),
        ("POST", "/calls/c/actions/"),
        ("POST", "/calls/c/actions/Speak"),
        ("POST", "/calls/c/actions/speak/more"),
        ("POST", "/calls//actions/speak"),
        ("POST", "/calls/"),
        ("POST", "/conferences"),
        ("GET", "/"),
    ],
)
def test_what_is_no_command(method: str, path: str):
    """
    All that goes on to Telnyx as it is.
    """
    assert route_of(method, path) is None


def test_there_are_twenty_eight():
    """
    As many as Telnyx's document has, and the one for what is not in it.
    """
    assert len(ACTIONS) + 1 == 28
    assert all(re.fullmatch("/calls(/{call_control_id}/actions/[a-z_]+)?", one.path) for one in ACTIONS)


@pytest.mark.parametrize(
    "path", ["/./calls", "/x/../calls", "/../v2/calls", "/%2e%2E/v2/calls", "/calls/x/./actions/hangup"]
)
def test_segments_that_lead_elsewhere_are_seen(path: str) -> None:
    """
    However they are spelt: on the way to Telnyx somebody would follow them.
    """
    assert has_dots(path)
    assert not has_dots("/calls/v3:a.b..c/actions/speak")


@pytest.mark.parametrize("path", ["/%63alls", "//calls", "/calls/", "/calls//"])
def test_a_dial_that_is_spelt_otherwise_is_known_for_one(path: str) -> None:
    """
    So that it is refused, and not passed on as what it is not.
    """
    assert route_of("POST", path) is None
    assert route_of("POST", spelt(path)) == Route("dial", "")
