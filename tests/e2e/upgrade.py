"""Two versions on one log, in turn: each start is the other one's, under load and kills, and the promises hold.

    python -m tests.e2e.upgrade --of COMMIT --kills 20 --seed 1

What the older one wrote the newer one reads, and the other way round, as often as there are kills: so this is upgrades
and ways back in one. The older one is the commit's files, with what is installed here; it must have the REST door.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from pathlib import Path

from tests.e2e.chaos import Run
from tests.e2e.keeping import in_rounds, say
from tests.e2e.process import Cordboard
from tests.e2e.trial import Summary
from tests.releases.keep import HERE, tree_of

_LATEST = HERE / "0.1.0" / "commit.txt"


class Turns(Cordboard):
    """`cordboard serve`, whose first, third, fifth ... life is another version's."""

    def __init__(self, tree: Path, directory: Path, telnyx_url: str, public_key: str) -> None:
        super().__init__(directory, telnyx_url, public_key)
        self._tree = tree

    def start(self) -> None:
        """Start the one whose turn it is."""
        self.runs(None if self.starts % 2 else self._tree)
        super().start()


async def upgrade(folder: Path, seed: int, kills: int, of: str) -> Summary:
    """Let them take turns, and conclude."""
    tree = tree_of(of, folder / "before")
    async with Run(folder / "run", seed, say, partial(Turns, tree)) as run:
        await run.rage(kills)
        return await run.conclude()


def main() -> int:
    """One run. The exit status is 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description="Have an older Cordboard and this one take turns on one log.")
    parser.add_argument("--of", default=_LATEST.read_text().strip(), metavar="COMMIT")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()

    def one(folder: Path, seed: int, kills: int) -> Summary:
        return asyncio.run(upgrade(folder, seed, kills, wanted.of))

    return in_rounds("upgrade", one, wanted.seed, wanted.kills, wanted.kills)


if __name__ == "__main__":
    sys.exit(main())
