"""The contract says of each of the 28 actions what Telnyx's documents say, field by field.

The reference lies beside the repository, not in it; where it is missing these tests are skipped. What the contract says
differently on purpose stands in the tables below, and nowhere else.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import protovalidate
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from cordboard.body import wire_name, wire_options
from cordboard.catalogue import CATALOGUE
from tests.contract.reference import reference
from tests.contract.samples import MINIMAL, SAMPLES

REFERENCE = reference()
if not REFERENCE:
    pytest.skip("the reference is not beside this repository", allow_module_level=True)

OF_THE_COMMAND = {"client_state", "command_id"}  # Fields of Command, alike for all actions.
FREE = {"voice", "language"}  # Lists that Telnyx has opened since: any word is taken.
OPTIONAL_NOW = {"language"}  # Required in the document, optional today.
EITHER_OR = {("bridge", "call_control_id")}  # Required by the schema, excluded by the prose: one of three is.
WIDER = {"timeout_secs": {"maximum": 600}}  # Limits that Telnyx has raised since.
# Newer than the document of 2026; the vendor's own client has them (test_sdk holds the contract against it).
NEWEST = {"hangup": {"reason"}, "dial": {"diversion", "route_to_mobile"}, "transfer": {"diversion", "route_to_mobile"}}
SCALARS = {
    ("string", None): FieldDescriptor.TYPE_STRING,
    ("boolean", None): FieldDescriptor.TYPE_BOOL,
    ("integer", "int32"): FieldDescriptor.TYPE_INT32,
    ("integer", None): FieldDescriptor.TYPE_INT64,
    ("number", "double"): FieldDescriptor.TYPE_DOUBLE,
}


def smallest(action: str) -> Message:
    message = next(sample.action for sample in MINIMAL if sample.name == action)
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def fields_named(message: Message, name: str) -> list[FieldDescriptor]:
    return [field for field in message.DESCRIPTOR.fields if wire_name(field) == name]


def documented(properties: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A field or property with the limits of schema and prose together, widened where Telnyx has."""
    for name, said in properties.items():
        merged = {**said, **said.get("doc_constraints", {})}
        if "maximum" in merged and merged["maximum"] < WIDER.get(name, {}).get("maximum", 0):
            merged |= WIDER[name]
        yield name, merged


CASES = [
    pytest.param(action, name, said, id=f"{action}.{name}")
    for action, operation in REFERENCE.items()
    for name, said in documented({field["name"]: field for field in operation["fields"]})
    if name not in OF_THE_COMMAND
]


def refused(message: Message, name: str) -> bool:
    """Whether the contract refuses the message for the value of this field itself."""
    found = [v.proto for v in protovalidate.collect_violations(message)]
    return any(v.field and wire(message, v.field.elements[0].field_name) == name for v in found)


def refused_as_a_whole(message: Message) -> bool:
    return any(not v.proto.field for v in protovalidate.collect_violations(message))


def wire(message: Message, name: str) -> str:
    return wire_name(message.DESCRIPTOR.fields_by_name[name])


def taken(message: Message, name: str, value: Any) -> bool:
    setattr(message, fields_named(message, name)[0].name, value)
    return not refused(message, name)


def check_type(said: dict[str, Any], fields: list[FieldDescriptor]) -> None:
    if "one_of" in said:  # One form for each: a field with the wire's name, and one more that is sent under it too.
        assert len(fields) == len(said["one_of"])
        for form in said["one_of"]:
            assert any(fits(form, field) for field in fields)
    else:
        assert [fits(said, field) for field in fields] == [True]


def fits(said: dict[str, Any], field: FieldDescriptor) -> bool:
    if said["type"] == "array":
        return field.is_repeated and fits(said["items"], field) if "type" in said["items"] else field.is_repeated
    if said["type"] == "object":
        return field.type == FieldDescriptor.TYPE_MESSAGE
    text_format = said.get("format") if said["type"] in ("integer", "number") else None
    return field.type == SCALARS[said["type"], text_format]


