"""Many histories: run side by side, counted, and the first failing one shrunk and told."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import structlog

from simulation.checker import check
from simulation.faults import kind_of
from simulation.flaws import Flaw, flawed
from simulation.scenes import plan_of
from simulation.world import happen

_CHUNK = 10


@dataclass(slots=True)
class Tried:
    """One history, counted. `violations` are sentences; `virtual` and `real` seconds."""

    seed: int
    kind: str
    real: float
    virtual: float = 0.0
    violations: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    requests: int = 0


def silence() -> None:
    """The product's own log lines would be millions; the story is told by the simulation."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)


def attempt(seed: int, flaw: Flaw | None = None) -> Tried:
    """Run one seed's history, with a flaw if need be, and hold it to the promises. What breaks it is a violation."""
    plan = plan_of(seed)
    began = time.perf_counter()
    tried = Tried(seed, plan.kind, 0.0)
    try:
        with flawed(flaw) as broken:
            history = happen(plan, broken)
        tried.violations = [str(violation) for violation in check(history)]
    except Exception as error:
        tried.violations = [f"the simulation broke: {error!r}"]
    else:
        tried.virtual = history.ended.closed_at
        for fault, times in history.struck.items():
            tried.faults[kind_of(fault)] += times
        tried.states.update(_states(history.results))
        tried.commands, tried.requests = len(history.commands), len(history.requests)
    tried.real = time.perf_counter() - began
    return tried


def _states(results: Iterable[object]) -> Iterator[str]:
    seen = set()
    for result in results:
        if getattr(result, "kind", "") == "result" and (name := getattr(result, "event_id", "")) not in seen:
            seen.add(name)
            yield getattr(result, "state", "")


def begin() -> None:
    """Prepare a process that does nothing else."""
    silence()
    gc.set_threshold(50_000, 20, 100)  # What a history makes is mostly gone soon by itself.
    gc.collect()
    gc.freeze()  # What the imports made stays: collecting it again and again would cost more than the histories.


def attempt_all(seeds: Iterable[int], processes: int) -> Iterator[Tried]:
    """Run many, as they get done."""
    if processes == 1:
        begin()
        yield from map(attempt, seeds)
        return
    with multiprocessing.get_context("fork").Pool(processes, initializer=begin) as pool:
        yield from pool.imap_unordered(attempt, seeds, chunksize=_CHUNK)
