"""Promise 9, with a spool: a webhook acknowledged is a webhook kept, also while the log takes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.ingress.spool.file import SpoolFile
from sandbox.server import Server
from sandbox.settings import Settings
from tests.promises.stage import until
from tests.promises.test_9_a_webhook_acknowledged_is_kept import answered
from tests.promises.victim import Victim


async def spooled(directory: Path, without: str = "") -> list[str]:
    """Calls come in while the log's disk stalls, and the process is killed before it goes on; Telnyx asks once only."""
    settings = Settings(port=0, webhook_attempts_max=1)
    spool = {"spool": str(directory / "spool"), "spool_after_seconds": 0.05}
    async with Server(settings) as sandbox, Victim(directory, sandbox, without, **spool) as victim:
        victim.stall()
        calls = [victim.incoming() for _ in range(3)]
        deliveries = sandbox.station.truth.deliveries
        await until(lambda: len([one for one in deliveries if answered(one.status)]) == 3)
        await victim.kill()
        victim.mend()
        await victim.start()
        await until(lambda: all(victim.heard.has("call.initiated", call) for call in calls), 3.0 if without else 20.0)
        kept = {one.call_control_id for one in deliveries if answered(one.status)}
        return [
            *(f"acknowledged, and lost: {call}" for call in kept if not victim.heard.has("call.initiated", call)),
            *([] if kept == set(calls) else ["not all were acknowledged"]),
        ]


async def test_what_was_acknowledged_while_the_log_was_away_outlives_a_kill(tmp_path: Path) -> None:
    """
    It is on the spool's disk, and in the log after the next start.
    """
    assert await spooled(tmp_path) == []


def writing_it_down(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SpoolFile, "add", lambda self, entries: None)


async def test_it_fails_without_writing_it_down(tmp_path: Path) -> None:
    """
    Kept in memory only, webhooks are lost with the process.
    """
    found = await spooled(tmp_path, f"{__name__}:{writing_it_down.__name__}")

    assert [one for one in found if one.startswith("acknowledged, and lost")]