def check_limits(message: Message, name: str, said: dict[str, Any]) -> None:
    """Just inside each limit is taken, just outside refused."""
    for value, right in edges(said, free=name in FREE):
        assert right == taken(message, name, value), f"{name}={value!r}"
    if "encoding" in said:
        assert taken(message, name, "SUQzAwA=")
        assert not taken(message, name, "SUQzAwA")


def edges(said: dict[str, Any], *, free: bool) -> Iterator[tuple[Any, bool]]:
    """Values at the limits, and whether each is right."""
    for limit, tries in LIMITS.items():
        if limit in said:
            yield from tries(said[limit])
    for form, tries_of_form in FORMATS.items():
        if form in str(said.get("format")):
            yield from tries_of_form
    if "enum" in said:
        yield from ((value, True) for value in said["enum"])
        yield ("something else", free)


LIMITS: dict[str, Callable[[Any], list[tuple[Any, bool]]]] = {
    "minimum": lambda least: [(least, True), (least - 1, False)],
    "exclusive_minimum": lambda bound: [(bound + 0.001, True), (bound, False)],
    "maximum": lambda most: [(most, True), (most + 1, False)],
    "max_length": lambda most: [("x" * most, True), ("x" * (most + 1), False)],
    "pattern": lambda _: [("A", True), ("\u00e9", False)],
}
FORMATS = {
    "uuid": [("891510ac-f3e4-11e8-af5b-de00688a4901", True), ("891510ac", False)],
    "E.164": [("+18005550101", True), ("18005550101", False)],
    "SIP URI": [("sip:a@b.example", True), ("a@b.example", False)],
    "udp:": [("udp:192.0.2.1:9000", True), ("192.0.2.1:9000", False)],
}


def test_the_28_actions_are_there() -> None:
    """
    The contract has the document's actions, all of them, and besides them only the way out.
    """
    assert set(REFERENCE) | {"custom"} == set(CATALOGUE)
    assert len(REFERENCE) == 28


@pytest.mark.parametrize("action", REFERENCE)
def test_an_action_is_the_documents(action: str) -> None:
    """
    Verb, path, the fields with those added until 2026, and whether Telnyx takes a command_id are the document's.
    """
    operation, ours = REFERENCE[action], CATALOGUE[action]
    names = {field["name"] for field in operation["fields"]}

    assert (operation["http"]["verb"], operation["http"]["path"]) == (ours.method, ours.path)
    newer = set(operation["current_spec"]["added_fields"]) | NEWEST.get(action, set())
    assert (names | newer) - OF_THE_COMMAND == {wire_name(field) for field in smallest(action).DESCRIPTOR.fields}
    assert ("command_id" in names) == ours.takes_command_id


@pytest.mark.parametrize("action", REFERENCE)
def test_an_action_is_completed_by_events_that_it_causes(action: str) -> None:
    """
    Neither a completion nor anything else waits for an event that the document does not connect with the action.
    """
    known = {hook["event_type"] for hook in REFERENCE[action]["expected_webhooks"]}
    known |= set(REFERENCE[action]["webhooks_only_in_spec_callbacks"])
    if action == "record_start":  # What it started may fail to be saved, which the document says of record_stop alone.
        known |= set(REFERENCE["record_stop"]["webhooks_only_in_spec_callbacks"])
    completion = CATALOGUE[action].completion

    assert completion.events | completion.failed_by_new_leg | completion.progress_of_new_leg <= known
    assert completion.at_acceptance != bool(completion.completed_by)


@pytest.mark.parametrize(("action", "name", "said"), CASES)
def test_a_field_is_the_documents(action: str, name: str, said: dict[str, Any]) -> None:
    """
    Type, whether it is required, default and limits of each field are the document's.
    """
    message = smallest(action)
    fields = fields_named(message, name)

    check_type(said, fields)
    required = said["required"] and name not in OPTIONAL_NOW and (action, name) not in EITHER_OR
    for field in fields:
        message.ClearField(field.name)
        assert json.dumps(said.get("default")) == (wire_options(field).default_json or "null")
    missing = refused(message, name) or ("one_of" in said and refused_as_a_whole(message))
    assert required == missing
    if "one_of" not in said:
        check_limits(message, name, said)


