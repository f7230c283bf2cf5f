"""The webhook routes. A webhook is verified, written, and only then acknowledged; whatever is refused writes nothing.

The cheap checks come first, and those that cost us (reading a body, verifying it) only for requests that have passed
them: path, seal, room, time of the signature, size, signature, form. Whether an event was handled before is for its
page to say; what is remembered here only answers repeats of what is known to be durable.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cordboard.clock import Clock
from cordboard.http_server import HttpServer
from cordboard.log.port import Appending, AppendUncertain, LogError, NewRecord
from cordboard.seldom import Seldom
from cordboard.settings import Settings
from cordboard.tracing.port import Tracer
from cordboard.webhook import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    FormatOneWebhook,
    MalformedWebhook,
    Webhook,
    check_mac,
    command_id_of,
    parse,
)
from dispatcher.ingress.answers import Refused, Result, response_to
from dispatcher.ingress.body import read_body
from dispatcher.ingress.memory import Recent
from dispatcher.ingress.metrics import IngressMetrics
from dispatcher.ingress.records import Delivery, records_of
from dispatcher.ingress.signature import Verifier
from dispatcher.ingress.spool import Spool, SpoolFailed
from dispatcher.ingress.tracing import arriving

_log: Final = structlog.get_logger(__name__)

_NAME_LENGTH_MAX: Final = 40

# Refusals that a person can do something about, and what.
_ADVICE: Final[Mapping[Result, str]] = {
    Result.FORMAT_ONE: "set webhook_api_version of the Telnyx application to 2 (API v2); v1 webhooks are not read",
    Result.STALE: "compare this machine's clock with true time",
    Result.FORGED: "compare webhook_public_key with the key in Mission Control, if these webhooks are genuine",
    Result.UNSIGNED: "set webhook_api_version of the Telnyx application to 2 (API v2), if these webhooks are genuine",
    Result.MALFORMED: "it was signed by Telnyx, so its form is new to this version",
    Result.UNKNOWN_ACCOUNT: "name an account in the webhook's address, or set default_account",
    Result.BAD_SEAL: "dial_url_secret may have changed while calls were up",
    Result.LOG_UNAVAILABLE: "Telnyx will try again; see the log's own messages",
    Result.UNCERTAIN: "Telnyx will try again; see the log's own messages",
    Result.OVERLOADED: "raise ingress.concurrent_max, or add an ingress",
}


class Ingress:
    """Takes webhooks in."""

    def __init__(
        self,
        settings: Settings,
        log: Appending,
        topic: str,
        clock: Clock,
        metrics: IngressMetrics | None = None,
        spool: Spool | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        """`topic` is where webhooks are written; `spool`, where they are kept meanwhile if that is not to be had."""
        self._limits = settings.ingress
        self._log = log
        self._topic = topic
        self._clock = clock
        self._metrics = metrics or IngressMetrics()
        self._spool = spool
        self._tracer = tracer
        self._default = settings.account_or_default()
        self._secrets = {name: account.read_dial_url_secret() for name, account in settings.accounts.items()}
        self._verifiers = {
            name: Verifier(key, self._limits.signature_age_seconds_max)
            for name, account in settings.accounts.items()
            if (key := account.public_key()) is not None
        }
        self._kept = Recent(self._limits.remembered_ids_max)
        self._said = Seldom(clock)
        self._in_hand = 0

    def app(self) -> Starlette:
        """The application behind the public port."""
        front = "/webhooks/telnyx"
        paths = [front, f"{front}/{{account}}", f"{front}/{{account}}/dials/{{command_id}}/{{mac}}"]
        app = Starlette(
            routes=[Route(path, self._answering(self._take), methods=["POST"]) for path in paths],
            exception_handlers={
                404: self._refusing(Result.UNKNOWN_PATH),
                405: self._refusing(Result.WRONG_METHOD),
            },
        )
        app.router.redirect_slashes = False
        return app

    def _answering(self, take: Callable[[Request], Awaitable[Result]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                result = await take(request)
            except Refused as refusal:
                self._tell(refusal.result, request.path_params.get("account", ""), refusal.detail)
                return response_to(refusal.result, refusal.detail)
            except Exception:
                _log.exception("webhook not kept")
                self._metrics.count(Result.BROKEN)
                return response_to(Result.BROKEN)
            self._metrics.count(result)
            return response_to(result)

        return answer

    def _refusing(self, result: Result) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def refuse(request: Request, error: Exception) -> Response:
            self._tell(result, "", "")
            return response_to(result)

        return refuse

    async def _take(self, request: Request) -> Result:
        """See one webhook through to its end. Raises Refused."""
        account, command_id = self._addressed(request)
        if self._in_hand >= self._limits.concurrent_max:
            raise Refused(Result.OVERLOADED)
        self._in_hand += 1
        self._metrics.in_hand.set(self._in_hand)
        try:
            began = asyncio.get_running_loop().time()
            delivery = await self._verified(request, account, command_id)
            result = await self._traced(_parsed(delivery.body), delivery)
            if result in {Result.ACCEPTED, Result.SPOOLED}:
                self._metrics.durable(asyncio.get_running_loop().time() - began)
            return result
        finally:
            self._in_hand -= 1
            self._metrics.in_hand.set(self._in_hand)

    def _addressed(self, request: Request) -> tuple[str, str]:
        """The account and, at a dial's address, the command id."""
        account = request.path_params.get("account", self._default)
        if account not in self._verifiers:
            raise Refused(Result.UNKNOWN_ACCOUNT)
        if "mac" not in request.path_params:
            return account, ""
        command_id = command_id_of(request.path_params["command_id"])
        secret = self._secrets[account]
        if secret is None or not check_mac(account, command_id, request.path_params["mac"], secret):
            raise Refused(Result.BAD_SEAL)
        return account, command_id

    async def _verified(self, request: Request, account: str, command_id: str) -> Delivery:
        signature = request.headers.get(SIGNATURE_HEADER, "")
        timestamp = request.headers.get(TIMESTAMP_HEADER, "")
        signed = bool(signature and timestamp)
        if signed:
            self._verifiers[account].check_time(timestamp, self._clock.now_ms())
        body = await read_body(request, self._limits.body_bytes_max, self._limits.body_seconds_max)
        if not signed:
            raise Refused(_unsigned(body))
        self._verifiers[account].check(timestamp, signature, body)
        traceparent = request.headers.get("traceparent", "")
        return Delivery(account, body, signature, timestamp, command_id, traceparent)

    async def _traced(self, webhook: Webhook, delivery: Delivery) -> Result:
        """Keep a webhook; a span of it, where it is traced. What is not genuine begins none."""
        if self._tracer is None:
            return await self._keep(webhook, delivery)
        with arriving(self._tracer, webhook, delivery, self._topic) as (traced, arrival):
            arrival.result = await self._keep(webhook, traced)
            return arrival.result

    async def _keep(self, webhook: Webhook, delivery: Delivery) -> Result:
        # The same event at another address has another record to write, so the address is part of what is remembered.
        identity = (delivery.account, delivery.command_id, webhook.id)
        if identity in self._kept:
            return Result.REPEATED
        records = records_of(webhook, delivery, self._topic)
        result = Result.LOG_UNAVAILABLE
        if self._spool is None or not self._spool.log_is_away:
            result = await self._into_log(records)
        if result is not Result.ACCEPTED and self._spool is not None and await self._into_spool(records, self._spool):
            result = Result.SPOOLED
        if result not in {Result.ACCEPTED, Result.SPOOLED}:
            raise Refused(result)
        self._kept.add(identity)
        return result

    async def _into_log(self, records: list[NewRecord]) -> Result:
        seconds = self._limits.durable_seconds_max
        if self._spool is not None:
            seconds = min(seconds, self._limits.spool_after_seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._log.append(records)
        except (AppendUncertain, TimeoutError):
            return Result.UNCERTAIN
        except LogError:
            return Result.LOG_UNAVAILABLE
        return Result.ACCEPTED

    async def _into_spool(self, records: list[NewRecord], spool: Spool) -> bool:
        try:
            async with asyncio.timeout(self._limits.durable_seconds_max):
                await spool.put(records)
        except (SpoolFailed, TimeoutError) as error:
            if self._said.now("spool"):
                _log.error("a webhook could not be spooled either", why=str(error) or "the disk took too long")
            return False
        return True

    def _tell(self, result: Result, account: str, detail: str) -> None:
        """Count a refusal, and say it where that helps: once a minute, because refusals come in floods."""
        self._metrics.count(result)
        account = account[:_NAME_LENGTH_MAX]  # It comes from outside.
        if result in _ADVICE and self._said.now((result, account)):
            _log.warning("webhook refused", reason=result.value, account=account, detail=detail, advice=_ADVICE[result])


def ingress_server(
    settings: Settings,
    log: Appending,
    topic: str,
    clock: Clock,
    metrics: IngressMetrics | None = None,
    spool: Spool | None = None,
    tracer: Tracer | None = None,
    tls: ssl.SSLContext | None = None,
) -> HttpServer:
    """The public port, ready to be started."""
    ingress = Ingress(settings, log, topic, clock, metrics, spool, tracer)
    chosen = settings.ingress
    return HttpServer(
        ingress.app(),
        chosen.host,
        chosen.port,
        bounds=chosen.bounds(),
        drain_seconds=chosen.drain_seconds,
        tls=tls,
    )


def _parsed(body: bytes) -> Webhook:
    try:
        return parse(body)
    except FormatOneWebhook:
        raise Refused(Result.FORMAT_ONE) from None
    except MalformedWebhook as error:
        raise Refused(Result.MALFORMED, str(error)) from None


def _unsigned(body: bytes) -> Result:
    """Why a body came without our signature: webhooks of API v1 have none of ours, and that has its own advice."""
    try:
        parse(body)
    except FormatOneWebhook:
        return Result.FORMAT_ONE
    except MalformedWebhook:
        pass
    return Result.UNSIGNED
