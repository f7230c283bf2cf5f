"""All roles in one real process with TLS at every port: from the command line to the webhook, and renewed meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from cordboard.cli.exits import Status
from cordboard.client import Client, Tls
from cordboard.v1 import Command, Hangup
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.e2e.apart import Pieces, until
from tests.e2e.process import ROOT, Cordboard
from tests.promises.stage import ANSWERS_AT_ONCE, OWN_NUMBER
from tests.tls.made import Made, serial, serial_shown

NOBODYS_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


class World:
    """The process, its certificates, a client's, and Telnyx's stand-in, which posts webhooks over TLS."""

    def __init__(self, folder: Path) -> None:
        self.made = Made(folder / "certificates")
        self.client_pair = self.made.issue("client", "client.example")
        self.public = Made(folder / "public")
        self._trusting = self.public.client_context()
        settings = SandboxSettings(port=0, speed=20.0, webhook_backoff_seconds=0.1)
        self.sandbox = Server(settings, post=self._post)
        self._folder = folder
        self.operations_port = 0
        self.cordboard: Cordboard

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        async with httpx.AsyncClient(verify=self._trusting) as client:
            return (await client.post(url, headers=headers, content=body)).status_code

    def start(self) -> None:
        """Start the process by its settings."""
        made, public = self.made, self.public
        more = {
            "CERTIFICATE_FILE": made.server,
            "KEY_FILE": made.server_key,
            "CLIENT_CA_FILE": made.ca,
            "OPERATIONS": "true",
            "PUBLIC_CERTIFICATE_FILE": public.server,
            "PUBLIC_KEY_FILE": public.server_key,
        }
        environment = {f"CORDBOARD_TLS__{name}": str(value) for name, value in more.items()}
        self.cordboard = Cordboard(self._folder, self.sandbox.base_url, self.sandbox.public_key, environment)
        own_url = self.cordboard.webhook_url.replace("http:", "https:")
        self.sandbox.settings.webhook_url = own_url
        self.cordboard._environment["CORDBOARD_ACCOUNTS__MAIN__PUBLIC_URL"] = own_url.partition("/webhooks")[0]
        self.cordboard.start()

    def ports(self) -> dict[str, int]:
        """Of all servers, by name."""
        return {name: int(place.rpartition(":")[2]) for name, place in self.cordboard.places.items()}

    async def run(self, *words: str, shown: bool = True) -> tuple[int, str, str]:
        """The command line, told by its environment whom to trust, and what to show."""
        told = {"CORDBOARD_TLS_CA": str(self.made.ca)}
        if shown:
            told |= dict(
                zip(("CORDBOARD_TLS_CERTIFICATE", "CORDBOARD_TLS_KEY"), map(str, self.client_pair), strict=True)
            )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cordboard", *words, f"--target={self.cordboard.target}"),
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **told},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    async with made.sandbox:
        made.start()
        try:
            await until(lambda: made.cordboard.up, "the process")
            yield made
        finally:
            made.cordboard.abandon()


@pytest.mark.timeout(300)  # A process, and several of the command line.
async def test_a_call_with_tls_at_every_port(world: World):
    """
    Dialled from the command line, completed by a webhook, hung up by the client; looked at by each of the other ports.
    """
    dial = ("--to", ANSWERS_AT_ONCE, "--from", OWN_NUMBER, "--connection-id", "c")
    status, out, err = await world.run("send", "dial", *dial, "--wait=completion", "--output=json")
    assert status == 0, err + world.cordboard.last_words()
    call = json.loads(out)["result"]["dialed"][0]["call_control_id"]
    assert call in (await world.run("call", call))[1]

    tls = Tls(world.made.ca, *world.client_pair)
    async with Client(world.cordboard.target, tls=tls) as client:
        hangup = await client.call(call).hangup()
        await hangup.completed()

    await the_other_ports_answer(world, call)
    status, _, err = await world.run("call", call, shown=False)
    assert (status, "asks for a certificate: give --tls-certificate" in err) == (Status.UNREACHABLE, True), err


async def the_other_ports_answer(world: World, call: str) -> None:
    """The REST door to who shows a certificate, the operations port to anybody, both over TLS alone."""
    places = world.cordboard.places
    assert [name for name, place in places.items() if place.startswith("https://")] == ["operations", "ingress", "rest"]
    async with httpx.AsyncClient(verify=world.made.client_context(world.client_pair)) as known:
        seen = await known.get(f"{places['rest']}/v2/calls/{call}", headers={"authorization": "Bearer key"})
        assert seen.status_code == 200, seen.text
    async with httpx.AsyncClient(verify=world.made.client_context()) as anybody:
        assert (await anybody.get(f"{places['operations']}/readyz")).status_code == 200
        with pytest.raises(httpx.TransportError):
            await anybody.get(f"{places['rest']}/v2/calls/{call}")


@pytest.mark.timeout(300)
async def test_certificates_are_renewed_and_refused_while_it_serves(world: World):
    """
    Each port shows the new one; one that has expired is shown by none, and that is to be seen.
    """
    context = world.made.client_context(world.client_pair)
    context.set_alpn_protocols(["h2", "http/1.1"])
    ports = world.ports()
    inside = [ports[name] for name in ("grpc", "rest", "operations")]
    before, public = serial(world.made.server), serial(world.public.server)

    world.made.issue("server", "localhost", "127.0.0.1")
    world.public.issue("server", "localhost", "127.0.0.1")
    after = serial(world.made.server)
    assert {await serial_shown(port, context) for port in inside} == {after} != {before}
    assert await serial_shown(ports["ingress"], world.public.client_context()) == serial(world.public.server) != public
    assert await refused(world) == {"tls.certificate_file": 0, "tls.public_certificate_file": 0}

    world.made.expired("server", "localhost", "127.0.0.1")
    assert {await serial_shown(port, context) for port in inside} == {after}
    assert await refused(world) == {"tls.certificate_file": 1, "tls.public_certificate_file": 0}
    said = world.cordboard.said("renewed certificates cannot be served; those of before serve on")
    assert "certificate_file" in said["why"]


async def refused(world: World) -> dict[str, Any]:
    """What the metrics say of each certificate."""
    async with httpx.AsyncClient(verify=world.made.client_context()) as client:
        text = (await client.get(f"{world.cordboard.places['operations']}/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("cordboard_certificate_refused{")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines}


async def test_an_expired_certificate_does_not_start(tmp_path: Path):
    """
    One sentence, by the setting, and the status of a mistake in the settings.
    """
    world = World(tmp_path)
    world.made.expired("server", "localhost")
    async with world.sandbox:
        world.start()
        try:
            await until(lambda: world.cordboard.ended, "its end")
        finally:
            world.cordboard.abandon()
    assert "tls.certificate_file (CORDBOARD_TLS__CERTIFICATE_FILE): must not have ended" in world.cordboard.output


@pytest.mark.timeout(400)  # A broker, two processes, and a group that has to form.
async def test_dispatchers_as_processes_ask_each_other_by_their_certificates(
    tmp_path: Path, kafka_servers: str, kafka_prefix: str
):
    """
    Reached by an address that no certificate has, known by a name that all of theirs have; any door tells of any call.
    """
    made = Made(tmp_path / "certificates", "dispatchers.example")
    more = {f"CORDBOARD_TLS__{name.upper()}": str(value) for name, value in made.settings(asks=True).items()}
    more["CORDBOARD_TLS__PEER_NAME"] = "dispatchers.example"
    names = ("dispatcher-1", "dispatcher-2")
    pieces = Pieces(tmp_path, kafka_servers, kafka_prefix, "http://127.0.0.1:1", NOBODYS_KEY, names, more)
    tls = Tls(made.ca, *made.issue("client"), server_name="dispatchers.example")
    calls = [f"call-{number}" for number in range(12)]
    async with pieces, AsyncExitStack() as stack:
        doors = [await stack.enter_async_context(Client(pieces[name].places["grpc"], tls=tls)) for name in names]
        for call in calls:
            await doors[0].submit(Command(command_id=f"of-{call}", call_control_id=call, hangup=Hangup()))
        for door in doors:
            assert [(await door.get_call(call)).call_control_id for call in calls] == calls
        owned = [await pieces.metric(name, "cordboard_partitions_owned") for name in names]
        assert min(owned) > 0, owned
        assert all(not piece.complaints() for piece in pieces)
