"""The trial of the pace in real time: the sandbox in a process of its own, Cordboard here on the embedded log.

`make bench-pacing`. It takes some half a minute, asks nobody outside this machine, and leaves nothing behind.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx
import uvloop

from bench import processes
from bench.pacing import Asked, Place, Plan, Told, Trial, settings_for
from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.roles.topics import specs_of, topics_of
from workers.telnyx import Telnyx

_AUTHORIZATION = {"authorization": "Bearer bench"}


class Sandbox:
    """What the trial asks of the sandbox."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def call(self) -> str:
        """Somebody calls, and is answered."""
        made = await self._client.post(
            f"{self._url}/sandbox/calls", json={"from": "+15550100009", "to": "+15550100008"}
        )
        call = str(made.raise_for_status().json()["call_control_id"])
        path = f"/v2/calls/{call}/actions/answer"
        (await self._client.post(self._url + path, json={}, headers=_AUTHORIZATION)).raise_for_status()
        return call

    async def limit(self, plan: Plan) -> None:
        """From now on no more than the plan says."""
        limits = {"requests_per_second": plan.requests_per_second, "dials_per_second": plan.dials_per_second}
        (await self._client.put(f"{self._url}/sandbox/settings", json=limits)).raise_for_status()

    async def asked(self) -> Sequence[Asked]:
        """Everything that it was asked for."""
        effects = (await self._client.get(f"{self._url}/sandbox/effects")).raise_for_status().json()["effects"]
        return [
            Asked(
                one["time"],
                one["action"],
                one["status"],
                one["call_control_id"] or "",
                (one["body"] or {}).get("from", ""),
            )
            for one in effects
        ]


async def measure(plan: Plan, folder: Path) -> Told:
    """Measure in `folder`."""
    settings, clock = settings_for(plan, folder / "log.sqlite3"), SystemClock()
    topics, partitions = topics_of(settings), settings.log.partitions
    async with processes.sandbox() as (url, _), httpx.AsyncClient(timeout=30.0) as client:
        sandbox = Sandbox(url, client)
        log = await EmbeddedLog.open(settings.log.path, specs_of(settings), partitions, clock, topics.inputs)
        clients: list[Telnyx] = []

        def hand() -> Telnyx:
            clients.append(Telnyx(f"{url}/v2", lambda: "bench"))
            return clients[-1]

        place = Place(
            log=log, clock=clock, client=hand, call=sandbox.call, ready=lambda: sandbox.limit(plan), asked=sandbox.asked
        )
        told = await Trial(plan, place).run()
        await asyncio.gather(*(client.close() for client in clients))
        await log.close()
        return told


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=float, default=40.0, help="requests that Telnyx takes each second")
    parser.add_argument("--dials", type=float, default=10.0, help="dials that Telnyx takes each second")
    parser.add_argument("--times", type=int, default=10, help="how many times as much is asked")
    parser.add_argument("--seconds", type=float, default=20.0, help="for how long")
    given = parser.parse_args()
    plan = Plan(
        requests_per_second=given.requests, dials_per_second=given.dials, times=given.times, seconds=given.seconds
    )
    with tempfile.TemporaryDirectory() as folder:
        told = uvloop.run(measure(plan, Path(folder)))
    print("\n".join(told.lines()), file=sys.stdout)


if __name__ == "__main__":
    main()
