"""`cordboard sandbox`: the stand-in for Telnyx, alone."""

from __future__ import annotations

import asyncio

from cordboard.cli.exits import Status
from cordboard.cli.running import sentences
from cordboard.cli.screen import Screen
from cordboard.roles.listening import naming
from sandbox.server import Server
from sandbox.settings import Settings


async def serve_sandbox(settings: Settings, stopping: asyncio.Event, screen: Screen) -> int:
    """Serve until told to stop. Raises Failure where the port cannot be had."""
    server = Server(settings)
    with sentences(), naming("sandbox", settings.host, settings.port):
        await server.start()
    try:
        _announce(server, screen)
        await stopping.wait()
    finally:
        await server.stop()
    return Status.OK


def _announce(server: Server, screen: Screen) -> None:
    places = {
        "api": server.base_url,
        "own": f"{server.root_url}/sandbox",
        "webhooks": server.settings.webhook_url or "each call's own webhook_url",
        "public_key": server.public_key,
    }
    if screen.json:
        screen.record({"ready": places})
        return
    screen.show("The sandbox is up: it stands in for Telnyx, and no telephone rings.\n")
    for (name, place), what in zip(
        places.items(),
        ("instead of https://api.telnyx.com/v2", "effects, calls, faults, settings, reset", "", "verifies webhooks"),
        strict=True,
    ):
        screen.line((f"  {name.replace('_', ' ')}", 12, ""), (place, 44, "cyan"), (what, 0, "dim"))
    screen.show("\nCtrl-C stops it.")
