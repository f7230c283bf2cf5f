"""The operations port: what a monitoring system, an orchestrator and a person at night ask a process.

/loglevel tells at which level is logged, and changes it (PUT); where identities are configured that takes the token, or
the certificate, of one with the right to operate. All else here is open to whoever reaches the port: it tells of no
call.

/metrics is for Prometheus. /healthz says that the event loop turns and nothing more: a process must not be restarted
because the log or Telnyx is away. /startz says whether the start is over, restores included: until then an orchestrator
must be patient, however busy the process is. /readyz asks the named checks and says which of them fail.
"""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Protocol

import msgspec
import orjson
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cordboard.access import Access, Denied, NotKnown, Proof, Right
from cordboard.http_caller import caller_of
from cordboard.http_server import HttpServer
from cordboard.log.port import LogError
from cordboard.settings import Operations

# A check gives None when all is well, else a sentence that says what is not. What it raises counts as not well.
Check = Callable[[], Awaitable[str | None] | str | None]

# The check that is there only while the process starts or stops.
STARTED: Final = "started"


_WANTED_BYTES_MAX: Final = 1024
_WANTED_SECONDS_MAX: Final = 5.0


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked of the log's level."""

    level: Literal["debug", "info", "warning", "error"]
    seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = None


_wanted: Final = msgspec.json.Decoder(_Wanted)


class Remark(str):
    """What a check has to say although all is well."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Excused:
    """A check that may fail while the process is ready: `why` says what stands in for it."""

    check: Check
    why: str

    def __call__(self) -> Awaitable[str | None] | str | None:
        """Ask the check itself."""
        return self.check()


class Levels(Protocol):
    """The level of the logs."""

    @property
    def now(self) -> str:
        """The level at which is logged now."""

    @property
    def usual(self) -> str:
        """That of the settings."""

    def change(self, to: str, seconds: float | None = None) -> None:
        """Log at another level, for so long or for good."""


def operations_server(
    settings: Operations,
    checks: Mapping[str, Check],
    registry: CollectorRegistry = REGISTRY,
    levels: Levels | None = None,
    access: Access | None = None,
    tls: ssl.SSLContext | None = None,
) -> HttpServer:
    """The operations port, ready to be started. `checks` may be filled and changed while it runs."""
    app = operations_app(checks, registry, settings.check_seconds_max, levels, access)
    return HttpServer(app, settings.host, settings.port, bounds=settings.bounds(), drain_seconds=1, tls=tls)


def operations_app(
    checks: Mapping[str, Check],
    registry: CollectorRegistry = REGISTRY,
    check_seconds_max: float = 2.0,
    levels: Levels | None = None,
    access: Access | None = None,
) -> Starlette:
    """The application behind the port. `access` says who changes the level; None: everybody may."""

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def healthz(request: Request) -> Response:
        return _json(200, {"alive": True})

    async def startz(request: Request) -> Response:
        started = STARTED not in checks
        return _json(200 if started else 503, {"started": started})

    async def readyz(request: Request) -> Response:
        said = await asked(checks, check_seconds_max)
        failing = _failing(said)
        answers = {name: answer or "ok" for name, answer in said.items()}
        return _json(503 if failing else 200, {"ready": not failing, "failing": sorted(failing), "checks": answers})

    pages = {"/metrics": metrics, "/healthz": healthz, "/startz": startz, "/readyz": readyz}
    routes = [Route(path, page) for path, page in pages.items()]
    return Starlette(routes=[*routes, *_level_routes(levels, access)])


def _level_routes(levels: Levels | None, access: Access | None) -> list[Route]:
    if levels is None:
        return []

    async def tell(request: Request) -> Response:
        return _json(200, {"level": levels.now, "usual": levels.usual})

    async def change(request: Request) -> Response:
        if access is not None and (denial := _denial(access, request)) is not None:
            return denial
        try:
            async with asyncio.timeout(_WANTED_SECONDS_MAX):
                wanted = _wanted.decode(await _read_up_to(request, _WANTED_BYTES_MAX))
        except TimeoutError:
            return _json(408, {"error": f"the body did not come within {_WANTED_SECONDS_MAX:g} s"})
        except (msgspec.MsgspecError, ValueError) as error:
            return _json(400, {"error": f'expected {{"level": "debug", "seconds": 600}}, seconds optional: {error}'})
        levels.change(wanted.level, wanted.seconds)
        return await tell(request)

    return [Route("/loglevel", tell, methods=["GET"]), Route("/loglevel", change, methods=["PUT"])]


def _denial(access: Access, request: Request) -> Response | None:
    """The answer to who may not give orders; None for who may."""
    proof = Proof.of(request.headers.get("authorization", ""), caller_of(request.scope))
    try:
        access.caller(proof).need(Right.OPERATE)
    except Denied as denied:
        return _json(401 if isinstance(denied, NotKnown) else 403, {"error": str(denied)})
    return None


async def _read_up_to(request: Request, size_max: int) -> bytes:
    """A small body. Raises ValueError where it is larger."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > size_max:
            raise ValueError(f"the body has more than {size_max} bytes")
    return bytes(body)


async def failing_checks(checks: Mapping[str, Check], check_seconds_max: float = 2.0) -> dict[str, str]:
    """The checks that fail, asked side by side, each with the sentence that says why."""
    return _failing(await asked(checks, check_seconds_max))


async def asked(checks: Mapping[str, Check], check_seconds_max: float) -> dict[str, str | None]:
    """What all checks say, asked side by side; a Remark where it is excused."""
    named = list(checks.items())
    answers = await asyncio.gather(*(_judged(check, check_seconds_max) for _, check in named))
    return {name: answer for (name, _), answer in zip(named, answers, strict=True)}


def _failing(said: Mapping[str, str | None]) -> dict[str, str]:
    return {name: answer for name, answer in said.items() if answer is not None and not isinstance(answer, Remark)}


async def _judged(check: Check, seconds_max: float) -> str | None:
    answer = await _answer(check, seconds_max)
    return Remark(f"{answer}; {check.why}") if answer is not None and isinstance(check, Excused) else answer


async def _answer(check: Check, seconds_max: float) -> str | None:
    try:
        async with asyncio.timeout(seconds_max):
            answer = check()
            return await answer if inspect.isawaitable(answer) else answer
    except TimeoutError:
        return f"no answer within {seconds_max:g} s"
    except LogError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:  # whatever a check meets, the port must answer; its text may be private
        return type(error).__name__


def _json(status: int, value: object) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers={"cache-control": "no-store"})
