"""Whatever is set, and however, the body holds it as it was set, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cordboard import v1
from cordboard.body import from_struct, is_map, sender_body, typed_names, value_of, wire_name
from cordboard.identity import fingerprint
from cordboard.request import build
from cordboard.validation import violations
from tests.contract.samples import MINIMAL

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x % 1)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(WORDS, JSON, max_size=6)
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: WORDS,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
}
# A slow machine is no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
Twin = tuple[Message, dict[str, Any]]


UNTYPED: dict[str, st.SearchStrategy[Any]] = {
    "google.protobuf.Struct": BODIES.map(lambda plain: (json_format.ParseDict(plain, Struct()), plain)),
    "google.protobuf.Value": JSON.map(lambda plain: (json_format.ParseDict(plain, Value()), plain)),
}


@st.composite
def twins(draw: st.DrawFn, kind: type[Message]) -> Twin:
    """A message with any of its fields set, and a plain dictionary made beside it, not from it."""
    message, twin = kind(), {}
    fields = list(kind.DESCRIPTOR.fields)
    for field in draw(st.lists(st.sampled_from(fields), unique_by=lambda field: field.number)) if fields else []:
        if wire_name(field) in twin:  # Two forms of one field exclude each other.
            continue
        value, plain = draw(values(field))
        put(message, field, value)
        if field.has_presence or plain:
            twin[wire_name(field)] = plain
    return message, twin


def put(message: Message, field: FieldDescriptor, value: Any) -> None:
    if is_map(field):
        for name, one in value.items():
            getattr(message, field.name)[name].CopyFrom(one)
    elif field.is_repeated:
        getattr(message, field.name).extend(value)
    elif field.message_type:
        getattr(message, field.name).CopyFrom(value)
    else:
        setattr(message, field.name, value)


@st.composite
def values(draw: st.DrawFn, field: FieldDescriptor) -> tuple[Any, Any]:
    one = single(value_of(field))
    if is_map(field):
        members = draw(st.dictionaries(WORDS, one, max_size=3))
        return {name: made for name, (made, _) in members.items()}, {
            name: plain for name, (_, plain) in members.items()
        }
    if not field.is_repeated:
        return draw(one)
    pairs = draw(st.lists(one, max_size=3))
    return [value for value, _ in pairs], [plain for _, plain in pairs]


def single(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if not field.message_type:
        return SCALARS[field.type].map(lambda x: (x, x))
    name = field.message_type.full_name
    return UNTYPED[name] if name in UNTYPED else twins(field.message_type._concrete_class)


@st.composite
def commands(draw: st.DrawFn) -> tuple[v1.Command, dict[str, Any]]:
    sample = draw(st.sampled_from(MINIMAL))
    action, twin = draw(twins(type(sample.action)))
    return v1.Command(**{"call_control_id": "a", sample.name: action}), twin


def exactly(value: object) -> str:
    return json.dumps(value, sort_keys=True)


@unhurried
@given(commands())
def test_the_body_is_what_was_set(case: tuple[v1.Command, dict[str, Any]]) -> None:
    """
    Every field that is set is there under its name, ints as ints, and no field that is not.
    """
    command, twin = case

    assert exactly(sender_body(command)) == exactly(twin)
    assert typed_names(command) == set(twin)
    sent = json.loads(build(command, "id").body)
    sent.pop("command_id", None)
    assert exactly(sent) == exactly(twin)


@unhurried
@given(BODIES)
def test_untyped_fields_pass_unchanged(body: dict[str, Any]) -> None:
    """
    What a Struct was given comes out of it again: whole numbers whole, nested values nested, null null.
    """
    custom = v1.Custom(name="x", body=body)

    assert exactly(from_struct(custom.body)) == exactly(body)
    assert exactly(sender_body(v1.Command(custom=custom))) == exactly(body)


@unhurried
@given(BODIES, st.randoms(use_true_random=False))
def test_the_order_of_fields_is_no_content(body: dict[str, Any], random: Any) -> None:
    """
    The same fields in another order are the same command, before and after a journey over the wire.
    """
    shuffled = list(body.items())
    random.shuffle(shuffled)
    command = v1.Command(call_control_id="a", hangup=v1.Hangup(), extra=body)
    again = v1.Command(call_control_id="a", hangup=v1.Hangup(), extra=dict(shuffled))

    assert fingerprint(command, "main") == fingerprint(again, "main")
    assert fingerprint(v1.Command.FromString(again.SerializeToString()), "main") == fingerprint(command, "main")


@unhurried
@given(commands(), commands())
def test_two_contents_have_two_fingerprints(
    one: tuple[v1.Command, dict[str, Any]], other: tuple[v1.Command, dict[str, Any]]
) -> None:
    """
    Fingerprints agree exactly where action and body do.
    """
    same = one[0].WhichOneof("action") == other[0].WhichOneof("action") and exactly(one[1]) == exactly(other[1])

    assert same == (fingerprint(one[0], "main") == fingerprint(other[0], "main"))


@unhurried
@given(commands(), BODIES, WORDS, WORDS)
def test_no_content_upsets_the_rules(
    case: tuple[v1.Command, dict[str, Any]], extra: Any, name: str, state: str
) -> None:
    """
    Whatever comes is judged: an odd command is told what is wrong with it, and never breaks who takes it.
    """
    command, _ = case
    command.command_id, command.client_state = name, state
    command.extra.update(extra)

    assert all(violation.field and violation.description for violation in violations(command, 0))
