"""Lists that are longer than any that is looked at, item by item."""

from __future__ import annotations

import pytest

from cordboard.v1 import Command, CustomHeader, Dial
from cordboard.validation import ITEMS_MAX, violations


def dial(items: int) -> Command:
    headers = [CustomHeader(name=f"X-{number}", value="v") for number in range(items)]
    made = Dial(to="+18005550100", from_number="+18005550101", connection_id="7267", custom_headers=headers)
    return Command(command_id="a", dial=made)


def test_a_list_that_is_too_long_is_refused_as_a_whole() -> None:
    """
    Tens of thousands fit into a command, each wrong in several ways: to say so would take seconds of everybody's time.
    """
    [found] = violations(dial(ITEMS_MAX + 1), 0)

    assert found.field == "dial.custom_headers"
    assert found.description == "dial.custom_headers must have at most 256 items, but has 257"


@pytest.mark.parametrize("items", [0, 1, ITEMS_MAX])
def test_others_are_looked_through(items: int) -> None:
    """
    As many as are allowed are taken.
    """
    assert violations(dial(items), 0) == []
