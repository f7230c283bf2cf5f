"""What the ingress remembers, within bounds."""

from __future__ import annotations

from dispatcher.ingress.memory import Recent


def test_the_oldest_is_forgotten_first():
    """
    There is room for so many and no more.
    """
    recent = Recent(2)
    for thing in ("a", "b", "a", "c"):
        recent.add(thing)

    assert [thing for thing in ("a", "b", "c") if thing in recent] == ["b", "c"]
