"""`python -m simulation`: run histories and hold them to the promises. See `--help`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter

from simulation.checker import check
from simulation.flaws import FLAWS
from simulation.hunting import SEEDS_MAX, hunt_all, row
from simulation.running import Tried, attempt_all, silence
from simulation.scenes import plan_of
from simulation.shrink import kinds_of, shrink
from simulation.story import plan_in_words, told
from simulation.world import happen

HISTORIES = 500


def main() -> int:
    """Run what is asked for; 1 where a promise was broken."""
    asked = _arguments()
    if asked.hunt is not None:
        return _hunt(asked.hunt or list(FLAWS), asked.first, asked.seeds or SEEDS_MAX, asked.processes)
    if asked.seed is not None:
        return _replay(asked.seed)
    return _run(asked.first, asked.seeds or HISTORIES, asked.processes, tell=asked.tell)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=_number("SEED"), help="replay one history and tell it (SEED)")
    parser.add_argument("--seeds", type=int, default=_number("SEEDS"), help="how many histories (SEEDS)")
    parser.add_argument("--first", type=int, default=_number("FIRST") or 0, help="the first seed (FIRST)")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="side by side")
    parser.add_argument("--tell", type=int, default=1, help="how many failing histories are shrunk and told")
    parser.add_argument(
        "--hunt", nargs="*", choices=FLAWS, metavar="FLAW", help="put flaws in, one at a time; see each"
    )
    return parser.parse_args()


def _number(name: str) -> int | None:
    value = os.environ.get(name, "")
    return int(value) if value else None


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _replay(seed: int) -> int:
    silence()
    history = happen(plan_of(seed))
    violations = check(history)
    _say(told(history, violations))
    _say(f"history {history.digest}")
    return 1 if violations else 0


def _run(first: int, seeds: int, processes: int, *, tell: int) -> int:
    began, done, failed = time.monotonic(), [], []
    for tried in attempt_all(range(first, first + seeds), processes):
        done.append(tried)
        if tried.violations:
            failed.append(tried)
            _say(f"seed {tried.seed} ({tried.kind}): {tried.violations[0]}")
        if len(done) % 500 == 0:
            _say(f"{len(done)} histories in {time.monotonic() - began:.0f} s, {len(failed)} failed")
    _summarize(done, failed, time.monotonic() - began)
    for tried in sorted(failed, key=lambda one: one.seed)[:tell]:
        _explain(tried.seed)
    return 1 if failed else 0


def _hunt(names: list[str], first: int, seeds: int, processes: int) -> int:
    """Print the table of the docs; 1 where a flaw survived."""
    _say(f"| flaw | what is wrong | histories, of {seeds} at most | seed | seen as |")
    _say("| --- | --- | --- | --- | --- |")
    survived = []
    for caught in hunt_all(names, first, seeds, processes):
        _say(row(caught))
        if caught.seed is None:
            survived.append(caught.name)
    _say(f"{len(names) - len(survived)} of {len(names)} caught" + "".join(f"; survived: {name}" for name in survived))
    return 1 if survived else 0


def _summarize(done: list[Tried], failed: list[Tried], seconds: float) -> None:
    hours = sum(tried.virtual for tried in done) / 3600
    kinds = Counter(tried.kind for tried in done)
    _say(
        f"{len(done)} histories ({kinds['kafka']} on a Kafka-like log, {kinds['embedded']} on the embedded one) in "
        f"{seconds:.1f} s: {hours:.1f} hours of virtual time, {len(done) / seconds:.1f} histories a second"
    )
    commands, requests = sum(tried.commands for tried in done), sum(tried.requests for tried in done)
    _say(f"{commands} commands, {requests} requests to Telnyx")
    _table("results", sum((tried.states for tried in done), Counter()))
    _table("faults", sum((tried.faults for tried in done), Counter()))
    _say(f"{len(failed)} failed" + (f": {', '.join(str(one.seed) for one in failed[:20])}" if failed else ""))


def _table(title: str, counts: Counter[str]) -> None:
    _say(f"{title}:")
    for name, count in counts.most_common():
        _say(f"  {count:8d}  {name}")


def _explain(seed: int) -> None:
    silence()
    plan = plan_of(seed)
    small = shrink(plan, kinds_of(plan))
    history = happen(small)
    _say("")
    _say(f"seed {seed}, as small as it fails still ({len(plan.faults)} faults were {len(small.faults)} enough):")
    for line in plan_in_words(small):
        _say(line)
    _say(told(history, check(history)))


if __name__ == "__main__":
    sys.exit(main())