@pytest.mark.parametrize(("action", "name", "said"), [case for case in CASES if "properties" in str(case.values[2])])
def test_the_fields_of_a_nested_object_are_the_documents(action: str, name: str, said: dict[str, Any]) -> None:
    """
    Types, defaults and limits inside objects and lists of objects are the document's.
    """
    outer = said.get("items", said)
    field = fields_named(smallest(action), name)[0]
    inner: Message = field.message_type._concrete_class()

    assert set(outer["properties"]) <= {wire_name(one) for one in inner.DESCRIPTOR.fields}
    for part, rules in documented(outer["properties"]):
        one = inner.DESCRIPTOR.fields_by_name[part]
        assert fits(rules, one)
        assert json.dumps(rules.get("default")) == (wire_options(one).default_json or "null")
        assert (part in outer["required_properties"]) == refused(type(inner)(), part)
        check_limits(type(inner)(), part, rules)


# Either-or rules ------------------------------------------------------------------------------------------------------

RULES = [
    pytest.param(action, rule, id=f"{action}-{rule['kind']}-{number}")
    for action, operation in REFERENCE.items()
    for number, rule in enumerate(operation["rules"])
]
# Rules in prose, each tried by hand in test_validation.py; those that nobody can check before sending; and those that
# the reference itself calls unconfirmed.
BY_HAND = {"speak", "gather_using_speak", "playback_start"}
BEYOND_US = {"state", "advice", "inferred"}


def holding(action: str, names: tuple[str, ...]) -> Message:
    """The action with these fields set, to values that some sample has, and with no other field that can be absent."""
    message = smallest(action)
    for name in {wire_name(field) for field, _ in message.ListFields()} & EXCLUSIVE.get(action, set()):
        for field in fields_named(message, name):
            message.ClearField(field.name)
    for name in names:
        for sample in (sample for sample in SAMPLES if sample.name == action):
            found = [(field, value) for field, value in sample.action.ListFields() if wire_name(field) == name]
            for field, value in found:
                setattr(message, field.name, value)
    return message


EXCLUSIVE = {
    "bridge": {"call_control_id", "queue", "video_room_id"},
    "fork_start": {"target", "rx", "tx"},
    "streaming_start": {"stream_url", "enable_dialogflow"},
}


@pytest.mark.parametrize(("action", "rule"), RULES)
def test_an_either_or_rule_is_the_documents(action: str, rule: dict[str, Any]) -> None:
    """
    What excludes, needs or replaces each other does so in the contract, whatever pair is tried.
    """
    if rule["kind"] in BEYOND_US or (rule["kind"] == "requires_when" and action in BY_HAND):
        return
    right, wrong = combinations(rule)
    for names in right:
        assert not refused_as_a_whole(holding(action, names)), names
    for names in wrong:
        message = holding(action, names)
        missing = any(refused(message, name) for name in rule.get("fields", []))
        assert missing or refused_as_a_whole(message), names


def combinations(rule: dict[str, Any]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Sets of fields that a rule allows, and sets that it forbids."""
    fields = tuple(rule.get("fields", ()))
    pairs = list(itertools.combinations(fields, 2))
    each: list[tuple[str, ...]] = [(name,) for name in fields]
    match rule["kind"]:
        case "exactly_one_of":
            return each, [(), *pairs]
        case "at_most_one_of":
            return [(), *each], pairs
        case "only_with":
            return [(*rule["needs"], name) for name in fields], each
        case "requires":
            return [(*rule["needs"], rule["field"])], [(rule["field"],)]
        case "one_of_groups":
            return [tuple(group) for group in rule["groups"]], [()]
        case "requires_when":
            return [(*rule["when"], *rule["needs"])], [tuple(rule["when"]), (*rule["when"], rule["needs"][0])]
        case "required":
            return [], []  # Tried with the field itself.
    raise AssertionError(f"a rule of a new kind: {rule}")
