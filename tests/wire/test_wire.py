"""A typed command, sent by the workers' client, arrives at the sandbox's hand-written routes as what was meant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

import pytest

from cordboard import v1
from cordboard.catalogue import CATALOGUE
from cordboard.request import Request
from tests.contract.newer import NEWER
from tests.contract.samples import CALL, FULL, MINIMAL, OTHER_CALL, STATE, UUID, Sample
from workers.core.outcome import Answer, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Wire(Protocol):
    async def send(self, command: v1.Command) -> tuple[Request, Reply]: ...
    async def parked(self, call: str) -> None: ...
    async def answered(self, call: str) -> None: ...
    async def ringing(self, call: str) -> None: ...
    async def supervising(self, call: str, other: str) -> None: ...
    async def conversation(self, call: str) -> str: ...
    async def ended(self, call: str) -> None: ...
    async def prepare(self, call: str, steps: list[tuple[str, dict[str, Any]]]) -> None: ...
    async def latest(self) -> dict[str, Any]: ...


Steps = list[tuple[str, dict[str, Any]]]

# What has to have happened on an answered call for an action to find something to do.
BEFORE: Final[Mapping[str, Steps]] = {
    "fork_stop": [("fork_start", {"target": "udp:192.0.2.1:9000"})],
    "leave_queue": [("enqueue", {"queue_name": "support"})],
    "playback_start": [("playback_start", {"media_name": "heard-60s"})],  # An overlay needs one.
    "record_pause": [("record_start", {"format": "wav", "channels": "dual"})],
    "record_resume": [("record_start", {"format": "wav", "channels": "dual"}), ("record_pause", {})],
    "record_stop": [("record_start", {"format": "wav", "channels": "dual"})],
    "streaming_stop": [("streaming_start", {"stream_url": "wss://a.example"})],
    "transcription_stop": [("transcription_start", {})],
}
# What the contract takes and a state, or a rule that no document confirms, refuses all the same; the code says which.
REFUSED: Final[Mapping[tuple[str, str], str]] = {
    ("enqueue", "max_size"): "90036",  # A queue of size 0 is full.
    ("playback_start", ""): "10004",  # Nothing to play: no field is required, but the sandbox insists on some source.
}
UNANSWERED: Final = ("answer", "reject")  # They are for a call that still waits.


def named(samples: list[Sample]) -> dict[str, Any]:
    return {"argvalues": samples, "ids": [sample.name for sample in samples]}


def exactly(value: object) -> str:
    """JSON in which 1, 1.0, true and "1" differ, and the order of fields does not."""
    return json.dumps(value, sort_keys=True)


def code_of(reply: Reply) -> str | None:
    """The code of an answer's first error; None where it has none."""
    assert isinstance(reply, Answer), reply
    errors = json.loads(reply.body).get("errors")
    return errors[0]["code"] if errors else None


def refusal_of(sample: Sample) -> str | None:
    if not sample.body:
        return REFUSED.get((sample.name, ""))
    return next((code for (name, field), code in REFUSED.items() if name == sample.name and field in sample.body), None)


async def fit(wire: Wire, sample: Sample) -> None:
    """Calls in the state for which an action is meant."""
    if sample.name == "dial":
        return
    if sample.name in UNANSWERED:
        await wire.parked(CALL)
        return
    await wire.answered(OTHER_CALL)
    await wire.answered(CALL)
    await wire.prepare(CALL, BEFORE.get(sample.name, []))
    if "queue" in sample.body:
        await wire.prepare(OTHER_CALL, [("enqueue", {"queue_name": sample.body["queue"]})])


async def check_arrival(wire: Wire, sample: Sample, command: v1.Command) -> None:
    """Verb, path and body arrive as the samples have them by hand, and the answer comes back."""
    _, reply = await wire.send(command)
    arrived = await wire.latest()

    ours = {"client_state": command.client_state} if command.client_state else {}
    ours |= {} if sample.name == "client_state_update" else {"command_id": UUID}
    dial = sample.name == "dial"
    code = refusal_of(sample)
    assert arrived["action"] == sample.name
    assert arrived["method"] == ("PUT" if sample.name == "client_state_update" else "POST")
    assert arrived["path"] == ("/calls" if dial else f"/calls/{CALL}/actions/{sample.name}")
    assert dial or arrived["call_control_id"] == CALL
    assert exactly(arrived["body"]) == exactly({**sample.body, **ours})
    assert (arrived["happened"], arrived["refused"]) == (code is None, code)
    assert isinstance(reply, Answer)
    assert (reply.status, code_of(reply)) == (200 if code is None else 422, code)


@pytest.mark.parametrize("sample", **named([*FULL, *NEWER]))
async def test_all_fields_arrive(wire: Wire, sample: Sample) -> None:
    """
    With every field set, and the command's own beside them, Telnyx's documented request arrives and is taken.
    """
    await fit(wire, sample)

    await check_arrival(wire, sample, sample.command(client_state=STATE))


@pytest.mark.parametrize("sample", **named(MINIMAL))
async def test_required_fields_alone_arrive(wire: Wire, sample: Sample) -> None:
    """
    With no more than is required, nothing else arrives: no default is filled in on the way.
    """
    await fit(wire, sample)

    await check_arrival(wire, sample, sample.command())


