"""Chaos on many processes: every role and every broker of a real cluster is struck under load, by a list from a seed.

    python -m tests.e2e.chaos_apart --faults 150 --seed 1

Two dispatchers, two workers, an ingress and three brokers are processes, which are killed, frozen, restarted and joined
by others; the sandbox, the clients and the observer live here and survive. See docs/chaos.md.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.e2e.faults import Fault, plan
from tests.e2e.keeping import in_rounds, say
from tests.e2e.load import Traffic, zipf
from tests.e2e.observer import until
from tests.e2e.stage import PARTITIONS, Stage
from tests.e2e.striking import Striker
from tests.e2e.trial import Summary, losses

FAULTS_PER_ROUND: Final = 30
_TRAFFIC: Final = Traffic(8.0, zipf)
# Who is asked to stop while brokers are away cannot end all that it has begun: a worker has nobody to report to, and
# the page judges the silence; a webhook is not acknowledged, and comes again.
_CUT_OFF: Final = ('"error":"cut off by the drain"', "timeout graceful shutdown exceeded")
_MOMENT_SECONDS_MAX: Final = 8.0  # Where nothing moves, the next fault does not wait for it.


async def chaos(folder: Path, seed: int, faults: int, tell: Callable[[str], None], *, guarded: bool = False) -> Summary:
    """Strike and conclude. Raises where the run could not be brought to its end."""
    planned = plan(seed, faults, PARTITIONS)
    async with Stage(folder, seed, _TRAFFIC, tell, guarded=guarded) as stage:
        striker = Striker(stage.pieces, stage.cluster, stage.topics.ledger)
        await stage.trial.put_faults(losses(seed))
        try:
            for number, fault in enumerate(planned, 1):
                await _moment(stage, striker, fault)
                whom = await striker.strike(fault)
                stage.trial.tell(f"{number}/{faults} {fault}: {whom}")
            await striker.healed()
        finally:
            await striker.close()
        counted = f"{striker.did_not_start} starts made again, "
        return await stage.conclude(planned, striker.thaws, counted, _CUT_OFF)


async def _moment(stage: Stage, striker: Striker, fault: Fault) -> None:
    """Return when it is time for a fault."""
    before = stage.trial.counts()[fault.counted]

    def has_come() -> bool:
        striker.check()
        return stage.trial.counts()[fault.counted] >= before + fault.more

    await until(has_come, _MOMENT_SECONDS_MAX, 0.001)


def main() -> int:
    """Rounds until there were so many faults; a line for each. The exit status is 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description="Strike Cordboard's processes and brokers under load.")
    parser.add_argument("--faults", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guarded", action="store_true", help="with TLS, tokens and SASL all on")
    wanted = parser.parse_args()

    def one(folder: Path, seed: int, faults: int) -> Summary:
        return asyncio.run(chaos(folder, seed, faults, say, guarded=wanted.guarded))

    return in_rounds("apart", one, wanted.seed, wanted.faults, FAULTS_PER_ROUND)


if __name__ == "__main__":
    sys.exit(main())
