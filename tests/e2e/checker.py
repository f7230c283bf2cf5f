"""The checker: holds what senders were told against what the sandbox saw, and names every promise that was broken.

It knows nothing of how Cordboard works: it is given evidence from outside, and gives back violations. What it allows,
because the promises do: an UNKNOWN command may have happened at any time or not at all; a hangup with placement NOW
passes what is in flight; the same thing may be told again in the same words.

One thing it excuses, because nothing can fence it: a worker that was frozen between its last check and the socket sends
when it has thawed, while the page has long had another worker send the same. So a request that changes nothing any more
(Telnyx knows its command_id; or `client_state_update`, which has none, and says the same once more) may come behind
those of later commands, if it is not its command's first, and came within `LATE_SECONDS_MAX` of a worker's thaw. What
is sent late and changes something is excused by nothing: its result must be UNKNOWN.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

# A result comes at the latest 90 s after the release or the expiry of its command; both are within the default expiry.
RESULT_MS_MAX: Final = 90_000
EXPIRY_MS: Final = 30_000
DIAL_EXPIRY_MS: Final = 60_000

# What a thawed worker had in hand goes out within its budget for all tries of a release.
LATE_SECONDS_MAX: Final = 10.0

_ENDS_CALL: Final = frozenset({"hangup", "reject"})
_WITHOUT_ID: Final = frozenset({"client_state_update"})
_NOT_DONE: Final = frozenset({"FAILED", "REJECTED", "EXPIRED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A command that a client sent. `mark` is the client_state that its request to Telnyx must carry."""

    command_id: str
    call: str  # Empty for a dial.
    action: str
    mark: str
    passes: bool = False  # Placement NOW.
    acknowledged: bool = True  # Else its client gave up without knowing.


@dataclass(frozen=True, slots=True)
class Told:
    """A result as it was watched. `kind` is result, replayed, refused or settled; `content` all of it."""

    kind: str
    command_id: str
    state: str
    reason: str = ""
    accept_ms: int = 0
    finish_ms: int = 0
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known from outside. `effects` and `deliveries` are the sandbox's own records, in their order."""

    sent: Sequence[Sent] = ()  # Of each call in the order in which they were accepted.
    told: Sequence[Told] = ()
    answers: Sequence[Told] = ()  # What Execute answered.
    completions: Sequence[tuple[str, bytes]] = ()  # Command and content.
    events: Sequence[tuple[str, bytes]] = ()  # Those that were handed on: id and content.
    effects: Sequence[Mapping[str, Any]] = ()
    deliveries: Sequence[Mapping[str, Any]] = ()
    redelivers: bool = False  # The log may hand on an event again, in the same words, as it may a result.
    thaws: Sequence[float] = ()  # When workers went on that had been frozen; Unix seconds.
    set_aside: Sequence[str] = ()  # What became dead letters: nothing that was sent here is unreadable.


class Violation(NamedTuple):
    """A broken promise: which one, and what shows it."""

    kind: str
    detail: str
    command_id: str = ""  # Whose story shows more.


@dataclass(slots=True)
class _Case:
    """A command with everything that is known of it."""

    sent: Sent
    result: Told | None = None
    settled: Told | None = None
    refused: bool = False
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.result is not None or self.refused

    @property
    def happened(self) -> int:
        return sum(bool(request["happened"]) for request in self.requests)

    @property
    def may_come_out_of_order(self) -> bool:
        return self.sent.passes or (self.result is not None and self.result.state == "UNKNOWN")

    @property
    def states(self) -> set[str]:
        told = {told.state for told in (self.result, self.settled) if told is not None}
        return told | {"REJECTED"} if self.refused else told  # One copy was turned away, another one let in.

    def broke(self, kind: str, detail: str) -> Violation:
        return Violation(kind, f"{self}{detail}", self.sent.command_id)

    def __str__(self) -> str:
        said = self.result.state if self.result else "no result"
        return f"{self.sent.action} {self.sent.command_id} of call {self.sent.call or '-'} ({said})"