async def test_no_action_is_left_out() -> None:
    """
    All 28 have a sample with required fields only, and every one that may have more has one with all of them.
    """
    actions = set(CATALOGUE) - {"custom"}
    with_fields = {name for name in actions if getattr(v1.Command(), name).DESCRIPTOR.fields}

    assert len(actions) == 28
    assert {sample.name for sample in MINIMAL} == actions
    assert with_fields == {sample.name for sample in [*FULL, *NEWER]}


async def test_a_custom_action_arrives_under_its_name(wire: Wire) -> None:
    """
    What has no type yet is sent by name, with a body of its own: nested, null, 0, false and "" as they are.
    """
    await wire.answered(CALL)
    body = {"direction": "both", "deep": {"list": [1, None, 2.5]}, "zero": 0, "no": False, "empty": "", "none": None}
    custom = v1.Custom(name="suppression_start", body=body)

    _, reply = await wire.send(v1.Command(command_id=UUID, call_control_id=CALL, custom=custom))

    arrived = await wire.latest()
    assert (arrived["method"], arrived["path"]) == ("POST", f"/calls/{CALL}/actions/suppression_start")
    assert exactly(arrived["body"]) == exactly({**body, "command_id": UUID})
    assert code_of(reply) is None


async def test_a_custom_action_that_telnyx_has_not(wire: Wire) -> None:
    """
    It is answered as any unknown URL: 404, with Telnyx's code.
    """
    await wire.answered(CALL)

    _, reply = await wire.send(v1.Command(command_id=UUID, call_control_id=CALL, custom=v1.Custom(name="fly")))

    assert isinstance(reply, Answer)
    assert (reply.status, code_of(reply)) == (404, "10005")


async def test_extra_fields_join_the_body(wire: Wire) -> None:
    """
    Fields that Telnyx has added to a typed action arrive beside those that have a type.
    """
    await wire.answered(CALL)
    speak = v1.Speak(payload="Hi", voice="male")

    _, reply = await wire.send(
        v1.Command(
            command_id=UUID, call_control_id=CALL, speak=speak, extra={"loop": 2, "voice_settings": {"a": False}}
        )
    )

    expected = {"payload": "Hi", "voice": "male", "loop": 2, "voice_settings": {"a": False}, "command_id": UUID}
    assert exactly((await wire.latest())["body"]) == exactly(expected)
    assert code_of(reply) is None


@pytest.mark.parametrize(
    ("call", "segment"),
    [
        ("v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg", None),
        ("v2:T02llQxyAqkhfRKxNg5up0H==", "v2:T02llQxyAqkhfRKxNg5up0H=="),
        ("v2:T02/llQ+x==", "v2:T02%2FllQ+x=="),
        ("../../calls", "..%2F..%2Fcalls"),
        ("a?b#c", "a%3Fb%23c"),
        ("100%2F", "100%252F"),
        ("zwei wörter", "zwei%20w%C3%B6rter"),
    ],
)
async def test_a_call_id_arrives_as_it_is(wire: Wire, call: str, segment: str | None) -> None:
    """
    One segment of the path, whatever is in it: what a path cannot hold is percent-encoded, once, and so decoded again.
    """
    await wire.parked(call)

    _, reply = await wire.send(v1.Command(command_id=UUID, call_control_id=call, hangup=v1.Hangup()))

    arrived = await wire.latest()
    assert (arrived["call_control_id"], arrived["path"]) == (call, f"/calls/{segment or call}/actions/hangup")
    assert code_of(reply) is None


async def test_an_id_that_is_no_uuid_reaches_telnyx_as_one(wire: Wire) -> None:
    """
    Telnyx knows the command by a UUID that is always the same one, and ignores the second.
    """
    await wire.answered(CALL)
    command = v1.Command(command_id="greeting:1", call_control_id=CALL, hangup=v1.Hangup())

    await wire.send(command)
    first = await wire.latest()
    _, reply = await wire.send(command)
    second = await wire.latest()

    assert len(first["command_id"]) == 36
    assert first["command_id"] == second["command_id"]
    assert (second["happened"], second["ignored_as_repeat"]) == (False, True)
    assert code_of(reply) is None


async def codes(wire: Wire) -> dict[str, str | None]:
    """What a call in its present state answers to each action."""
    samples = {sample.name: sample for sample in MINIMAL if sample.name != "dial"}
    samples["playback_start"] = Sample("playback_start", v1.PlaybackStart(media_name="hold"))
    last = samples.pop("hangup")
    commands = [sample.command(command_id=sample.name) for sample in [*samples.values(), last]]
    return {command.command_id: code_of((await wire.send(command))[1]) for command in commands}


async def test_a_call_that_is_over_takes_nothing(wire: Wire) -> None:
    """
    After its end every action is answered 90018, which the workers read as the call's end.
    """
    await wire.ended(CALL)

    assert set((await codes(wire)).values()) == {"90018"}


async def test_a_call_that_never_was_takes_nothing(wire: Wire) -> None:
    """
    An id that no call has is answered 90015.
    """
    assert set((await codes(wire)).values()) == {"90015"}


async def test_a_call_that_rings_takes_little(wire: Wire) -> None:
    """
    Before the other end has answered, all but hangup, the state, refer, a recording and a misplaced reject are
    answered 90034.
    """
    await wire.ringing(CALL)

    answers = await codes(wire)

    assert {name: code for name, code in answers.items() if code != "90034"} == {
        "reject": "99901",  # The sandbox's own: no document has a code for it.
        "client_state_update": None,
        "hangup": None,
        "record_start": "90020",
        "refer": None,
    }
