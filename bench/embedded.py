"""Cordboard in one process on the embedded log, beside the SDK; then what quiet calls cost it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench import processes, quiet, report
from bench.cells import Place
from bench.measuring import Measuring, say
from bench.plan import EMBEDDED
from bench.truth import Sandbox


async def run(folder: Path, rounds: int, quiet_calls: int) -> dict[str, Any]:
    """Measure in `folder`; `quiet_calls` 0 weighs none."""
    async with AsyncExitStack() as stack:
        url, sandbox_pid = await stack.enter_async_context(processes.sandbox())
        target, pid = await stack.enter_async_context(processes.cordboard(folder / "loop", url))
        sandbox = await stack.enter_async_context(Sandbox(url))
        place = Place(f"{url}/v2", target, {"cordboard": pid, "sandbox": sandbox_pid})
        measuring = await stack.enter_async_context(Measuring(place, folder, sandbox))
        rows = await measuring.measure(EMBEDDED, rounds)
    told = {"rows": rows, "ratios": report.ratios(measuring.measured), "failures": measuring.failures}
    if quiet_calls:
        say(f"{quiet_calls} quiet calls")
        async with processes.sandbox() as (url, _):
            told["quiet_call"] = await quiet.weigh(folder / "quiet", folder / "loop" / processes.LOG, url, quiet_calls)
    return told
