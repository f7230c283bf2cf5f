"""A clock that was set back: the process says that it is not ready, instead of expiring nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import NewRecord
from cordboard.roles.log import clock_is_behind, clock_is_off
from tests.log.kinds import COMMANDS, INPUTS, PARTITIONS, TOPICS, HandClock


@pytest.mark.parametrize(("back_ms", "ready"), [(0, True), (2_000, True), (2_001, False), (3_600_000, False)])
async def test_a_clock_behind_the_log_makes_the_process_unready(tmp_path: Path, back_ms: int, ready: bool) -> None:
    """
    Two seconds are borne; beyond them the check says by how much, until the time has come again.
    """
    clock = HandClock()
    log = await EmbeddedLog.open(tmp_path / "log.sqlite3", TOPICS, PARTITIONS, clock, INPUTS)
    await log.append([NewRecord(COMMANDS, b"A", b"")])
    clock.time_ms -= back_ms
    assert (clock_is_behind(log.ahead_ms) is None) == ready

    clock.time_ms += back_ms
    assert clock_is_behind(log.ahead_ms) is None
    await log.close()


@pytest.mark.parametrize(
    ("skew_ms", "said"),
    [(None, None), (2_000, None), (-2_000, None), (2_001, "2 s behind the brokers'"), (-60_000, "60 s before the")],
)
def test_a_clock_off_those_of_the_brokers_makes_the_process_unready(skew_ms: int | None, said: str | None) -> None:
    """
    Where brokers give the times, a clock that runs before them is as wrong as one behind; and which it is, is said.
    """
    found = clock_is_off(skew_ms)

    assert (found is None) == (said is None)
    assert (said or "") in (found or "")
