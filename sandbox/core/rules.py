"""Rules between the fields of one body: what excludes, needs or replaces what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.core.problems import Problem, malformed, missing, not_in_enum

Body = dict[str, Any]
Rule = Callable[[Body], Problem | None]


def _there(body: Body, name: str) -> bool:
    value = body.get(name)
    return value is not None and value is not False and value != ""


def at_most_one(*names: str) -> Rule:
    """No two of these fields."""

    def rule(body: Body) -> Problem | None:
        given = [name for name in names if _there(body, name)]
        return malformed(f"/{given[1]}", f"Only one of {', '.join(names)} is allowed.") if len(given) > 1 else None

    return rule


def one_group(*groups: tuple[str, ...]) -> Rule:
    """All fields of some group must be there; the first group's missing field is pointed at."""

    def rule(body: Body) -> Problem | None:
        if any(all(_there(body, name) for name in group) for group in groups):
            return None
        begun = next((group for group in groups if any(_there(body, name) for name in group)), groups[0])
        return missing("/" + next(name for name in begun if not _there(body, name)))

    return rule


def only_with(field_name: str, needed: str) -> Rule:
    """The first field makes sense only beside the second."""

    def rule(body: Body) -> Problem | None:
        return missing(f"/{needed}") if _there(body, field_name) and not _there(body, needed) else None

    return rule


def basic_service(body: Body) -> Problem | None:
    """The basic voices speak plain American English."""
    if body.get("service_level") != "basic":
        return None
    if body.get("language", "en-US") != "en-US":
        return not_in_enum("/language", ("en-US",))
    return not_in_enum("/payload_type", ("text",)) if body.get("payload_type", "text") != "text" else None


def overlay_is_for_self(body: Body) -> Problem | None:
    """An overlay is heard on the leg itself."""
    other = body.get("overlay") is True and body.get("target_legs", "self") != "self"
    return not_in_enum("/target_legs", ("self",)) if other else None


def decrypted_fork(body: Body) -> Problem | None:
    """A decrypted fork needs both directions."""
    return one_group(("rx", "tx"))(body) if body.get("stream_type") == "decrypted" else None


def digits_in_order(body: Body) -> Problem | None:
    """The least number of digits is no more than the greatest."""
    least, most = body.get("minimum_digits", 1), body.get("maximum_digits", 128)
    wrong = isinstance(least, int) and isinstance(most, int) and least > most
    return malformed("/minimum_digits", "minimum_digits must not exceed maximum_digits.") if wrong else None
