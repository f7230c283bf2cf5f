"""Each field that Telnyx has added since 2023: taken, sent in its place, and refused by name where it is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cordboard import v1
from cordboard.body import wire_name
from cordboard.request import build
from cordboard.validation import INNER_ITEMS_MAX, ITEMS_MAX, violations
from tests.contract.newer import FIELDS, NOTHING, WITH, Newer, smallest, with_fields
from tests.contract.reference import reference
from tests.contract.samples import UUID, Sample

EACH = [pytest.param(action, field, id=f"{action}-{field.name}") for action in FIELDS for field in FIELDS[action]]
WRONG = [one for one in EACH if one.values[1].wrong is not NOTHING]


def command(action: str, **fields: Any) -> v1.Command:
    needed = {name: value for name, value in WITH.get(action, {}).items() if name not in fields}
    if action in {"answer", "bridge", "transfer"} and any(name.startswith("record_") for name in fields):
        needed["record"] = "record-from-answer"
    return Sample(action, with_fields(action, **needed, **fields)).command()


@pytest.mark.parametrize(("action", "field"), EACH)
def test_a_newer_field_is_taken_and_stands_in_the_body(action: str, field: Newer) -> None:
    """
    Under Telnyx's name for it, number for number, and beside nothing that was not set.
    """
    made = command(action, **{field.name: field.value})
    without = command(action, **({"record_format": "wav"} if field.name.startswith("record_") else {}))
    body, before = json.loads(build(made, UUID).body), json.loads(build(without, UUID).body)

    assert violations(made, 0) == []
    name = field.wire or field.name
    assert json.dumps(body.pop(name), sort_keys=True) == json.dumps(field.json, sort_keys=True)
    assert set(body) | {name, "record_format"} == set(before) | {name, "record_format"}


@pytest.mark.parametrize(("action", "field"), WRONG)
def test_a_wrong_value_of_a_newer_field_is_refused_by_name(action: str, field: Newer) -> None:
    """
    The sentence says where, what was wrong, and what would be right.
    """
    (found,) = violations(command(action, **{field.name: field.wrong}), 0)

    assert found.field == f"{action}.{field.name}{field.at}"
    assert found.description.startswith(found.field)
    assert field.says in found.description


@pytest.mark.parametrize(("action", "field"), WRONG)
def test_no_secret_is_repeated(action: str, field: Newer) -> None:
    """
    What is wrong with a token, digits or a text is said without them.
    """
    if field.name in {"stream_auth_token", "send_digits_on_answer", "reason", "diversion", "assistant"}:
        (found,) = violations(command(action, **{field.name: field.wrong}), 0)
        assert str(field.wrong) not in found.description


def test_too_many_items_inside_a_field_are_refused_unseen() -> None:
    """
    Each wrong number would be a violation of its own; a list of addresses is gone through one by one.
    """
    many = {str(n): v1.WebhookRetriesPolicy(retries_ms=[-1] * 5) for n in range(ITEMS_MAX)}
    long = {"a": {"list_value": {"values": [{"string_value": ""}] * (INNER_ITEMS_MAX + 1)}}}
    deep = {"a": {"struct_value": {"x": [None] * INNER_ITEMS_MAX}}}

    for field, value, items in [
        ("webhook_retries_policies", many, ITEMS_MAX * 5),
        ("webhook_urls", long, INNER_ITEMS_MAX + 1),
        ("webhook_urls", deep, INNER_ITEMS_MAX + 1),
    ]:
        (found,) = violations(command("answer", **{field: value}), 0)
        assert found.description == (
            f"answer.{field} must have at most 1024 items in the lists inside of it, but has {items}"
        )


def test_the_page_names_every_newer_field() -> None:
    """
    docs/telnyx-2026.md has a row for each action, and in it each of its fields.
    """
    page = (Path(__file__).parents[2] / "docs" / "telnyx-2026.md").read_text()
    rows = re.findall(r"^\| ([a-z_, ]+) \| (.*`.*) \|$", page, flags=re.MULTILINE)
    named = {action: set(re.findall(r"`(\w+)`", text)) for actions, text in rows for action in actions.split(", ")}

    for action, fields in FIELDS.items():
        assert {field.name for field in fields} - {"answering_machine_detection_config"} <= named[action], action


def test_both_places_of_what_moved_are_taken() -> None:
    """
    language and interim_results as until 2023, in the engine's settings as since, and in both.
    """
    old = {"language": "de", "interim_results": True}
    new = {"transcription_engine": "Telnyx", "transcription_engine_config": {"language": "de"}}

    for fields in (old, new, {**old, **new}):
        made = command("transcription_start", **fields)
        assert violations(made, 0) == []
        assert json.loads(build(made, UUID).body) == {**fields, "command_id": UUID}


# Telnyx's list of what is newer, where it lies beside the repository -------------------------------------------------

REFERENCE = reference()


@pytest.mark.skipif(not REFERENCE, reason="the reference is not beside this repository")
@pytest.mark.parametrize("action", REFERENCE)
def test_every_newer_field_has_a_type(action: str) -> None:
    """
    What Telnyx's document of 2026 adds to an action is in the contract, and in the table above.
    """
    added = set(REFERENCE[action]["current_spec"]["added_fields"])
    tried = {field.wire or field.name for field in FIELDS.get(action, [])}

    assert added - {"recording_id"} <= {wire_name(field) for field in smallest(action).DESCRIPTOR.fields}
    assert added <= tried


@pytest.mark.skipif(not REFERENCE, reason="the reference is not beside this repository")
def test_the_list_of_what_is_newer_is_covered() -> None:
    """
    Each field named in the list of differences is a field of its action, the two that only the client has included.
    """
    page = (Path(__file__).parents[3] / "shared" / "telnyx" / "newer_fields.md").read_text()
    changes = page.partition("## New fields and changes")[2]
    for section in changes.split("\n### ")[1:]:
        head, *lines = section.splitlines()
        action = "dial" if "(calls)" in head else head[head.index("(") + 1 : -1]
        named = {line.split("`")[1] for line in lines if line.startswith("| `")}
        assert named <= {wire_name(field) for field in smallest(action).DESCRIPTOR.fields}, action
