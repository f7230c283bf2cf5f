"""What `cordboard dev` says when it is up: where everything is, and how a first command is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.text import Text

from cordboard.cli.screen import Screen

_TO, _FROM = "+12025550100", "+12025550199"  # Numbers that belong to nobody.


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where everything is. `sandbox` None: the real Telnyx, at `telnyx`. `command`: how this program is called.

    `first_id`: an id for a first command, new at each start, because the last start's may be remembered.
    """

    grpc: str
    rest: str
    webhooks: str
    operations: str
    sandbox: str | None
    telnyx: str
    public_url: str | None
    data: Path
    command: str
    first_id: str

    def as_json(self) -> dict[str, Any]:
        """The addresses, for programs."""
        return {
            "grpc": self.grpc,
            "rest": self.rest,
            "webhooks": self.webhooks,
            "operations": self.operations,
            "sandbox": self.sandbox,
            "telnyx": self.telnyx,
        }


def banner(screen: Screen, places: Places) -> None:
    """Where things are, and what to do next."""
    if screen.json:
        screen.record({"ready": places.as_json()})
        return
    screen.show(Text("Cordboard is up, for development only: no TLS, and whoever reaches a port may use it.", "bold"))
    screen.show()
    for name, address, what in _table(places):
        screen.line((f"  {name}", 12, ""), (address, 44, "cyan"), (what, 0, "dim"))
    screen.show()
    screen.show(Text("A first command" + (", from another terminal:" if places.sandbox else ":"), "bold"))
    for example in _examples(places):
        screen.show(f"\n  {example}")
    screen.show()
    screen.show(Text("What happens, as it happens:", "bold"))
    screen.show(f"\n  {places.command} watch{_target(places)}\n")
    screen.show(Text("Ctrl-C stops it.", "dim"))


def after_demo(screen: Screen) -> None:
    """What stands between a demonstration and the banner."""
    if not screen.json:
        screen.show()


def _table(places: Places) -> Iterator[tuple[str, str, str]]:
    yield "gRPC", places.grpc, "commands in; results, completions and events out"
    key = "sandbox" if places.sandbox else "the account's"
    yield "REST", places.rest, f"Telnyx's own API, for its SDKs; the API key is {key}"
    yield "webhooks", places.webhooks, "where Telnyx reports what happens"
    yield "operations", places.operations, "/metrics  /healthz  /startz  /readyz"
    if places.sandbox:
        yield "sandbox", places.sandbox, "stands in for Telnyx; /sandbox/effects is what really happened"
    else:
        yield "Telnyx", places.telnyx, "the real one: calls ring, and cost money"
        outside = places.public_url or "CORDBOARD_PUBLIC_URL is not set"
        yield "outside", outside, "how Telnyx reaches the webhooks' port" + ("" if places.public_url else ", if at all")
    yield "data", f"{places.data}", "kept until removed"


def _examples(places: Places) -> Iterator[str]:
    connection = "demo" if places.sandbox else "YOUR-CONNECTION-ID"
    to, caller = (_TO, _FROM) if places.sandbox else ("+1...", "+1...")
    request = {
        "command": {"command_id": places.first_id, "dial": {"to": to, "from": caller, "connection_id": connection}},
        "wait_for": "WAIT_FOR_COMPLETION",
    }
    yield (
        f"{places.command} send dial --to {to} --from {caller} --connection-id {connection} "
        f"--wait completion{_target(places)}"
    )
    yield (
        f"grpcurl -plaintext -d '{orjson.dumps(request).decode()}' {places.grpc} cordboard.v1.DispatcherService/Execute"
    )


def _target(places: Places) -> str:
    """The option that names the dispatcher, where its place is not the usual one."""
    return "" if places.grpc == "127.0.0.1:50051" else f" --target {places.grpc}"
