"""Checks of one value each, in Telnyx's codes; a body's schema is put together from them in `bodies`.

A check gets a value that is there and not null, and the pointer to it, and returns the problem or None.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any

from sandbox.core.problems import Problem, invalid_number, malformed, missing, not_in_enum, out_of_range

Check = Callable[[Any, str], Problem | None]

_E164 = re.compile(r"^\+[1-9]\d{1,14}$")
_SIP = re.compile(r"^sips?:[^@\s]+@\S+$")
_BMP_MAX = 0xFFFF
_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


def text(max_length: int | None = None, pattern: str | None = None, *, minimum: int = 0) -> Check:
    """A string, perhaps no longer than so many characters, perhaps no shorter, perhaps of a form."""
    compiled = re.compile(pattern) if pattern else None

    def check(value: Any, pointer: str) -> Problem | None:
        if not isinstance(value, str):
            return malformed(pointer, "The value must be a string.")
        if max_length is not None and len(value) > max_length:
            return out_of_range(pointer, f"The value must have at most {max_length} characters.")
        if len(value) < minimum:
            return out_of_range(pointer, f"The value must have at least {minimum} characters.")
        if compiled and not compiled.match(value):
            return malformed(pointer, f"The value does not match {compiled.pattern}.")
        return None

    return check


def choice(*values: str) -> Check:
    """One of a list."""

    def check(value: Any, pointer: str) -> Problem | None:
        return None if value in values else not_in_enum(pointer, values)

    return check


def one_of(*values: int) -> Check:
    """One of a list of integers."""
    words = tuple(str(value) for value in values)

    def check(value: Any, pointer: str) -> Problem | None:
        return whole()(value, pointer) or (None if value in values else not_in_enum(pointer, words))

    return check


def whole(minimum: int | None = None, maximum: int | None = None) -> Check:
    """An integer within limits."""
    return _number(int, "an integer", minimum, maximum)


def number(minimum: float | None = None, maximum: float | None = None) -> Check:
    """A number within limits."""
    return _number(int | float, "a number", minimum, maximum)


def above(minimum: float) -> Check:
    """A number greater than a limit."""
    within = number(minimum)

    def check(value: Any, pointer: str) -> Problem | None:
        exactly = out_of_range(pointer, f"The value must be greater than {minimum}.")
        return within(value, pointer) or (exactly if value == minimum else None)

    return check


def _number(kinds: type[int] | UnionType, said: str, minimum: float | None, maximum: float | None) -> Check:
    def check(value: Any, pointer: str) -> Problem | None:
        if not isinstance(value, kinds) or isinstance(value, bool):
            return malformed(pointer, f"The value must be {said}.")
        if minimum is not None and value < minimum:
            return out_of_range(pointer, f"The value must be at least {minimum}.")
        if maximum is not None and value > maximum:
            return out_of_range(pointer, f"The value must be at most {maximum}.")
        return None

    return check


def flag(value: Any, pointer: str) -> Problem | None:
    """True or false."""
    return None if isinstance(value, bool) else malformed(pointer, "The value must be a boolean.")


def base64_text(value: Any, pointer: str) -> Problem | None:
    """A string in Base64."""
    if isinstance(value, str):
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
        else:
            return None
    return malformed(pointer, "The value must be a valid Base64 string.")


def uuid_text(value: Any, pointer: str) -> Problem | None:
    """A UUID."""
    fits = isinstance(value, str) and _UUID.match(value)
    return None if fits else malformed(pointer, "The value must be a UUID.")


def phone(value: Any, pointer: str) -> Problem | None:
    """A number in +E.164, or a SIP URI."""
    fits = isinstance(value, str) and (_E164.match(value) or _SIP.match(value))
    return None if fits else invalid_number(pointer)


def sip_uri(value: Any, pointer: str) -> Problem | None:
    """A SIP URI."""
    fits = isinstance(value, str) and _SIP.match(value)
    return None if fits else malformed(pointer, "The value must be a SIP URI.")


def header_text(value: Any, pointer: str) -> Problem | None:
    """What a quoted SIP header can hold."""
    if not isinstance(value, str):
        return malformed(pointer, "The value must be a string.")
    odd = [char for char in value if char in '"\\' or ord(char) > _BMP_MAX or unicodedata.category(char) == "Cc"]
    return out_of_range(pointer, "The value must not hold quotes, backslashes or control characters.") if odd else None


def record(checks: Mapping[str, Check], *required: str) -> Check:
    """An object whose known members are checked."""

    def check(value: Any, pointer: str) -> Problem | None:
        if not isinstance(value, dict):
            return malformed(pointer, "The value must be an object.")
        problems = members(value, required, checks, pointer)
        return problems[0] if problems else None

    return check


def array(item: Check) -> Check:
    """A list of values that each pass a check."""

    def check(value: Any, pointer: str) -> Problem | None:
        if not isinstance(value, list):
            return malformed(pointer, "The value must be an array.")
        return next((p for n, entry in enumerate(value) if (p := item(entry, f"{pointer}/{n}"))), None)

    return check


def mapping(item: Check) -> Check:
    """An object whose members, whatever their names, each pass a check."""

    def check(value: Any, pointer: str) -> Problem | None:
        if not isinstance(value, dict):
            return malformed(pointer, "The value must be an object.")
        return next((p for name, entry in value.items() if (p := item(entry, f"{pointer}/{name}"))), None)

    return check


def delays(most: int, sum_max: int) -> Check:
    """A list of so many whole numbers at most, with a sum of so much at most."""
    entries = array(whole(0))

    def check(value: Any, pointer: str) -> Problem | None:
        if problem := entries(value, pointer):
            return problem
        if len(value) > most or sum(value) > sum_max:
            return out_of_range(pointer, f"There may be at most {most} values, with a sum of {sum_max} at most.")
        return None

    return check


def one_or_many(item: Check) -> Check:
    """A value, or a list of at least one."""
    many = array(item)

    def check(value: Any, pointer: str) -> Problem | None:
        if isinstance(value, list):
            return many(value, pointer) if value else missing(pointer)
        return item(value, pointer)

    return check


def members(
    value: Mapping[str, Any], required: tuple[str, ...], checks: Mapping[str, Check], pointer: str = ""
) -> list[Problem]:
    """Every problem of an object: what is missing, then what is wrong. Unknown members are nobody's business."""
    problems = [missing(f"{pointer}/{name}") for name in required if value.get(name) is None]
    for name, member in value.items():
        check = checks.get(name)
        if check is not None and member is not None and (problem := check(member, f"{pointer}/{name}")):
            problems.append(problem)
    return problems
