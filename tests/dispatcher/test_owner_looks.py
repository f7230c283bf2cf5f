"""An owner with nothing to do learns all the same that somebody wrote where only it may."""

from __future__ import annotations

from contextlib import suppress

from cordboard.log.ledger import PageWritten, SettleId
from cordboard.log.memory import MemoryLog
from cordboard.log.port import LogError
from dispatcher.owner import LOOK_MS
from tests.dispatcher.harness import PARTITIONS, HandClock, make_broker, speak, staged


async def test_a_zombies_page_is_mended_though_nothing_happens() -> None:
    """
    What a zombie wrote stands last in the ledger, where compaction would keep it: within an hour it is mended.
    """
    clock = HandClock()
    broker = make_broker(clock)
    async with staged(MemoryLog(broker), clock) as stage:
        await stage.submit(speak("a"))
        await stage.until(lambda: stage.dispatcher.pages == 1)
        await stage.applied()
        partition = next(number for number in range(PARTITIONS) if broker.ledger(number).pages)
        broker.append_entry(partition, PageWritten(-1, SettleId(-1, 1), "nobody", b"stale"))
        assert broker.ledger(partition).stale == {"nobody"}

        clock.time_ms += LOOK_MS + 1

        async def mended() -> bool:
            with suppress(LogError):
                await stage.dispatcher.find("A")  # Wakes the owner; and asks nothing that would be written down.
            return not broker.ledger(partition).stale

        while not await mended():
            pass
