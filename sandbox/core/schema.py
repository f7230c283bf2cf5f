"""What a command's body must and may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sandbox.core.checks import Check, base64_text, members, text
from sandbox.core.problems import Refused
from sandbox.core.rules import Body, Rule

COMMON: Final[Mapping[str, Check]] = {"client_state": base64_text, "command_id": text()}


@dataclass(frozen=True, slots=True)
class Schema:
    """What a body must and may hold. Fields that are not named are accepted as they are."""

    required: tuple[str, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def check(self, body: Body) -> None:
        """Raise Refused with every problem of a body."""
        problems = members(body, self.required, self.checks)
        problems += [problem for rule in self.rules if (problem := rule(body))]
        if problems:
            raise Refused(*problems)


def schema(
    *required: str, rules: tuple[Rule, ...] = (), shared: tuple[Mapping[str, Check], ...] = (), **checks: Check
) -> Schema:
    """The fields of one command, with those that it shares with others, and those of all."""
    together = dict(COMMON)
    for part in (*shared, checks):
        together.update(part)
    return Schema(required, together, rules)
