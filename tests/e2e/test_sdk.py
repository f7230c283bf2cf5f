"""The official SDK through a Cordboard that is killed while it waits, and started again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
import telnyx

from tests.e2e.mortal import Mortal
from tests.promises.stage import ANSWERS_AT_ONCE, OWN_NUMBER


@pytest.mark.timeout(300)  # A process is started twice, and whoever waits is patient.
async def test_a_dial_outlives_the_process_that_took_it(tmp_path: Path) -> None:
    """
    The SDK sends it again until somebody answers, under the key that it was told to give each request: one call.
    """
    async with Mortal(tmp_path, speed=2.0) as stage:
        base_url = f"http://127.0.0.1:{stage.cordboard.rest_port}/v2"
        stage.faults({"match": {"action": "dial"}, "answer_latency_ms": 1_000, "times": 1})
        async with telnyx.AsyncTelnyx(api_key="key", base_url=base_url, max_retries=20) as sdk:
            sdk._idempotency_header = "Idempotency-Key"
            dialling = asyncio.create_task(
                sdk.calls.dial(connection_id="c", from_=OWN_NUMBER, to=ANSWERS_AT_ONCE), name="dial"
            )
            assert await stage.until(lambda: stage.effects("dial"))
            await stage.die()
            with suppress(telnyx.InternalServerError):  # 504 where nobody could tell in time: it is not sent again.
                (effect,) = stage.effects("dial")
                assert (await dialling).data.call_control_id == effect.call_control_id

        assert len([one for one in stage.effects("dial") if one.happened]) == 1
