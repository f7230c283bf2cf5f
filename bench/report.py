"""From measurements to rows: medians over the rounds, as a table for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from bench.cells import EXECUTE, SDK, SDK_AIOHTTP, STREAM, Measured
from bench.plan import ALONE_CALLS, CALLS, Kind
from bench.truth import Faulty

Rounds = Sequence[tuple[Measured, Faulty]]
Row = dict[str, Any]

_COLUMNS: Final = {
    "system": "system",
    "in_flight": "in flight",
    "provider_ms": "provider ms",
    "per_second": "per second",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "cpu_ms_per_command": "CPU ms",
    "lost": "lost",
    "reordered": "reordered",
    "doubled": "doubled",
}


def row(kind: Kind, rounds: Rounds) -> Row:
    """What a kind came to. `cpu_ms_per_command` is of Cordboard's process, or the SDK's; others stand beside."""

    def median(value: Callable[[Measured], float], digits: int) -> float:
        return round(statistics.median(value(measured) for measured, _ in rounds), digits)

    def cpu(name: str) -> float:
        return median(lambda measured: measured.cpu_seconds[name] * 1000 / measured.count, 3)

    faulty = sum((faulty for _, faulty in rounds), Faulty())
    own, others = ("load", ["sandbox"]) if kind.system in {SDK, SDK_AIOHTTP} else ("cordboard", ["load", "sandbox"])
    return {
        "system": f"{kind.system}, {kind.calls} calls" if kind.calls < min(kind.in_flight, CALLS) else kind.system,
        "in_flight": kind.in_flight,
        "provider_ms": kind.provider_ms,
        "per_second": median(lambda measured: measured.count / measured.seconds, 1),
        "p50_ms": median(lambda measured: measured.p50_ms, 2),
        "p99_ms": median(lambda measured: measured.p99_ms, 2),
        "cpu_ms_per_command": cpu(own),
        "lost": faulty.lost,
        "reordered": faulty.reordered,
        "doubled": faulty.doubled,
        "calls": kind.calls,
        "commands": sum(measured.count for measured, _ in rounds),
        "per_second_rounds": [round(measured.count / measured.seconds, 1) for measured, _ in rounds],
        "other_cpu_ms_per_command": {name: cpu(name) for name in others},
    }


def ratios(measured: Mapping[Kind, Rounds]) -> dict[str, float]:
    """What the rows say about each other: medians of the ratios within a round."""

    def ratio(ours: Kind, theirs: Kind) -> float:
        pairs = zip(measured[ours], measured[theirs], strict=True)
        return round(statistics.median(_rate(our) / _rate(their) for (our, _), (their, _) in pairs), 2)

    def added(ours: Kind, theirs: Kind, value: Callable[[Measured], float]) -> float:
        pairs = zip(measured[ours], measured[theirs], strict=True)
        return round(statistics.median(value(our) - value(their) for (our, _), (their, _) in pairs), 2)

    told: dict[str, float] = {}
    for ms in (0, 50):
        for name, system in (("execute", EXECUTE), ("execute_stream", STREAM)):
            told[f"{name}_to_sdk_httpx_at_{ms}_ms"] = ratio(Kind(system, 64, ms), Kind(SDK, 64, ms))
            told[f"{name}_to_sdk_aiohttp_at_{ms}_ms"] = ratio(Kind(system, 64, ms), Kind(SDK_AIOHTTP, 64, ms))
        one, alone = Kind(EXECUTE, 1, ms, ALONE_CALLS), Kind(SDK, 1, ms, ALONE_CALLS)
        told[f"added_p50_ms_at_{ms}_ms"] = added(one, alone, lambda of: of.p50_ms)
        told[f"added_p99_ms_at_{ms}_ms"] = added(one, alone, lambda of: of.p99_ms)
    return told


def _rate(measured: Measured) -> float:
    return measured.count / measured.seconds


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    lines = [list(_COLUMNS.values()), *([str(row[name]) for name in _COLUMNS] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]

    def shown(line: Sequence[str]) -> str:
        first, *rest = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([shown(lines[0]), shown(rule), *map(shown, lines[1:])])


def machine() -> dict[str, Any]:
    """On what it was measured."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "telnyx": version("telnyx"),
        "load_average_before": os.getloadavg()[0],
    }
