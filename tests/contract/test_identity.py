"""A command keeps its identity however it comes, and no two commands share one."""

from __future__ import annotations

import uuid

import pytest

from cordboard import v1
from cordboard.identity import FINGERPRINT_BYTES, fingerprint, page_key, telnyx_command_id
from tests.contract.samples import CALL, OTHER_CALL, SAMPLES, STATE, UUID


def speak(payload: str = "Hi", **fields: object) -> v1.Command:
    action = v1.Speak(payload=payload, voice="male")
    return v1.Command(**{"command_id": UUID, "call_control_id": CALL, "speak": action, **fields})


@pytest.mark.parametrize("command_id", [UUID, UUID.upper(), "00000000-0000-0000-0000-000000000000"])
def test_a_uuid_is_sent_as_it_is(command_id: str) -> None:
    """
    Who looks for its own id at Telnyx finds it.
    """
    assert telnyx_command_id("main", command_id) == command_id


@pytest.mark.parametrize("command_id", ["order-7", "891510acf3e411e8af5bde00688a4901", f"urn:uuid:{UUID}", f"{UUID}~"])
def test_another_id_becomes_a_uuid(command_id: str) -> None:
    """
    One that is always the same for account and id, and another for another account or id.
    """
    made = telnyx_command_id("main", command_id)

    assert uuid.UUID(made).version == 5
    assert made == telnyx_command_id("main", command_id)
    assert made not in (telnyx_command_id("other", command_id), telnyx_command_id("main", command_id + "x"))


def test_the_made_ids_never_change() -> None:
    """
    A release that made other ids would let commands that are in flight happen twice.
    """
    assert telnyx_command_id("main", "order-7") == "7be356e5-96c3-530b-be4d-6f2dad146216"


def test_a_fingerprint_never_changes() -> None:
    """
    A release that took other fingerprints would refuse what comes again after it, as COMMAND_ID_REUSED.
    """
    assert (
        fingerprint(speak(client_state=STATE, extra={"b": 1, "a": [2.5, None]}), "main").hex()
        == "93f0f6c9a6b0d4eb4152e33c8ee78b94"
    )


@pytest.mark.parametrize(
    "other",
    [
        speak("Ho"),
        speak(call_control_id=OTHER_CALL),
        speak(client_state=STATE),
        speak(extra={"loop": 1}),
        speak(speak=v1.Speak(payload="Hi", voice="male", language="")),
        v1.Command(
            command_id=UUID, call_control_id=CALL, custom=v1.Custom(name="say", body={"payload": "Hi", "voice": "male"})
        ),
    ],
)
def test_another_content_has_another_fingerprint(other: v1.Command) -> None:
    """
    Action, call, and every field that goes to Telnyx count, also one that is set to nothing.
    """
    assert fingerprint(other, "main") != fingerprint(speak(), "main")


@pytest.mark.parametrize(
    "same",
    [
        speak(command_id="another"),
        speak(expire_time={"seconds": 1}),
        speak(placement=v1.PLACEMENT_NOW, sequence=7, start_after=v1.START_AFTER_PREVIOUS_COMPLETED),
        speak(source="crm", group="sale", sensitive=True, account="main", completion_timeout={"seconds": 1}),
    ],
)
def test_the_same_content_has_the_same_fingerprint(same: v1.Command) -> None:
    """
    What is not the content does not count: a retry may carry a later expiry.
    """
    assert fingerprint(same, "main") == fingerprint(speak(), "main")


def test_accounts_have_fingerprints_of_their_own() -> None:
    """
    The same words to another account are another command.
    """
    assert fingerprint(speak(), "main") != fingerprint(speak(), "other")


def test_all_samples_differ() -> None:
    """
    No two of all the samples, empty ones included, are taken for each other.
    """
    assert len({fingerprint(sample.command(), "main") for sample in SAMPLES}) == len(SAMPLES)
    assert {len(fingerprint(sample.command(), "main")) for sample in SAMPLES} == {FINGERPRINT_BYTES}


def test_a_command_belongs_to_its_calls_page() -> None:
    """
    A dial, which has no call yet, has a page of its own by account and id.
    """
    assert page_key(speak(), "main") == CALL
    assert page_key(v1.Command(command_id="order-7", dial=v1.Dial()), "main") == "dial:main/order-7"
