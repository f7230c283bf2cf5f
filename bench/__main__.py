"""`make bench`: the whole loop beside the official SDK, in one run. Exit status 0 only if every promise held."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import embedded, on_kafka, report
from bench.measuring import say

_ROUNDS: Final = 3
_QUIET_CALLS: Final = 20_000
_RESTORED_PAGES: Final = 200_000
_WARM_UPS: Final = 12
_QUICK: Final = {"rounds": 1, "quiet_calls": 2_000, "restored_pages": 20_000, "warm_ups": 1}


async def _run(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    told: dict[str, Any] = {"machine": report.machine()}
    logs = ("embedded", "kafka") if given.log == "both" else (given.log,)
    for log in logs:
        (folder / log).mkdir()
        if log == "embedded":
            told[log] = await embedded.run(folder / log, given.rounds, given.quiet_calls)
        else:
            told[log] = await on_kafka.run(folder / log, given.rounds, given.restored_pages, given.warm_ups)
    return told


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="The whole loop beside the official SDK.")
    parser.add_argument("--log", choices=("embedded", "kafka", "both"), default="both")
    parser.add_argument("--quick", action="store_true", help="one round, and less to restore: to see that it runs")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--quiet-calls", type=int, default=_QUIET_CALLS, help="0: none are weighed")
    parser.add_argument("--restored-pages", type=int, default=_RESTORED_PAGES, help="0: none are restored")
    parser.add_argument("--warm-ups", type=int, default=_WARM_UPS, help="measurements that only warm the broker up")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    given = parser.parse_args()
    if given.quick:
        vars(given).update(_QUICK)
    return given


def _show(told: dict[str, Any]) -> None:
    for name in ("embedded", "kafka"):
        if part := told.get(name):
            print(report.table(part["rows"]))
            for title in ("ratios", "quiet_call", "restore"):
                for what, value in part.get(title, {}).items():
                    print(f"{what}: {value}")


def _main() -> int:
    given = _arguments()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    # Beside the result, on a real disk: a temporary folder may be memory, whose fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.json.parent.absolute()) as folder:
        told = asyncio.run(_run(Path(folder), given))
    given.json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    _show(told)
    say(f"{time.perf_counter() - started:.0f} s; all of it is in {given.json}")
    failures = [failure for name in ("embedded", "kafka") for failure in told.get(name, {}).get("failures", ())]
    for failure in failures:
        say(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(_main())