def check(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong; an empty list where every promise was kept."""
    cases = {sent.command_id: _Case(sent) for sent in evidence.sent}
    return [
        *_file_told(cases, evidence.told),
        *_file_requests(cases, evidence.effects),
        *_one_result(cases),
        *_consistent(cases, evidence),
        *_true(cases),
        *_at_most_once(cases),
        *_in_order(cases, evidence.thaws),
        *_completed_once(evidence.completions),
        *_handed_on(evidence),
        *(Violation("set aside", reason) for reason in evidence.set_aside),
    ]


def _file_told(cases: dict[str, _Case], every: Iterable[Told]) -> Iterator[Violation]:
    """Put results to their commands; a second one must be the first one again."""
    for told in every:
        case = cases.get(told.command_id)
        if case is None:
            detail = f"{told.kind} {told.state} for {told.command_id}"
            yield Violation("result of nothing", detail, told.command_id)
        elif told.kind in ("result", "settled"):
            before = case.result if told.kind == "result" else case.settled
            if before is not None and before.content != told.content:
                yield case.broke(f"two {told.kind}s", f": {before.state}, then {told.state}")
            elif told.kind == "result":
                case.result = told
            else:
                case.settled = told
        elif told.kind == "refused" and told.reason != "COMMAND_ID_REUSED":
            case.refused = True


def _file_requests(cases: dict[str, _Case], effects: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    """Put requests to their commands; each must be what its sender meant."""
    by_mark = {case.sent.mark: case for case in cases.values()}
    for effect in effects:
        if effect["action"] == "retrieve" and not effect["happened"]:
            continue  # Cordboard asks for calls by itself, which does nothing.
        named = effect["command_id"] is not None
        case = cases.get(effect["command_id"]) if named else by_mark.get(_mark(effect))
        if case is None:
            yield Violation("nobody asked for it", f"request {effect['n']}: {effect['action']} {effect['command_id']}")
            continue
        case.requests.append(effect)
        sent = case.sent
        if effect["action"] != sent.action or (sent.call and effect["call_control_id"] != sent.call):
            yield case.broke("another request", f": {effect['action']} of {effect['call_control_id']}")
        if _mark(effect) != sent.mark:
            yield case.broke("another content", f": request {effect['n']}")


def _mark(effect: Mapping[str, Any]) -> str:
    body = effect["body"]
    return str(body.get("client_state", "")) if isinstance(body, dict) else ""


def _one_result(cases: Mapping[str, _Case]) -> Iterator[Violation]:
    """Whatever was acknowledged has its result, in time."""
    for case in cases.values():
        if case.sent.acknowledged and not case.ended:
            yield case.broke("lost", f": {case.happened} effects")
        if case.result is None or case.sent.action in _ENDS_CALL:
            continue  # Hangups do not expire; they end with the call.
        expiry_ms = DIAL_EXPIRY_MS if case.sent.action == "dial" else EXPIRY_MS
        took_ms = case.result.finish_ms - case.result.accept_ms
        if took_ms > expiry_ms + RESULT_MS_MAX:
            yield case.broke("late", f": {took_ms / 1000:.0f} s after its acceptance")


def _consistent(cases: Mapping[str, _Case], evidence: Evidence) -> Iterator[Violation]:
    """A command is settled only from UNKNOWN; whoever asks again hears nothing else."""
    for case in cases.values():
        if case.settled is not None and (case.result is None or case.result.state != "UNKNOWN"):
            yield case.broke("settled what was known", f": {case.settled.state}")
    replayed = (told for told in evidence.told if told.kind == "replayed")
    for told in (*replayed, *evidence.answers):
        case = cases.get(told.command_id)
        if case is not None and case.result is not None and told.state not in case.states:
            yield case.broke("told otherwise", f": {told.kind} says {told.state}")


def _true(cases: Mapping[str, _Case]) -> Iterator[Violation]:
    """What was said is so: SUCCEEDED happened, and what will not happen has not."""
    for case in cases.values():
        for told in (case.result, case.settled):
            if told is None:
                continue
            if told.state == "SUCCEEDED" and not case.happened and not _had_nothing_left_to_do(case, told):
                yield case.broke("said done, was not", f", {told.kind}")
            if told.state in _NOT_DONE and case.happened:
                yield case.broke("said not done, was", f", {told.kind} {told.state} {told.reason}")


def _had_nothing_left_to_do(case: _Case, told: Told) -> bool:
    """A hangup in doubt is settled by the call's end, whoever ended it."""
    return told.reason == "ALREADY_ENDED" or (told.kind == "settled" and case.sent.action in _ENDS_CALL)


def _at_most_once(cases: Mapping[str, _Case]) -> Iterator[Violation]:
    """No effect twice; but for client_state_update, which Telnyx gives no command_id: twice is as once."""
    for case in cases.values():
        if case.happened > 1 and case.sent.action not in _WITHOUT_ID:
            numbers = [request["n"] for request in case.requests if request["happened"]]
            yield case.broke("happened twice", f": requests {numbers}")


def _in_order(cases: Mapping[str, _Case], thaws: Sequence[float]) -> Iterator[Violation]:
    """Every request of a command, repeats too, comes after those of the commands that were accepted before it."""
    lines: dict[str, list[tuple[_Case, int, int]]] = defaultdict(list)
    for case in cases.values():
        if case.sent.call and case.requests and not case.may_come_out_of_order:
            numbers = [int(request["n"]) for request in _timely(case, thaws)]
            lines[case.sent.call].append((case, numbers[0], numbers[-1]))
    for line in lines.values():
        latest, _, end = line[0]
        for case, first, last in line[1:]:
            if first < end:
                yield case.broke("out of order", f" came before the end of {latest}")
            if last > end:
                latest, end = case, last


def _timely(case: _Case, thaws: Sequence[float]) -> list[Mapping[str, Any]]:
    """The requests of a command without those that a thawed worker sent too late to change anything."""
    first, *more = case.requests
    return [first, *(one for one in more if not (_changes_nothing(case, one) and _just_thawed(one, thaws)))]


def _changes_nothing(case: _Case, request: Mapping[str, Any]) -> bool:
    return not request["happened"] or case.sent.action in _WITHOUT_ID


def _just_thawed(request: Mapping[str, Any], thaws: Sequence[float]) -> bool:
    return any(0 <= request["time"] - thaw <= LATE_SECONDS_MAX for thaw in thaws)


def _completed_once(completions: Iterable[tuple[str, bytes]]) -> Iterator[Violation]:
    seen: dict[str, bytes] = {}
    for command_id, content in completions:
        if seen.setdefault(command_id, content) != content:
            yield Violation("completed twice", command_id, command_id)


def _handed_on(evidence: Evidence) -> Iterator[Violation]:
    """A webhook that was answered with 2xx is an event, once; and nothing is an event that was no webhook."""
    handed_on = set(evidence.events) if evidence.redelivers else evidence.events
    times = Counter(event_id for event_id, _ in handed_on)
    known = {delivery["event_id"]: delivery for delivery in evidence.deliveries}
    for delivery in evidence.deliveries:
        if acknowledged(delivery) and not times[delivery["event_id"]]:
            yield Violation("webhook lost", f"{delivery['event_type']} {delivery['event_id']}")
    for event_id, count in times.items():
        if count > 1:
            yield Violation("handed on twice", f"{event_id}: {count} times")
        if event_id not in known:
            yield Violation("event of nothing", event_id)


def acknowledged(delivery: Mapping[str, Any]) -> bool:
    """Whether a webhook was answered with 2xx."""
    return delivery["status"] is not None and 200 <= delivery["status"] < 300
