"""From measurements to rows: medians over the rounds, as a table for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from bench.cells import EXECUTE, KAFKA_EXECUTE, KAFKA_STREAM, SDK, SDK_AIOHTTP, STREAM, TOPICS, Measured
from bench.plan import ALONE_CALLS, CALLS, PROVIDER_MS, Kind
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

_OTHERS: Final = frozenset({"load", "sandbox", "broker"})
_PIECES: Final = ("dispatcher", "worker", "ingress", "broker")  # Whose CPU stands in the table, too.


def row(kind: Kind, rounds: Rounds) -> Row:
    """What a kind came to. `cpu_ms_per_command` is of all Cordboard's processes, or the SDK's; each one's is beside."""

    def median(value: Callable[[Measured], float], digits: int) -> float:
        return round(statistics.median(value(measured) for measured, _ in rounds), digits)

    def cpu(*names: str) -> float:
        return median(lambda measured: sum(measured.cpu_seconds[name] for name in names) * 1000 / measured.count, 3)

    faulty = sum((faulty for _, faulty in rounds), Faulty())
    every = list(rounds[0][0].cpu_seconds)
    own = ["load"] if kind.system in {SDK, SDK_AIOHTTP} else [name for name in every if name not in _OTHERS]
    return {
        "system": _name(kind),
        "in_flight": kind.in_flight,
        "provider_ms": kind.provider_ms,
        "per_second": median(lambda measured: measured.count / measured.seconds, 1),
        "p50_ms": median(lambda measured: measured.p50_ms, 2),
        "p99_ms": median(lambda measured: measured.p99_ms, 2),
        "cpu_ms_per_command": cpu(*own),
        "lost": faulty.lost,
        "reordered": faulty.reordered,
        "doubled": faulty.doubled,
        "calls": kind.calls,
        "commands": sum(measured.count for measured, _ in rounds),
        "per_second_rounds": [round(measured.count / measured.seconds, 1) for measured, _ in rounds],
        "each_cpu_ms_per_command": {name: cpu(name) for name in every},
    }


def _name(kind: Kind) -> str:
    name = kind.system
    if kind.calls < min(kind.in_flight, CALLS):
        name += f", {kind.calls} calls"
    if kind.workers > 1:
        name += f", {kind.workers} workers"
    return name


def ratios(measured: Mapping[Kind, Rounds]) -> dict[str, float]:
    """What the rows of the embedded log say about each other: medians of the ratios within a round."""
    told: dict[str, float] = {}
    for ms in PROVIDER_MS:
        for name, system in (("execute", EXECUTE), ("execute_stream", STREAM)):
            told |= _beside_sdk(measured, name, Kind(system, 64, ms))
        told |= _added(measured, "", Kind(EXECUTE, 1, ms, ALONE_CALLS))
    return told


def kafka_ratios(measured: Mapping[Kind, Rounds]) -> dict[str, float]:
    """The same on Kafka."""
    told: dict[str, float] = {}
    for ms in PROVIDER_MS:
        for name, system in (("execute", KAFKA_EXECUTE), ("execute_stream", KAFKA_STREAM), ("topics", TOPICS)):
            told |= _beside_sdk(measured, name, Kind(system, 64, ms))
            told |= _added(measured, f"{name}_", Kind(system, 64, ms))
        for name, system in (("execute", KAFKA_EXECUTE), ("topics", TOPICS)):
            told |= _added(measured, f"{name}_", Kind(system, 1, ms, ALONE_CALLS))
    return told


def _beside_sdk(measured: Mapping[Kind, Rounds], name: str, ours: Kind) -> dict[str, float]:
    def ratio(theirs: Kind) -> float:
        pairs = zip(measured[ours], measured[theirs], strict=True)
        return round(statistics.median(_rate(our) / _rate(their) for (our, _), (their, _) in pairs), 2)

    return {
        f"{name}_to_{sdk}_at_{ours.provider_ms}_ms": ratio(ours._replace(system=system))
        for sdk, system in (("sdk_httpx", SDK), ("sdk_aiohttp", SDK_AIOHTTP))
    }


def _added(measured: Mapping[Kind, Rounds], name: str, ours: Kind) -> dict[str, float]:
    def added(value: Callable[[Measured], float]) -> float:
        pairs = zip(measured[ours], measured[ours._replace(system=SDK)], strict=True)
        return round(statistics.median(value(our) - value(their) for (our, _), (their, _) in pairs), 2)

    where = f"{ours.in_flight}_in_flight_at_{ours.provider_ms}_ms"
    return {
        f"{name}added_p50_ms_{where}": added(lambda of: of.p50_ms),
        f"{name}added_p99_ms_{where}": added(lambda of: of.p99_ms),
    }


def _rate(measured: Measured) -> float:
    return measured.count / measured.seconds


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    running = [name for row in rows for name in row["each_cpu_ms_per_command"]]
    pieces = [piece for piece in _PIECES if any(name.startswith(piece) for name in running)]
    head = [*_COLUMNS.values(), *(f"{name} ms" for name in pieces)]
    lines = [head, *([*(str(row[name]) for name in _COLUMNS), *_of_pieces(row, pieces)] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def shown(line: Sequence[str]) -> str:
        first, *rest = zip(line, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([shown(lines[0]), shown(rule), *map(shown, lines[1:])])


def _of_pieces(row: Row, pieces: Sequence[str]) -> list[str]:
    every = row["each_cpu_ms_per_command"]
    return [f"{sum(ms for name, ms in every.items() if name.startswith(piece)):.3f}" for piece in pieces]


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
