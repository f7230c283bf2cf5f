"""The core's words are the contract's, and each reason has its sentence."""

from __future__ import annotations

from cordboard.v1 import CompletionState as CompletionOption
from cordboard.v1 import Placement as PlacementOption
from cordboard.v1 import Reason as ReasonOption
from cordboard.v1 import State as StateOption
from dispatcher.core.words import SENTENCES, Completion, Placement, Reason, State


def names(option: object, prefix: str) -> set[str]:
    """The names of an enum of the contract, without their prefix and its zero."""
    return {name.removeprefix(prefix) for name in option.keys()} - {"UNSPECIFIED"}  # noqa: SIM118 - not a mapping


def test_states_are_the_contracts():
    """
    Every state can be told, and no other.
    """
    assert {state.value for state in State} == names(StateOption, "STATE_")


def test_completions_are_the_contracts():
    """
    Every completion can be told, and no other.
    """
    assert {state.value for state in Completion} == names(CompletionOption, "COMPLETION_STATE_")


def test_placements_are_the_contracts():
    """
    Every placement can be asked for, and no other.
    """
    assert {placement.value for placement in Placement} == names(PlacementOption, "PLACEMENT_")


def test_reasons_are_among_the_contracts():
    """
    Every reason can be told; NONE stands for the unspecified one.
    """
    assert {reason.value for reason in Reason} - {"NONE"} <= names(ReasonOption, "REASON_")


def test_every_reason_has_a_sentence():
    """
    People are told in words; only where all is well there are none.
    """
    assert set(SENTENCES) == set(Reason)
    assert [reason for reason, sentence in SENTENCES.items() if not sentence] == [Reason.NONE]
    assert all(sentence.endswith(".") for sentence in SENTENCES.values() if sentence)
