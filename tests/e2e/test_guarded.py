"""Everything that keeps others out, at once: the demonstration, and a short chaos, with TLS, tokens and SASL all on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from brokers import Cluster
from cordboard.cli.exits import Status
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.e2e.apart import Pieces
from tests.e2e.chaos_apart import chaos
from tests.e2e.guards import LISTENER, Guards
from tests.e2e.process import ROOT

pytestmark = [pytest.mark.usefixtures("own_brokers"), pytest.mark.timeout(600)]

Record = Callable[[str, object], None]
NAMES = ("dispatcher-1", "dispatcher-2", "worker-1", "ingress")


@pytest.fixture
def guards(tmp_path: Path) -> Guards:
    return Guards(tmp_path / "guards")


@pytest.fixture
def cluster(tmp_path: Path, guards: Guards) -> Iterator[Cluster]:
    with Cluster(tmp_path / "kafka", listeners=[guards.listener], forget=True) as cluster:
        yield cluster


async def said(folder: Path, shown: dict[str, str], *words: str) -> tuple[int, str]:
    """What the command line says with this in its environment, and its exit status."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cordboard", *words),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **shown},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_the_demonstration_behind_every_guard(tmp_path: Path, guards: Guards, cluster: Cluster) -> None:
    """
    It comes out right for who shows a certificate and a token; without either it is told what is missing.
    """
    async with Server(SandboxSettings(port=0, speed=20.0)) as sandbox:
        servers = cluster.servers_of(LISTENER)
        pieces = Pieces(tmp_path, servers, "guarded", sandbox.base_url, sandbox.public_key, NAMES, guards.environment)
        sandbox_url = sandbox.base_url.removesuffix("/v2")
        async with pieces:
            sandbox.settings.webhook_url = pieces.webhook_url
            target = pieces["dispatcher-2"].places["grpc"]
            asked = (f"--target={target}", "--tls-name=dispatchers.example")
            demo = ("demo", *asked, f"--sandbox={sandbox_url}")
            status, out = await said(tmp_path, guards.shown, *demo)
            assert (status, "every step came out right" in out) == (Status.OK, True), out

            without_token = {name: value for name, value in guards.shown.items() if name != "CORDBOARD_TOKEN"}
            status, out = await said(
                tmp_path, without_token, "status", f"--target={target}", "--tls-name=dispatchers.example"
            )
            assert (status != Status.OK, "CORDBOARD_TOKEN" in out) == (True, True), out
            without_certificate = {"CORDBOARD_TLS_CA": str(guards.made.ca), "CORDBOARD_TOKEN": guards.token}
            status, out = await said(tmp_path, without_certificate, *demo)
            assert (status, "asks for a certificate" in out) == (Status.UNREACHABLE, True), out


async def test_the_promises_hold_behind_every_guard(tmp_path: Path, record_property: Record) -> None:
    """
    Killed, frozen and restarted, brokers too, while certificates, tokens and passwords are asked for everywhere.
    """
    summary = await chaos(tmp_path, seed=2, faults=6, tell=print, guarded=True)

    record_property("summary", str(summary))
    assert summary.violations == [], f"see {tmp_path}"
    assert summary.states["SUCCEEDED"] > 50, "there was no load to speak of"
