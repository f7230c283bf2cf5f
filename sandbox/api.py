"""Telnyx's API as its clients see it: one request in, one answer out, without any transport.

The order of checks: key, URL, verb, body, fields, call, repeat, state. A repeat is answered like the first one even
when the call has ended since.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import orjson

from sandbox.core import newer, problems
from sandbox.core.bodies import SCHEMAS
from sandbox.core.life import Event
from sandbox.core.problems import Refused
from sandbox.faults import RequestFault
from sandbox.station import Station
from sandbox.truth import Effect

_OK: Final = {"result": "ok"}
_SCHEMAS: Final = {**SCHEMAS, **newer.SCHEMAS}
_WITHOUT_ID: Final = {"client_state_update"} | newer.WITHOUT_ID  # No command_id.
_JSON: Final = {"content-type": "application/json; charset=utf-8"}


@dataclass(slots=True)
class Command:
    """A request as read. `refusal` is what is wrong with it already, without knowing any call.

    `call` of a dial is learned when it is performed.
    """

    method: str
    path: str
    action: str
    call: str | None
    body: Any
    command_id: str | None
    refusal: Refused | None


@dataclass(slots=True)
class Reply:
    """An answer. `cut`: none, the connection is closed; `short`: closed in the middle of the body.

    `events` are to be sent as webhooks once it was answered.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: _JSON)
    cut: bool = False
    short: bool = False
    events: list[Event] = field(default_factory=list)


