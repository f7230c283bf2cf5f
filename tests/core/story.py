"""Stories about pages in plain text: what is done, then beneath `----` what `advance` says to it, in words.

Blocks stand apart by an empty line; `#` starts a comment. Times count from the story's start. What one page tells
another is delivered at once, and what comes of it is shown too. The commands:

    limits name=value ...                 for the whole story
    submit ACTION ID [call=A account= body= placement= sequence= requires= after=completed expire=10s completes=30s
                      group= accepted=5s endless legs=2 again]
                                          other names are fields of the body: audio_url=u stop=all
    poison ACTION ID                      the same, as an input that failed
    outcome ID[#ATTEMPT] VERDICT [STATUS] [CODE] [cause= legs=X,Y call=]
    event TYPE [call=A id= at=3s began=1s over=2s status= direction= account= cause=]
                                          other names are fields of the payload: media_url=u overlay=true
    session S A B ...                     from now on, webhooks of these calls name a leg and this session
    alias TYPE call=A [id= at= began= over=]           a webhook that names the leg of the call, and not the call
    copy DIAL TYPE call=X [id= at=]       a webhook that came on the dial's own address
    answer HOW [call=A] [attempt=1]       to the question whether the call lives: alive, dead, ended, or as `outcome`
    cancel [ID ...] [call= group= dial=]  ·  credit DIAL  ·  tick 15s  ·  page [call=A]
    guards name=value ...                 of the account, for the rest of the story
    pause  ·  resume  ·  cancel-group G  ·  restored      the operators' orders; the log is one from a backup
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cordboard import marks
from cordboard.catalogue import CATALOGUE, clears, goes_on, joined_call
from cordboard.orders import NO_ORDERS, Orders
from cordboard.v1 import Command
from cordboard.v1 import Placement as PlacementOption
from cordboard.work import Outcome, TelnyxError, Verdict
from dispatcher.core.advance import advance
from dispatcher.core.asking import QUESTION
from dispatcher.core.commands import Ask
from dispatcher.core.decision import (
    CancelAnswer,
    Completed,
    Decision,
    HandOn,
    HangUp,
    Output,
    PassOn,
    Release,
    Result,
    Tell,
)
from dispatcher.core.inputs import (
    Announced,
    Asked,
    CancelAsked,
    Credited,
    Due,
    Heard,
    Input,
    Joined,
    Made,
    Opened,
    Ordered,
    Poisoned,
    Told,
)
from dispatcher.core.limits import DEFAULT_LIMITS, Guards
from dispatcher.core.page import Page, Raw, decode, encode
from dispatcher.core.words import Placement

STATUSES = {
    "alive": {"is_alive": True},
    "dead": {"is_alive": False},
    "ended": {"is_alive": False, "end_time": "2027-01-15T08:00:00Z"},
}
START_MS = 1_800_000_000_000
UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
ACCOUNT = "acme"
SUBMIT = frozenset(
    ["call", "account", "body", "placement", "sequence", "requires", "after", "expire", "completes", "group"],
) | {"accepted", "endless", "again"}
EVENT = frozenset(["call", "id", "at", "began", "over", "status", "direction", "account"])


def milliseconds(text: str) -> int:
    """Read 250ms, 15s, -1.5s, 2m or 24h."""
    unit = "ms" if text.endswith("ms") else text[-1]
    return round(float(text.removesuffix(unit)) * UNITS_MS[unit])


def said_in(options: dict[str, str], known: frozenset[str]) -> dict[str, Any]:
    """The fields of a body or payload: all that are no option of the line."""
    said = {name: text for name, text in options.items() if name not in known and text}
    return {name: json.loads(text) if text in ("true", "false", "null") else text for name, text in said.items()}


def make_ask(action: str, command_id: str, now: int, options: dict[str, str]) -> Ask:
    """A command with the catalogue's defaults; `options` as in `submit`."""
    rule = CATALOGUE[action]
    body = options.get("body", "").encode()
    account = options.get("account", ACCOUNT)
    accept_ms = START_MS + milliseconds(options["accepted"]) if "accepted" in options else now
    command = Command(**{action: {}}, extra=said_in(options, SUBMIT))
    placed = options.get("placement") or PlacementOption.Name(rule.placement).removeprefix("PLACEMENT_")
    return Ask(
        command_id=command_id,
        account=account,
        action=action,
        lane=rule.lane,
        repeat=rule.repeat,
        method=rule.method,
        path=rule.path,
        body=body,
        fingerprint=hashlib.blake2b(f"{account} {action} ".encode() + body, digest_size=16).digest(),
        accept_ms=accept_ms,
        expire_ms=now + milliseconds(options["expire"]) if "expire" in options else None,
        expire_after_ms=None if rule.expire_seconds is None else rule.expire_seconds * 1_000,
        after_completed=options.get("after") == "completed",
        requires=options.get("requires", ""),
        placement=Placement(placed),
        sequence=int(options.get("sequence", 0)),
        completion_ms=milliseconds(options.get("completes", f"{rule.completion.base_ms}ms")),
        endless="endless" in options,
        group=options.get("group", ""),
        marks=marks.of_command(command),
        goes_on=goes_on(command),
        clears=clears(command),
        new_legs=int(options.get("legs", 1)),
        joins=joined_call(command),
        destinations=tuple(options["to"].split(",")) if "to" in options else (),
    )


