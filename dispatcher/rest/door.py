"""The door as an ASGI application: who asks, for what, and under which id; then the way of every command.

Whoever asks is known, then the path and verb, then the body, then the command: in this order, as Telnyx looks at them.
What is accepted is waited for, for as long as the caller waits; that the caller goes away changes nothing about it.
Where the log does not say whether it took a command, the door itself gives it the same again, under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack, suppress
from typing import Any, Final, TypeVar

import structlog
from starlette.types import Receive, Scope, Send

from cordboard.access import Caller, Right, Share
from cordboard.cloudevents import trace_of
from cordboard.settings import Rest
from cordboard.v1 import REASON_ACCEPTANCE_UNKNOWN, WAIT_FOR_RESULT, Command
from dispatcher.acceptance import Acceptance
from dispatcher.acceptance.intake import Admitted
from dispatcher.acceptance.permitting import share_of
from dispatcher.acceptance.refusals import Refused, overloaded, shutting_down
from dispatcher.rest import answers
from dispatcher.rest.answers import Answer, of_case, of_problems, of_refusal
from dispatcher.rest.callers import Callers, turning_away
from dispatcher.rest.keys import Keys
from dispatcher.rest.metrics import NONE, PASSED, RestMetrics
from dispatcher.rest.passing import Passing
from dispatcher.rest.reading import Unreadable, command_of
from dispatcher.rest.repeats import Fate, Named, Repeats, is_retry
from dispatcher.rest.requests import Gone, Head, TurnedAway, head_of, object_of, read_body
from dispatcher.rest.routes import PREFIX, Route, WrongMethod, has_dots, route_of, spelt

_log: Final = structlog.get_logger(__name__)
T = TypeVar("T")


class RestDoor:
    """Serves Telnyx's API."""

    def __init__(
        self,
        settings: Rest,
        acceptance: Acceptance,
        callers: Callers,
        keys: Keys,
        repeats: Repeats,
        passing: Passing,
        metrics: RestMetrics,
    ) -> None:
        self._settings = settings
        self._acceptance = acceptance
        self._callers = callers
        self._keys = keys
        self._repeats = repeats
        self._passing = passing
        self._metrics = metrics
        self._in_hand = 0
        self._stopping = False
        self.idle = asyncio.Event()
        self.idle.set()

    def begin_to_stop(self) -> None:
        """Take nothing new from now on."""
        self._stopping = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        loop, head = asyncio.get_running_loop(), head_of(scope)
        began, said = loop.time(), _Said()
        self._enter()
        try:
            await self._serve(head, receive, send, said)
        except TurnedAway as turned:
            await said.answer(send, turned.answer)
        except Gone:
            pass
        except Exception:
            _log.exception("a request failed", action=said.action)
            if said.status is not None:
                raise  # The answer has begun: cut off, it is not taken for whole.
            broken = of_case("BROKEN", "Cordboard failed to handle the request.")
            await said.answer(send, broken.with_headers(answers.NO_RETRY))
        finally:
            self._leave()
            self._metrics.served(said.action, said.status, loop.time() - began)

    def _enter(self) -> None:
        self._in_hand += 1
        self._metrics.in_hand.set(self._in_hand)
        self.idle.clear()

    def _leave(self) -> None:
        self._in_hand -= 1
        self._metrics.in_hand.set(self._in_hand)
        if not self._in_hand:
            self.idle.set()

    async def _serve(self, head: Head, receive: Receive, send: Send, said: _Said) -> None:
        if not head.path.startswith(f"{PREFIX}/"):
            raise TurnedAway(_nowhere(f"Telnyx's API is below {PREFIX}."))
        path = head.path.removeprefix(PREFIX)
        caller = self._callers.caller(head)
        route = _route(head.method, path)
        said.action = PASSED if route is None else route.action
        if route is None or not is_retry(head.headers):  # Of what a retry is, its body tells.
            self._let_in()
        with turning_away():
            caller.need(Right.TELNYX if route is None else Right.SEND)
        if route is None:
            with turning_away(), caller.busy(Share.QUESTION):
                await self._pass(head, path, caller, receive, send, said)
            return
        with ExitStack() as busy:
            await said.answer(send, await self._command(head, route, caller, receive, busy))

    async def _pass(self, head: Head, path: str, caller: Caller, receive: Receive, send: Send, said: _Said) -> None:
        account = self._callers.account_of_request(head, caller)
        key, base_url = self._keys.telnyx_key(account), self._keys.base_url(account)
        if key is None:  # The caller showed a key of ours, which is nobody else's business.
            detail = "This process has no API key of the account to ask Telnyx with; nothing was sent."
            raise TurnedAway(of_case("PASSED_UNSENT", detail))
        said.status = await self._passing.serve(head, path, base_url, key, receive, said.noting(send))

    def _let_in(self) -> None:
        most = self._settings.concurrent_max
        if self._stopping:
            raise TurnedAway(of_refusal(shutting_down()))
        if self._in_hand > most:
            refused = of_refusal(overloaded(f"{most} requests are being served."))
            limits = {"x-ratelimit-limit": f"{most}", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
            raise TurnedAway(refused.with_headers(limits))

    async def _command(self, head: Head, route: Route, caller: Caller, receive: Receive, busy: ExitStack) -> Answer:
        with turning_away():
            caller.need_action(route.action)
        account = self._callers.account_of_command(head, caller, is_dial=route.action == "dial")
        raw = await read_body(head, receive, self._settings.body_bytes_max, self._settings.body_seconds_max)
        body = object_of(raw)
        whose = f"{caller.name}/{account}/{head.client}".encode()
        request = (whose, head.method.encode(), head.path.encode("latin-1"), raw)
        named = self._repeats.name(body.get("command_id"), head.headers, request)
        if named.is_repeat:
            self._metrics.repeats.inc()
        if not named.in_doubt:  # Who is turned away goes elsewhere, where nobody knows what it repeats.
            self._let_in()
            with turning_away():
                busy.enter_context(caller.busy(share_of(route.action)))
        try:
            command = _command_of(route, body, named, account)
            said = await self._taken(head, command, caller, named, receive)
        except BaseException:
            named.fate = Fate.LOST
            raise
        forbidden = said.headers.get("x-should-retry") == "false"
        named.fate = Fate.ANSWERED if forbidden or said.status < 400 else Fate.LOST
        return said

    async def _taken(self, head: Head, command: Command, caller: Caller, named: Named, receive: Receive) -> Answer:
        trace, is_new = trace_of(head.headers.get("traceparent", "")) or "", not named.in_doubt
        try:
            admitted = await self._acceptance.intake.admit_again(command, trace, caller, counts=is_new)
            seconds = head.patience(self._settings.wait_seconds)
            return await _unless_gone(receive, self._executed(admitted, named, seconds))
        except Refused as refused:
            return of_refusal(refused)

    async def _executed(self, admitted: Admitted, named: Named, seconds: float) -> Answer:
        """Append a command and wait for what becomes of it. Raises Refused where certainly nothing was accepted."""
        loop, command = asyncio.get_running_loop(), admitted.command
        deadline = loop.time() + seconds
        while True:
            left, was_in_doubt = max(deadline - loop.time(), 0), named.in_doubt
            named.in_doubt = True
            try:
                executed = await self._acceptance.executor.execute(admitted, WAIT_FOR_RESULT, left)
            except Refused as refused:
                # After a first time that may have been taken, a no is about this time only.
                named.in_doubt = was_in_doubt or refused.reason == REASON_ACCEPTANCE_UNKNOWN
                if not named.in_doubt:
                    raise
                pause = refused.retry_seconds or 0
                if self._stopping or pause >= left:
                    return answers.of_uncertain(command, has_own_id=named.is_own)
                await asyncio.sleep(pause)
                continue
            return (
                answers.of_result(executed.result, command) if executed.HasField("result") else answers.of_open(command)
            )


class _Said:
    """What was answered, and to what."""

    def __init__(self) -> None:
        self.action = NONE
        self.status: int | None = None

    async def answer(self, send: Send, said: Answer) -> None:
        """Send a whole answer."""
        self.status = said.status
        headers = [(name.encode(), value.encode("latin-1")) for name, value in said.headers.items()]
        headers.append((b"content-length", str(len(said.body)).encode()))
        await send({"type": "http.response.start", "status": said.status, "headers": headers})
        await send({"type": "http.response.body", "body": said.body})

    def noting(self, send: Send) -> Send:
        """The same way out, with a note of the status that went there."""

        async def noted(message: Any) -> None:
            self.status = message.get("status", self.status)
            await send(message)

        return noted


def _route(method: str, path: str) -> Route | None:
    if has_dots(path):
        raise TurnedAway(_nowhere("A path has no segments of dots."))
    try:
        route = route_of(method, path)
        if route is None and route_of(method, spelt(path)) is not None:
            # What this door takes for no command, another may take for one: without its order, and without its id.
            raise TurnedAway(_nowhere("It is written without empty segments, and with no letter percent-encoded."))
        return route
    except WrongMethod as wrong:
        detail = f"The method {method} is not allowed for this URL; {wrong.allow} is."
        raise TurnedAway(of_case("WRONG_METHOD", detail, {"allow": wrong.allow})) from None


def _command_of(route: Route, body: Mapping[str, Any], named: Named, account: str) -> Command:
    try:
        return command_of(route, body, named.command_id, account)
    except Unreadable as error:
        raise TurnedAway(of_problems(error.problems, "INVALID_COMMAND")) from None


def _nowhere(detail: str) -> Answer:
    return of_case("NOWHERE", f"The requested resource or URL could not be found. {detail}")


async def _unless_gone(receive: Receive, serving: Coroutine[Any, Any, T]) -> T:
    """Serve, unless the caller hangs up meanwhile. Raises Gone."""
    served = asyncio.ensure_future(serving)
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait((served, gone), return_when=asyncio.FIRST_COMPLETED)
        if served.done():
            return served.result()
        raise Gone
    finally:
        for task in (served, gone):
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
