"""Faults on demand: rules that say to which requests and webhooks what is done.

The first rule that fits applies, and only that one. `skip` lets so many fitting ones pass first, `times` ends the rule
after so many, `probability` is drawn from the rule's own seed, so the same requests meet the same faults again.
"""

from __future__ import annotations

import fnmatch
import random
from typing import Any, Final, Literal

import msgspec

_GIANT_BYTES: Final = 8 * 1024 * 1024


class Match(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a rule fits: everything that is set must agree. `action` and `event_type` may hold `*`."""

    action: str | None = None
    method: str | None = None
    command_id: str | None = None
    call: str | None = None
    event_type: str | None = None  # Webhooks only.


class RateLimit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A 429 as Telnyx sends it; `reset` in seconds. Code 90103 is the limit on dials."""

    limit: int = 100
    remaining: int = 0
    reset: float = 1
    code: str = "10011"

    def headers(self) -> dict[str, str]:
        """The three headers."""
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(self.remaining),
            "x-ratelimit-reset": f"{self.reset:g}",
        }


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When a rule applies."""

    name: str = ""
    match: Match = msgspec.field(default_factory=Match)
    skip: int = 0
    times: int | None = None
    probability: float = 1.0
    seed: int = 0


class RequestFault(Rule, kw_only=True, forbid_unknown_fields=True, tag_field="on", tag="request"):
    """What is done to a request. Without any of these it only counts.

    `cut`: the connection is closed without an answer, `before` or `after` the effect. `status`, with `error` as its
    body (else Telnyx's 10007) and `headers`: answered instead; the command happens only if `happens`.
    `rate_limit`: a 429. `answer`: the command happens, and its answer is spoiled.
    `before_answer`: the command's webhooks are delivered first.
    """

    latency_ms: float = 0  # Before the effect.
    answer_latency_ms: float = 0  # After the effect, while its webhooks are on their way.
    cut: Literal["before", "after"] | None = None
    status: int | None = None
    error: Any = None
    headers: dict[str, str] = {}
    rate_limit: RateLimit | None = None
    answer: Literal["truncated", "html", "empty", "giant"] | None = None
    giant_bytes: int = _GIANT_BYTES
    happens: bool | None = None
    before_answer: bool = False

    @property
    def lets_happen(self) -> bool:
        """Whether the command takes effect."""
        if self.cut:
            return self.cut == "after"
        if self.happens is not None:
            return self.happens
        return self.status is None and self.rate_limit is None

    @property
    def label(self) -> str:
        """What the truth calls it."""
        said = [self.name, f"cut {self.cut}" if self.cut else "", str(self.status or ""), self.answer or ""]
        said.append("429" if self.rate_limit else "")
        return " ".join(part for part in said if part) or "delay"


class WebhookFault(Rule, kw_only=True, forbid_unknown_fields=True, tag_field="on", tag="webhook"):
    """What is done to a webhook. It no longer keeps its place: others of its call may pass it.

    `duplicate`: so many more copies. `shuffle_ms`: each one is delayed by a random time up to this. `bad_signature`:
    signed by somebody else.
    """

    delay_ms: float = 0
    shuffle_ms: float = 0
    duplicate: int = 0
    drop: bool = False
    bad_signature: bool = False

    @property
    def label(self) -> str:
        """What the truth calls it."""
        said = [
            self.name,
            "dropped" if self.drop else "",
            "delayed" if self.delay_ms or self.shuffle_ms else "",
            "duplicated" if self.duplicate else "",
            "bad signature" if self.bad_signature else "",
        ]
        return " ".join(part for part in said if part) or "none"


class _Armed:
    """A rule in force, and how often it has applied."""

    def __init__(self, rule: RequestFault | WebhookFault) -> None:
        self.rule = rule
        self.passed = 0
        self.applied = 0
        self._rng = random.Random(rule.seed)  # noqa: S311 - faults, not secrets.

    def draw(self) -> bool:
        """Whether a fitting request or webhook is struck; counts."""
        rule = self.rule
        if rule.times is not None and self.applied >= rule.times:
            return False
        if self.passed < rule.skip:
            self.passed += 1
            return False
        if rule.probability < 1.0 and self._rng.random() >= rule.probability:
            return False
        self.applied += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._requests: list[_Armed] = []
        self._webhooks: list[_Armed] = []
        self._all: list[_Armed] = []

    def set(self, rules: list[Any]) -> None:
        """Put rules in the place of all others. Raises ValueError for what is not a rule."""
        named = [{"on": "request", **rule} if isinstance(rule, dict) else rule for rule in rules]
        self._all = [_Armed(rule) for rule in msgspec.convert(named, list[RequestFault | WebhookFault])]
        self._requests = [armed for armed in self._all if isinstance(armed.rule, RequestFault)]
        self._webhooks = [armed for armed in self._all if isinstance(armed.rule, WebhookFault)]

    def as_json(self) -> list[Any]:
        """The rules, and how often each has applied."""
        return [{**msgspec.to_builtins(armed.rule), "applied": armed.applied} for armed in self._all]

    def for_request(self, method: str, action: str, call: str | None, command_id: str | None) -> RequestFault | None:
        """What strikes this request, if anything."""
        for armed in self._requests:
            rule, match = armed.rule, armed.rule.match
            fits = (
                (match.action is None or fnmatch.fnmatchcase(action, match.action))
                and match.method in {None, method}
                and match.call in {None, call}
                and match.command_id in {None, command_id}
            )
            if fits and isinstance(rule, RequestFault) and armed.draw():
                return rule
        return None

    def for_webhook(self, event_type: str, call: str) -> WebhookFault | None:
        """What strikes this webhook, if anything."""
        for armed in self._webhooks:
            rule, match = armed.rule, armed.rule.match
            fits = match.call in {None, call} and fnmatch.fnmatchcase(event_type, match.event_type or "*")
            if fits and isinstance(rule, WebhookFault) and armed.draw():
                return rule
        return None
