"""`cordboard dev`: every role in one process on the embedded log, with the sandbox or the real Telnyx behind it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from cordboard import journal
from cordboard.cli.banner import Places, after_demo, banner
from cordboard.cli.demo.play import play
from cordboard.cli.exits import Failure, Status
from cordboard.cli.keys import Keys, keys_in
from cordboard.cli.running import ready_file, sentences, unless
from cordboard.cli.screen import Screen
from cordboard.cli.target import Target
from cordboard.clock import Clock
from cordboard.roles.desk import Desk
from cordboard.roles.listening import CannotListen, address, naming
from cordboard.settings import EVERY_DUTY, Settings, SettingsError, load, secrets_of
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings

ACCOUNT: Final = "dev"
_NEEDED: Final = {
    "TELNYX_API_KEY": "the API key, from the portal's page API Keys",
    "TELNYX_PUBLIC_KEY": "the key that webhooks verify against, from the same page",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What was asked for. Ports: 0 picks one."""

    data: Path
    telnyx: bool = False
    demo: bool = False
    host: str = "127.0.0.1"
    grpc_port: int = 50051
    ingress_port: int = 8080
    rest_port: int = 8081
    operations_port: int = 9464
    sandbox_port: int = 8012
    speed: float = 1.0
    log_level: str = "warning"
    ready_file: Path | None = None


def checked(plan: Plan, environ: Mapping[str, str]) -> Plan:
    """The plan, if it can be carried out. Raises Failure that names everything missing."""
    if plan.telnyx and plan.demo:
        raise Failure("--demo makes calls in the sandbox, which --telnyx does without: choose one", Status.USAGE)
    missing = [f"  {name}: {what}" for name, what in _NEEDED.items() if not environ.get(name)] if plan.telnyx else []
    if missing:
        raise Failure("\n".join(["--telnyx needs in the environment:", *missing]), Status.USAGE)
    return plan


async def dev(plan: Plan, stopping: asyncio.Event, clock: Clock, rng: Random, screen: Screen) -> int:
    """Serve until told to stop. The status is the demonstration's, where one was asked for."""
    with sentences(), _options():
        keys = keys_in(plan.data, rng)
        async with _desk(plan, keys, stopping, clock, rng) as places:
            if places is None:
                return Status.OK
            with ready_file(plan.ready_file, places.as_json()):
                return await _serve(plan, places, stopping, screen)


async def _serve(plan: Plan, places: Places, stopping: asyncio.Event, screen: Screen) -> int:
    if plan.demo and places.sandbox is not None:
        status = await unless(stopping, play(Target(places.grpc), places.sandbox, screen))
        if status is not Status.OK:
            return Status.OK if status is None else status  # None: stopped in the middle, as asked.
        after_demo(screen)
    banner(screen, places)
    await stopping.wait()
    return Status.OK


@contextmanager
def _options() -> Iterator[None]:
    """Say with which option another port is chosen."""
    try:
        yield
    except CannotListen as error:
        raise Failure(f"{error}. Is another one running? --port-{error.section} chooses another port") from error


@asynccontextmanager
async def _desk(
    plan: Plan, keys: Keys, stopping: asyncio.Event, clock: Clock, rng: Random
) -> AsyncIterator[Places | None]:
    """Everything started; None where the stop came before that."""
    async with _telnyx(plan, keys) as sandbox:
        settings = settings_for(plan, keys, sandbox, os.environ)
        journal.configure(settings.logging, secrets_of(settings), clock)
        desk = Desk(settings, clock, rng, telnyx_is_local=sandbox is not None)
        if await unless(stopping, desk.__aenter__()) is None:
            yield None
            return
        try:
            yield _places(plan, settings, desk, sandbox, rng)
        finally:
            await desk.__aexit__()


@asynccontextmanager
async def _telnyx(plan: Plan, keys: Keys) -> AsyncIterator[Server | None]:
    """The sandbox, unless the real one is asked for."""
    if plan.telnyx:
        yield None
        return
    settings = SandboxSettings(host=plan.host, port=plan.sandbox_port, speed=plan.speed, signing_key=keys.signing_key)
    with naming("sandbox", plan.host, plan.sandbox_port):
        server = Server(settings)
        await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _places(plan: Plan, settings: Settings, desk: Desk, sandbox: Server | None, rng: Random) -> Places:
    ingress = desk.ingress.url if desk.ingress is not None else ""
    webhooks = f"{ingress}/webhooks/telnyx/{ACCOUNT}"
    if sandbox is not None:
        sandbox.settings.webhook_url = webhooks  # For calls that come in; those dialled here have their own.
    return Places(
        grpc=address(plan.host, desk.grpc_port),
        rest=f"{desk.rest.url}/v2" if desk.rest is not None else "",
        webhooks=webhooks,
        operations=desk.operations.url,
        sandbox=sandbox.root_url if sandbox is not None else None,
        telnyx=settings.accounts[ACCOUNT].base_url,
        public_url=settings.accounts[ACCOUNT].public_url,
        data=plan.data,
        command=_command(),
        first_id=f"first-{rng.getrandbits(32):08x}",
    )


def settings_for(plan: Plan, keys: Keys, sandbox: Server | None, environ: Mapping[str, str]) -> Settings:
    """The settings that the plan stands for; neither a settings file nor CORDBOARD_... variables are read."""
    table = {
        "accounts": {ACCOUNT: _account(keys, sandbox, environ)},
        "default_account": ACCOUNT,
        # A log for each, so that what waits for calls of the sandbox can never be sent to the real Telnyx.
        "log": {"path": plan.data / f"{_behind(sandbox)}.sqlite3"},
        "recorder": {"kind": "sqlite", "path": plan.data / f"{_behind(sandbox)}-recorder.sqlite3"},
        "grpc": {"host": plan.host, "port": plan.grpc_port},
        "ingress": {"host": plan.host, "port": plan.ingress_port},
        "rest": {"host": plan.host, "port": plan.rest_port},
        "operations": {"host": plan.host, "port": plan.operations_port},
        "logging": {"level": plan.log_level},
    }
    try:
        return load(Path(os.devnull), {}, table, EVERY_DUTY)
    except SettingsError as error:
        raise Failure(str(error), Status.USAGE) from None


def _behind(sandbox: Server | None) -> str:
    return "telnyx" if sandbox is None else "sandbox"


def _account(keys: Keys, sandbox: Server | None, environ: Mapping[str, str]) -> dict[str, Any]:
    if sandbox is not None:
        return {
            "api_key": "sandbox",
            "base_url": sandbox.base_url,
            "webhook_public_key": keys.public_key,
            "dial_url_secret": keys.dial_url_secret,
        }
    return {
        "api_key": environ["TELNYX_API_KEY"],
        "webhook_public_key": environ["TELNYX_PUBLIC_KEY"],
        "public_url": environ.get("CORDBOARD_PUBLIC_URL") or None,
        "dial_url_secret": keys.dial_url_secret,
    }


def _command() -> str:
    """How this program can be called from where its user is."""
    program = Path(sys.argv[0])
    if program.stem != "cordboard":
        return "python -m cordboard"
    shown = os.path.relpath(program)
    return "cordboard" if shown.startswith("..") else shown
