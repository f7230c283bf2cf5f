"""Values of the contract's enumerations by name. One that a newer version has added is shown by its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def name_of(name: Callable[[Any], str], number: int, prefix: str) -> str:
    """The name of a value without its prefix; `name` is the enumeration's own `Name`."""
    try:
        return name(number).removeprefix(prefix)
    except ValueError:
        return str(number)
