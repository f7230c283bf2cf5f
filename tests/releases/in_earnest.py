"""A rolling upgrade on Kafka, and a step back, on real processes: two versions side by side, sharing calls.

    make upgrade

The older version is that of the latest records kept; it needs the repository's history, and some minutes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.client import Client
from cordboard.v1 import Hangup
from sandbox.server import Server
from tests.e2e.apart import NAMES, Pieces, ready
from tests.e2e.test_apart import dialled, done, happened, sandbox, speaks  # noqa: F401 - a fixture among them
from tests.releases.keep import HERE, tree_of

CALLS = 6
COMMIT = (HERE / "0.1.0" / "commit.txt").read_text().strip()


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The older version's files."""
    return tree_of(COMMIT, tmp_path / "before")


@pytest_asyncio.fixture
async def pieces(
    tmp_path: Path,
    kafka_servers: str,
    kafka_prefix: str,
    sandbox: Server,  # noqa: F811 - the fixture
    before: Path,
) -> AsyncIterator[Pieces]:
    """Two dispatchers, two workers, one ingress, all of the older version."""
    more = {"PYTHONPATH": str(before)}
    every = Pieces(tmp_path / "run", kafka_servers, kafka_prefix, sandbox.base_url, sandbox.public_key, more=more)
    sandbox.settings.webhook_url = every.webhook_url
    async with every:
        yield every


async def changes(pieces: Pieces, name: str, tree: Path | None) -> None:
    """A process is asked to stop, and comes back as another version."""
    assert await pieces[name].stop() == 0, pieces[name].output
    pieces[name].runs(tree)
    pieces[name].start()
    await ready(pieces[name])


@pytest.mark.timeout(1200)
async def test_versions_share_calls_side_by_side(
    pieces: Pieces,
    sandbox: Server,  # noqa: F811 - the fixture
    before: Path,
) -> None:
    """
    One after another becomes the new version, and two of them the old one again: after each step every call can be
    commanded and told of through either dispatcher, and nothing was done twice.
    """
    said = 0
    async with Client(pieces[NAMES[0]].places["grpc"]) as door:
        calls = [await dialled(door) for _ in range(CALLS)]
    steps = [*((name, None) for name in NAMES), ("dispatcher-1", before), ("worker-1", before)]
    for name, tree in steps:
        await changes(pieces, name, tree)
        for number in (1, 2):
            async with Client(pieces[f"dispatcher-{number}"].places["grpc"]) as door:
                for call in calls:
                    await done(door, call, speak=speaks())
                    said += 1
        assert happened(sandbox) == {"dial": CALLS, "speak": said}
    async with Client(pieces["dispatcher-1"].places["grpc"]) as door:
        for call in calls:
            await done(door, call, hangup=Hangup())

    assert happened(sandbox) == {"dial": CALLS, "speak": said, "hangup": CALLS}
    assert [piece.name for piece in pieces if "Traceback" in piece.output] == []
