"""What the sandbox can be asked and told beside Telnyx's API: everything below /sandbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.core.call import Call
from sandbox.core.destinations import BUSY, REJECTED
from sandbox.core.problems import Refused
from sandbox.settings import change
from sandbox.station import Station

Handler = Callable[[Request], Awaitable[Response]]


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")


class _Unfit(Exception):
    """A request that says nothing that can be done."""


async def _body(request: Request) -> Any:
    raw = await request.body()
    try:
        return orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as error:
        raise _Unfit(f"the body is not JSON: {error}") from error


async def _object(request: Request) -> dict[str, Any]:
    content = await _body(request)
    if not isinstance(content, dict):
        raise _Unfit("the body must be an object")
    return content


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return _json(refused.as_json(), 404 if refused.problems[0].code == "90015" else 409)
        except (_Unfit, ValueError) as error:  # msgspec's ValidationError is a ValueError.
            return _json({"error": str(error)}, 400)

    return guarded


class Control:
    """The handlers; each docstring says what the route does."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def routes(self) -> list[Route]:
        """All routes."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/sandbox/effects", self.effects),
            ("GET", "/sandbox/webhooks", self.deliveries),
            ("GET", "/sandbox/calls", self.calls),
            ("POST", "/sandbox/calls", self.incoming),
            ("GET", "/sandbox/calls/{id}", self.call),
            ("POST", "/sandbox/calls/{id}/answer", self.answer),
            ("POST", "/sandbox/calls/{id}/reject", self.reject),
            ("POST", "/sandbox/calls/{id}/dtmf", self.dtmf),
            ("POST", "/sandbox/calls/{id}/hangup", self.hangup),
            ("GET", "/sandbox/faults", self.faults),
            ("PUT", "/sandbox/faults", self.set_faults),
            ("GET", "/sandbox/settings", self.settings),
            ("PUT", "/sandbox/settings", self.set_settings),
            ("GET", "/sandbox/public-key", self.public_key),
            ("POST", "/sandbox/reset", self.reset),
        ]
        return [Route(path, _guarded(handler), methods=[method]) for method, path, handler in table]

    async def effects(self, request: Request) -> Response:
        """What really happened. `call`, `action`, `command_id` filter; `since` gives those after that `n`."""
        truth = self._station.truth
        return _json({"seen": truth.effects_seen, "effects": _chosen(request, truth.effects)})

    async def deliveries(self, request: Request) -> Response:
        """Every attempt to deliver a webhook, filtered by `call`, `event_type`, `since`."""
        truth = self._station.truth
        return _json({"seen": truth.deliveries_seen, "webhooks": _chosen(request, truth.deliveries)})

    async def calls(self, request: Request) -> Response:
        """All calls that are remembered."""
        calls = self._station.tell(lambda exchange: [_shown(call) for call in exchange.calls.values()])
        return _json({"calls": calls})

    async def call(self, request: Request) -> Response:
        """One call."""
        return _json(self._station.tell(lambda exchange: _shown(exchange.find(request.path_params["id"]))))

    async def incoming(self, request: Request) -> Response:
        """Somebody calls: {from, to, webhook_url?, connection_id?}."""
        wanted = await _object(request)
        if not wanted.get("from") or not wanted.get("to"):
            raise _Unfit("an incoming call needs from and to")
        call = self._station.tell(
            lambda exchange: exchange.incoming(
                from_=wanted["from"],
                to=wanted["to"],
                connection_id=wanted.get("connection_id") or "sandbox",
                webhook_url=wanted.get("webhook_url"),
            )
        )
        return _json(_shown(call), 201)

    async def answer(self, request: Request) -> Response:
        """The other end picks up."""
        return self._far(request, self._station.exchange.far_answer)

    async def reject(self, request: Request) -> Response:
        """The other end rejects: {cause?: CALL_REJECTED | USER_BUSY}."""
        end = BUSY if (await _object(request)).get("cause") == "USER_BUSY" else REJECTED
        return self._far(request, lambda call: self._station.exchange.far_end(call, end))

    async def dtmf(self, request: Request) -> Response:
        """The other end presses keys: {digits}."""
        digits = (await _object(request)).get("digits")
        if not isinstance(digits, str) or not digits:
            raise _Unfit("digits must be a string that is not empty")
        return self._far(request, lambda call: self._station.exchange.far_digits(call, digits))

    async def hangup(self, request: Request) -> Response:
        """The other end hangs up."""
        return self._far(request, self._station.exchange.far_end)

    def _far(self, request: Request, deed: Callable[[Call], None]) -> Response:
        def done(exchange: Any) -> Call:
            call: Call = exchange.find(request.path_params["id"])
            deed(call)
            return call

        return _json(_shown(self._station.tell(done)))

    async def faults(self, request: Request) -> Response:
        """The rules in force, and how often each has applied."""
        return _json({"rules": self._station.faults.as_json()})

    async def set_faults(self, request: Request) -> Response:
        """Put a list of rules (or {rules: [...]}) in the place of all others; an empty one ends all faults."""
        wanted = await _body(request)
        rules = wanted.get("rules") if isinstance(wanted, dict) else wanted
        if not isinstance(rules, list):
            raise _Unfit("faults are a list of rules")
        self._station.faults.set(rules)
        return await self.faults(request)

    async def settings(self, request: Request) -> Response:
        """The settings; the signing key is not shown."""
        shown = msgspec.to_builtins(self._station.settings)
        shown.pop("signing_key")
        return _json(shown)

    async def set_settings(self, request: Request) -> Response:
        """Change some settings."""
        change(self._station.settings, await _object(request))
        self._station.set_speed()
        return await self.settings(request)

    async def public_key(self, request: Request) -> Response:
        """The key against which webhooks verify, in Base64."""
        return _json({"public_key": self._station.signer.public_key})

    async def reset(self, request: Request) -> Response:
        """Forget calls, truth, faults and webhooks on their way."""
        await self._station.reset()
        return _json({"result": "ok"})


def _chosen(request: Request, entries: Any) -> list[dict[str, Any]]:
    asked = request.query_params
    since = int(asked.get("since", "0"))
    wanted = {
        name: asked[given]
        for given, name in (
            ("call", "call_control_id"),
            ("action", "action"),
            ("command_id", "command_id"),
            ("event_type", "event_type"),
        )
        if given in asked
    }
    return [
        entry.as_json()
        for entry in entries
        if entry.n > since and all(getattr(entry, name, None) == value for name, value in wanted.items())
    ]


def _shown(call: Call) -> dict[str, Any]:
    return {
        **call.status(),
        "state": call.state.value,
        "from": call.from_,
        "to": call.to,
        "direction": "incoming" if call.incoming else "outgoing",
        "bridged_with": call.peer.id if call.peer else None,
        "queue": call.queue,
    }