class Api:
    """The routes below /v2."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._kinds = {"dial": self._dial, "retrieve": self._retrieve}

    async def handle(self, method: str, path: str, authorization: str, body: bytes) -> Reply:
        """Answer a request; `path` is percent-encoded and begins with /v2."""
        command = self._read(method, path, authorization, body)
        fault = self._station.faults.for_request(method, command.action, command.call, command.command_id)
        if fault is None:
            return self._perform(command, None)
        if fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        reply = self._perform(command, fault) if fault.lets_happen else self._prevent(command, fault)
        if fault.before_answer:
            await self._station.webhooks.send_first(reply.events)
            reply.events = []
        if fault.answer_latency_ms:
            self._station.webhooks.send(reply.events)
            reply.events = []
            await asyncio.sleep(fault.answer_latency_ms / 1000)
        return _spoil(reply, fault)

    def _read(self, method: str, path: str, authorization: str, body: bytes) -> Command:
        action, call, refusal = _route(method, path)
        command = Command(method, path.removeprefix("/v2"), action, call, None, None, refusal)
        if not self._knows(authorization):
            command.refusal = problems.unauthenticated()
        if method == "GET":
            return command
        try:
            command.body = orjson.loads(body)
        except orjson.JSONDecodeError:
            command.refusal = command.refusal or problems.undecodable()
            return command
        if not isinstance(command.body, dict):
            command.refusal = command.refusal or problems.undecodable()
            return command
        command_id = command.body.get("command_id")
        command.command_id = command_id if isinstance(command_id, str) and command_id else None
        return command

    def _knows(self, authorization: str) -> bool:
        scheme, _, key = authorization.partition(" ")
        keys = self._station.settings.api_keys
        return scheme.lower() == "bearer" and bool(key.strip()) and (not keys or key.strip() in keys)

    def _perform(self, command: Command, fault: RequestFault | None) -> Reply:
        station = self._station
        events: list[Event] = []
        repeat, headers = False, _JSON
        try:
            if command.refusal:
                raise command.refusal
            limits = station.limits.request(station.settings.requests_per_second, station.scheduler.elapsed())
            headers = {**_JSON, **limits} if limits else _JSON
            answer, repeat, events = self._kinds.get(command.action, self._act)(command)
            status, refused = 200, None
        except Refused as refusal:
            answer, status, refused = refusal.as_json(), refusal.status, refusal.problems[0].code
            headers = {**headers, **refusal.headers}
        body = orjson.dumps(answer)
        happened = refused is None and not repeat and command.action != "retrieve"
        self._note(command, fault, happened=happened, repeat=repeat, status=status, code=refused)
        return Reply(status, body, headers, events=events)

    def _retrieve(self, command: Command) -> tuple[Any, bool, list[Event]]:
        call = self._station.exchange.calls.get(command.call or "")
        if call is None:
            raise problems.no_such_url()
        status, events = self._station.act(lambda _: call.status())
        return {"data": status}, False, events

    def _act(self, command: Command) -> tuple[Any, bool, list[Event]]:
        _SCHEMAS[command.action].check(command.body)
        station = self._station
        call = station.exchange.find(command.call or "")
        has_id = command.action not in _WITHOUT_ID
        if has_id and (before := self._repeated(call.id, command)) is not None:
            return before, True, []
        told, events = station.act(lambda exchange: exchange.command(call, command.action, command.body))
        answer = {"data": {**_OK, **(told or {})}}
        if has_id:
            self._remember(call.id, command, answer)
        return answer, False, events

    def _dial(self, command: Command) -> tuple[Any, bool, list[Event]]:
        SCHEMAS["dial"].check(command.body)
        station = self._station
        known = station.settings.connection_ids
        if known and command.body["connection_id"] not in known:
            raise Refused(problems.invalid_connection())
        before = self._repeated("", command)
        if before is not None:
            command.call = before["data"]["call_control_id"]
            return before, True, []
        settings = station.settings
        station.limits.dial(
            settings.dials_per_second, station.scheduler.elapsed(), counts_refused=settings.refused_dials_count
        )
        calls, events = station.act(lambda exchange: exchange.dial(command.body))
        # With several destinations the answer names the first leg; the others make themselves known by call.initiated.
        answer = {"data": calls[0].status()}
        command.call = calls[0].id
        self._remember("", command, answer)
        return answer, False, events

    def _repeated(self, scope: str, command: Command) -> Any | None:
        if command.command_id is None:
            return None
        window = self._station.settings.command_window_seconds
        return self._station.repeats.find(scope, command.command_id, self._station.scheduler.elapsed(), window)

    def _remember(self, scope: str, command: Command, answer: Any) -> None:
        if command.command_id is not None:
            self._station.repeats.remember(scope, command.command_id, self._station.scheduler.elapsed(), answer)

    def _prevent(self, command: Command, fault: RequestFault) -> Reply:
        self._note(command, fault, happened=False, repeat=False, status=None, code=None)
        return Reply(500, b"")

    def _note(
        self,
        command: Command,
        fault: RequestFault | None,
        *,
        happened: bool,
        repeat: bool,
        status: int | None,
        code: str | None,
    ) -> None:
        if fault is not None:
            status = _status_answered(fault, status)
        self._station.truth.effects.append(
            Effect(
                n=self._station.truth.next_effect(),
                time=self._station.scheduler.unix(),
                method=command.method,
                path=command.path,
                call_control_id=command.call,
                action=command.action,
                command_id=command.command_id,
                body=command.body,
                happened=happened,
                ignored_as_repeat=repeat,
                status=status,
                refused=code,
                fault=fault.label if fault else None,
            )
        )


def _route(method: str, path: str) -> tuple[str, str | None, Refused | None]:
    """The action and the call that a URL names; for an unknown URL, the URL itself and the refusal."""
    parts = path.split("/")[2:]
    if parts == ["calls"]:
        return "dial", None, None if method == "POST" else problems.wrong_method(method)
    if len(parts) == 2 and parts[0] == "calls":
        return "retrieve", unquote(parts[1]), None if method == "GET" else problems.wrong_method(method)
    if len(parts) == 4 and parts[0] == "calls" and parts[2] == "actions":
        action, call = parts[3], unquote(parts[1])
        if action in _SCHEMAS:
            wanted = "PUT" if action == "client_state_update" else "POST"
            return action, call, None if method == wanted else problems.wrong_method(method)
    return path, None, problems.no_such_url()


def _status_answered(fault: RequestFault, status: int | None) -> int | None:
    if fault.cut:
        return None
    if fault.rate_limit:
        return 429
    return fault.status or status


def _spoil(reply: Reply, fault: RequestFault) -> Reply:
    """What the fault makes of an answer."""
    if fault.cut:
        reply.cut = True
    elif fault.rate_limit:
        limit = fault.rate_limit
        reply.status, reply.headers = 429, {**_JSON, **limit.headers()}
        reply.body = orjson.dumps(problems.documented(limit.code, "Too many requests").as_json())
    elif fault.status is not None:
        error = problems.documented("10007", "Unexpected error").as_json() if fault.error is None else fault.error
        reply.status, reply.headers = fault.status, {**_JSON, **fault.headers}
        reply.body = error.encode() if isinstance(error, str) else orjson.dumps(error)
    elif fault.answer == "truncated":
        reply.short = True
    elif fault.answer == "html":
        reply.body, reply.headers = b"<html><body>Bad Gateway</body></html>", {"content-type": "text/html"}
    elif fault.answer == "empty":
        reply.body = b""
    elif fault.answer == "giant":
        reply.body = orjson.dumps({"data": {"result": "o" * fault.giant_bytes}})
    return reply
