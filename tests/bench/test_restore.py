"""The measurement of a restore, on a small ledger."""

from __future__ import annotations

from bench.restore import opened, settings_for, weigh
from cordboard.topics import Topics
from dispatcher.core.page import Page, encode


async def test_every_page_is_restored_by_the_log_and_by_an_owner(kafka_servers: str, kafka_prefix: str) -> None:
    """
    Pages like those of a run's calls are written and read back, by processes of their own.
    """
    log = await opened(settings_for(kafka_servers, kafka_prefix))
    far_ms = 1 << 52  # It wants to be seen, or to be forgotten, when this test is long over.
    page = encode(Page(key="v3:sample", ended=bytes(32 * 4), touched_ms=far_ms, wake_ms=far_ms))
    await log.settle(await log.claim(0), [("v3:sample", page)], [], dict.fromkeys(Topics(kafka_prefix).inputs, 0))
    await log.close()

    weighed = await weigh(kafka_servers, kafka_prefix, 300)

    assert weighed["pages"] == 300
    assert all(weighed[f"{who}_pages_per_second"] > 0 for who in ("log", "owner"))
