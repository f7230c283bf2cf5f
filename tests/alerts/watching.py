"""A real Prometheus that watches real processes by the shipped rules, in which time passes twenty times as fast."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from tests.alerts.rules import RULES, program
from tests.e2e.process import free_ports

FASTER: Final = 20
PATIENCE_SECONDS: Final = 240.0  # For what must happen; nothing is concluded from how soon it does.
_DURATION: Final = re.compile(r"(\[|offset |for: )(\d+)([mh])")
_SECONDS: Final = {"m": 60, "h": 3_600}
_CONFIG: Final = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: cordboard, static_configs: [{{targets: {targets}}}]}}]
"""


def faster(rules: str) -> str:
    """The rules with every time that they name a twentieth of what it is."""
    return _DURATION.sub(lambda found: f"{found[1]}{int(found[2]) * _SECONDS[found[3]] // FASTER}s", rules)


async def until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return when it holds; fail the test when it never does."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await holds():  # noqa: ASYNC110 - nobody tells of what is waited for
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


class Prometheus:
    """`async with` has it scrape these operations ports every second, and leaves nothing behind."""

    def __init__(self, folder: Path, operations: Sequence[str]) -> None:
        folder.mkdir()
        rules, config = folder / "rules.yaml", folder / "prometheus.yaml"
        rules.write_text(faster(RULES.read_text()))
        config.write_text(_CONFIG.format(rules=rules, targets=[urlsplit(url).netloc for url in operations]))
        (port,) = free_ports(1)
        self._output = (folder / "output.txt").open("wb")
        self._command = [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)

    async def __aenter__(self) -> Self:
        self._start()
        await until(self._is_ready, "Prometheus")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._output.close()
        await self._http.aclose()

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._output, stderr=self._output)

    def _must_run(self) -> None:
        assert self._process.poll() is None, Path(self._output.name).read_text()

    async def firing(self) -> set[str]:
        """The alerts that fire now."""
        told = (await self._http.get("/api/v1/alerts")).json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in told if alert["state"] == "firing"}

    async def value(self, expr: str) -> float:
        """What an expression is now; 0 where it is nothing."""
        found = (await self._http.get("/api/v1/query", params={"query": expr})).json()["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    async def _is_ready(self) -> bool:
        self._must_run()
        try:
            return (await self._http.get("/-/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False