def dial_response(legs: str, sessions: dict[str, str]) -> bytes:
    """Telnyx's answer to a dial: one leg as an object, several as a list."""
    made = [
        {"call_control_id": leg, "call_leg_id": f"leg-{leg}" * (leg in sessions), "call_session_id": sessions.get(leg)}
        for leg in legs.split(",")
    ]
    return json.dumps({"data": made if len(made) > 1 else made[0]}).encode()


class Story:
    """Pages, a clock and what was said."""

    def __init__(self) -> None:
        self.now = START_MS
        self.limits = DEFAULT_LIMITS
        self.orders = NO_ORDERS
        self.pages: dict[str, bytes] = {}
        self.wakes: dict[str, int] = {}
        self.asked: dict[str, str] = {}  # Command id -> page.
        self.attempts: dict[str, int] = {}
        self.asked_of: dict[str, int] = {}  # Call -> the latest question whether it lives.
        self.inputs = 0
        self.sessions: dict[str, str] = {}  # By call: those whose webhooks name a leg and a session.
        self.heard_by_body: dict[bytes, Heard] = {}

    def tell(self, line: str) -> list[str]:
        """Do what one line says. Returns what was said to it."""
        verb, *rest = line.split()
        words = [word for word in rest if "=" not in word]
        options = dict(word.split("=", 1) for word in rest if "=" in word) | dict.fromkeys(words, "")
        return list(getattr(self, f"do_{verb.replace('-', '_')}")(words, options))

    def do_limits(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        given = {name: int(value) if value.isdigit() else frozenset((value,)) for name, value in options.items()}
        self.limits = replace(self.limits, **given)
        yield from ()

    def do_guards(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        given = {name: int(value) if value.isdigit() else tuple(value.split(",")) for name, value in options.items()}
        self.limits = replace(self.limits, guards={ACCOUNT: Guards(**given)})
        yield from ()

    def do_pause(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        yield from self.order(replace(self.orders, paused=frozenset({ACCOUNT})))

    def do_resume(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        yield from self.order(replace(self.orders, paused=frozenset()))

    def do_cancel_group(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        yield from self.order(replace(self.orders, cancelled={(ACCOUNT, words[0]): self.now}))

    def do_restored(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        yield from self.order(replace(self.orders, restored_ms=self.now))

    def order(self, orders: Orders) -> Iterator[str]:
        self.orders = orders
        for key in list(self.pages):
            yield from self.put(key, Ordered())

    def do_submit(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        self.inputs += 1
        ask = make_ask(words[0], words[1], self.now, options)
        asked = Asked(ask, f"commands-0-{self.inputs}", again="again" in options)
        yield from self.put(self.page_of(ask, options), asked)

    def do_poison(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        ask = make_ask(words[0], words[1], self.now, options)
        yield from self.put(self.page_of(ask, options), Poisoned(ask))

    def page_of(self, ask: Ask, options: dict[str, str]) -> str:
        key = f"dial:{ask.account}/{ask.command_id}" if ask.is_dial else options.get("call", "A")
        self.asked[ask.command_id] = key
        return key

    def do_outcome(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        command_id, _, attempt = words[0].partition("#")
        verdict = Verdict(words[1])
        status, *codes = [*words[2:], *(["200"] if verdict is Verdict.DONE and len(words) < 3 else [])] or ["0"]
        outcome = Outcome(
            key=self.asked[command_id],
            command_id=command_id,
            attempt=int(attempt or self.attempts[command_id]),
            verdict=verdict,
            cause=options.get("cause", ""),
            http_status=int(status),
            errors=tuple(TelnyxError(code) for code in codes),
            response=dial_response(options["legs"], self.sessions) if "legs" in options else b"",
            sent_ms=0 if verdict in (Verdict.UNSENT, Verdict.EXPIRED, Verdict.LATE, Verdict.WAITING) else self.now,
        )
        yield from self.put(outcome.key, Told(outcome))

    def do_event(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        call = options.get("call", "A")
        yield from self.put(call, self.heard(words[0], call, options))

    def do_session(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        self.sessions |= dict.fromkeys(words[1:], words[0])
        yield from ()

    def do_alias(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        heard = replace(self.heard(words[0], options["call"], options), call="")
        key, body = f"leg:{heard.leg}", heard.event_id.encode()
        self.heard_by_body[body] = heard
        yield from self.put(key, replace(heard, raw=Raw(key.encode(), body, (("name", b"value"),))))

    def do_copy(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        heard = self.heard(words[1], options["call"], options)
        yield from self.put(self.asked[words[0]], replace(heard, copy=True))

    def heard(self, event_type: str, call: str, options: dict[str, str]) -> Heard:
        self.inputs += 1
        return Heard(
            account=options.get("account", ACCOUNT),
            event_id=options.get("id", f"event-{self.inputs}"),
            event_type=event_type,
            occurred_ms=START_MS + milliseconds(options["at"]) if "at" in options else self.now,
            call=call,
            leg=f"leg-{call}" * (call in self.sessions),
            session=self.sessions.get(call, ""),
            direction=options.get("direction", ""),
            status=options.get("status", ""),
            marks=marks.of_event(event_type, said_in(options, EVENT)),
            hangup_cause=options.get("cause", ""),
            begun_ms=START_MS + milliseconds(options["began"]) if "began" in options else 0,
            over_ms=START_MS + milliseconds(options["over"]) if "over" in options else 0,
        )

    def do_answer(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        call = options.get("call", "A")
        how, *rest = words
        status, *codes = rest or (["200"] if how in STATUSES else ["0"])
        outcome = Outcome(
            key=call,
            command_id=QUESTION,
            attempt=int(options.get("attempt", 0)) or self.asked_of[call],
            verdict=Verdict.DONE if how in STATUSES else Verdict(how),
            http_status=int(status),
            errors=tuple(TelnyxError(code) for code in codes),
            response=json.dumps({"data": STATUSES[how]}).encode() if how in STATUSES else b"",
        )
        yield from self.put(call, Told(outcome))

    def do_cancel(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        key = self.asked[options["dial"]] if "dial" in options else options.get("call", "A")
        yield from self.put(key, CancelAsked("cancel-1", tuple(words), options.get("group", "")))

    def do_credit(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        yield from self.put(self.asked[words[0]], Credited(words[0]))

    def do_tick(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        until = self.now + milliseconds(words[0])
        while self.wakes and min(self.wakes.values()) <= until:
            key = min(self.wakes, key=self.wakes.__getitem__)
            due = self.wakes[key]
            self.now = max(self.now, due)
            for said in self.put(key, Due(due)):
                yield f"{(self.now - START_MS) / 1000:g}s: {said}"
            assert self.wakes.get(key, due + 1) > due, "A page must not ask for the same time again."
        self.now = until

    def do_page(self, words: list[str], options: dict[str, str]) -> Iterator[str]:
        key = options.get("call", "A")
        if key not in self.pages:
            yield "no page"
            return
        page = decode(self.pages[key])
        waiting = [held.ask.command_id for held in page.line]
        flying = [f"{flight.ask.command_id}#{flight.attempt}" for flight in page.flights]
        opened = [one.command_id + "?" * one.doubtful for one in page.open]
        early = [held.ask.command_id for held in page.early]
        running = [one.command_id for one in page.running]
        parts = {"waiting": waiting, "early": early, "in flight": flying, "open": opened, "going on": running}
        yield "; ".join([page.life.lower(), *(f"{name} {' '.join(ids)}" for name, ids in parts.items() if ids)])

    def put(self, key: str, given: Input) -> Iterator[str]:
        """Apply an input as the owner does: on an own copy, written before anything is sent."""
        page = decode(self.pages[key]) if key in self.pages else None
        decision = advance(page, key, given, self.now, self.limits, self.orders)
        self.keep(key, decision)
        if decision.changed and decision.page is None:
            yield "forgotten" if key == "A" else f"forgotten: {key}"
        for output in decision.outputs:
            if not isinstance(output, Tell | PassOn):
                yield self.describe(output)
            if isinstance(output, HangUp):
                self.asked[output.command_id] = output.call
                ask = make_ask("hangup", output.command_id, self.now, {"account": output.account})
                yield from self.put(output.call, Asked(ask, "commands-0-0"))
        for output in decision.outputs:
            if isinstance(output, Tell):
                yield from self.deliver(output)
            elif isinstance(output, PassOn):
                yield f"write on under {output.call}"
                yield from self.put(output.call, replace(self.heard_by_body[output.raw.body], call=output.call))
        for command_id in decision.wants_credit if decision.changed else ():
            yield f"{command_id} wants credit"

    def keep(self, key: str, decision: Decision) -> None:
        if not decision.changed:
            return
        self.wakes.pop(key, None)
        if decision.page is None:
            del self.pages[key]
            return
        self.pages[key] = encode(decision.page)
        assert decode(self.pages[key]) == decision.page
        if decision.wake_ms is not None:
            self.wakes[key] = decision.wake_ms

    def describe(self, output: Output) -> str:
        match output:
            case Release(work=work) if work.command_id == QUESTION:
                self.asked_of[work.key] = work.attempt
                return f"ask whether {work.key} lives#{work.attempt}"
            case Release(work=work):
                self.attempts[work.command_id] = work.attempt
                return f"release {work.command_id}#{work.attempt}"
            case Result():
                reason = "" if output.reason == "NONE" else f" {output.reason}"
                legs = f", legs {' '.join(leg.call for leg in output.legs)}" if output.legs else ""
                because = f", because of {output.related}" if output.related else ""
                return f"{output.kind} {output.command_id} {output.state}{reason}{legs}{because}"
            case Completed():
                reason = "" if output.reason == "NONE" else f" {output.reason}"
                event = f" ({output.event_type})" if output.event_type else ""
                return f"completion {output.command_id} {output.state}{reason}{event}"
            case HandOn():
                belongs = f" ({output.command_id})" if output.command_id else ""
                untied = "" if output.heard.call else ", untied"
                return f"hand on {output.heard.event_type}{belongs}{', late' if output.late else ''}{untied}"
            case CancelAnswer():
                lists = {"cancelled": output.cancelled, "too late": output.too_late, "unknown": output.unknown}
                return "; ".join(f"{name} {' '.join(ids)}" for name, ids in lists.items() if ids) or "nothing to cancel"
            case HangUp():
                return f"command hangup {output.command_id} for {output.call}"
            case Tell() | PassOn():
                raise AssertionError("Delivered, not described.")

    def deliver(self, told: Tell) -> Iterator[str]:
        if told.leg is not None:
            yield f"tell {told.page}: opened by {told.sender}{', given up' if told.given_up else ''}"
            opened = Opened(told.account, told.sender, told.leg, told.given_up, told.traceparent)
            yield from self.put(told.page, opened)
        if told.heard is not None:
            yield f"tell {told.page}: {told.heard.event_type} of {told.sender}"
            yield from self.put(told.page, told.heard)
        if told.joining is not None:
            legs = f", legs {' '.join(told.joining.calls)}" if told.joining.calls else ""
            yield f"tell {told.page}: {told.sender} joins{legs}{', all' if told.joining.over else ''}"
            yield from self.put(told.page, Joined(told.joining))
        elif told.maker:
            yield f"tell {told.page}: made by {told.maker}"
            yield from self.put(told.page, Made(told.maker))
        elif told.permit is not None:
            what = told.permit.step.value + f" of {told.permit.call}" * bool(told.permit.call)
            yield f"tell {told.page}: {what} by {told.sender}"
            yield from self.put(told.page, replace(told.permit, account=told.account, sender=told.sender))
        elif told.leg is None and told.heard is None:
            yield f"tell {told.page}: {told.sender} is here"
            yield from self.put(told.page, Announced(told.account, told.sender))


def read_page(story: Story, key: str) -> Page:
    """The page of a key, as it is written."""
    return decode(story.pages[key])


def retell(text: str, story: Story | None = None) -> str:
    """The same story, with what is said now."""
    story, blocks = story or Story(), []
    for block in text.strip().split("\n\n"):
        told, _, _ = block.partition("\n----")
        lines = [line for line in told.splitlines() if not line.startswith("#")]
        said = [said for line in lines for said in story.tell(line)]
        is_asking = any(not line.startswith(("limits ", "session ")) for line in lines)
        blocks.append("\n".join([told, "----", *(said or ["nothing"])]) if is_asking else told)
    return "\n\n".join(blocks) + "\n"
