"""What operators type: a call's story, calls found and forgotten, dead letters; against a real `cordboard dev`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.processes import Cordboard, Dev, wait_until

NUMBER = "+12025550199"  # Whoever calls in `a_dial`.


def told(cordboard: Cordboard, *words: str) -> list[dict[str, Any]]:
    """What a command says in JSON, line by line."""
    ended = cordboard(*words)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture
def over(dev: Dev, cordboard: Cordboard, dialled: str) -> str:
    """A call that was spoken on and is over, with all that was recorded of it."""
    target = f"--target={dev.target}"
    spoken = ("send", "speak", dialled, "--payload", "Good morning.", "--voice=female", "--wait=completion", target)
    assert cordboard(*spoken).returncode == 0
    assert cordboard("send", "hangup", dialled, "--wait=completion", target).returncode == 0
    wait_until(
        lambda: "call.hangup" in {line.get("action") for line in story(dev, cordboard, dialled)}, "it to be recorded"
    )
    return dialled


def story(dev: Dev, cordboard: Cordboard, call: str) -> list[dict[str, Any]]:
    (page,) = told(cordboard, "call", call, f"--target={dev.target}")
    lines: list[dict[str, Any]] = page["timeline"]
    return lines


def test_a_call_is_told_in_order(dev: Dev, cordboard: Cordboard, over: str) -> None:
    """
    From its dial to its end, for programs and for people.
    """
    lines = [(line["kind"].removeprefix("TIMELINE_KIND_"), line.get("action")) for line in story(dev, cordboard, over)]
    assert lines[0] == ("ACCEPTED", "dial")
    assert [kind for kind, action in lines if action == "speak"] == [
        "ACCEPTED",
        "RELEASED",
        "SENT",
        "ANSWERED",
        "RESULT",
        "COMPLETED",
    ]
    shown = cordboard("call", over, "--output=text", f"--target={dev.target}").stdout
    assert "payload='Good morning.'" in shown
    assert NUMBER not in shown


def test_calls_are_found(dev: Dev, cordboard: Cordboard, over: str) -> None:
    """
    By the number, the outcome and the time; and not by others.
    """
    target = f"--target={dev.target}"

    def found(*words: str) -> set[str]:
        return {call["call_control_id"] for call in told(cordboard, "calls", *words, target)}

    assert over in found("--number", NUMBER, "--outcome=normal_clearing", "--since=1h", "--account=dev")
    assert over not in found("--outcome=busy") | found("--until=1h") | found("--number=+15550000000")
    assert len(found("--count=1")) == 1
    assert over in cordboard("calls", "--output=text", target).stdout


def test_a_forgotten_call_has_no_contents(dev: Dev, cordboard: Cordboard, over: str) -> None:
    """
    That it was, and what came of it, stays.
    """
    (gone,) = told(cordboard, "forget", over, f"--target={dev.target}")
    assert gone["entries"] > 0
    lines = story(dev, cordboard, over)
    assert "Good morning" not in str(lines)
    assert {"ACCEPTED", "RESULT", "COMPLETED"} <= {line["kind"].removeprefix("TIMELINE_KIND_") for line in lines}
    assert cordboard("forget", over, "--output=text", f"--target={dev.target}").stdout.startswith(
        "forgotten: 0 entries"
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("calls", "--since=yesterday"), 2, "--since must be a time with its zone"),
        (("calls", "--until=5x"), 2, "--until must be a duration"),
        (("forget", "v3:nobody"), 1, "CALL_NOT_FOUND"),
        (("dead-letters", "show", "7"), 1, "LETTER_NOT_FOUND"),
        (("dead-letters", "replay", "x"), 2, "letter_id"),
    ],
)
def test_what_cannot_be_says_why(
    dev: Dev, cordboard: Cordboard, words: tuple[str, ...], status: int, said: str
) -> None:
    """
    In a sentence, with the exit status that fits.
    """
    ended = cordboard(*words, f"--target={dev.target}")

    assert ended.returncode == status
    assert said in ended.stderr


def test_where_there_are_no_dead_letters_none_are_listed(dev: Dev, cordboard: Cordboard) -> None:
    """
    Nothing for programs, and for people the head of the table.
    """
    assert told(cordboard, "dead-letters", "list", f"--target={dev.target}") == []
    assert cordboard("dead-letters", "list", "--output=text", f"--target={dev.target}").stdout.startswith("letter")
