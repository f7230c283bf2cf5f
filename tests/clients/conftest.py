"""One Cordboard on Kafka for all the tests of a file: each has calls of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clients.desk import KafkaDesk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(kafka_servers: str) -> AsyncIterator[KafkaDesk]:
    """Everything runs; a developer's own settings have no part in it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("CORDBOARD_", "TELNYX_"))]:
            patch.delenv(name)
        async with KafkaDesk(kafka_servers, f"test-{uuid.uuid4().hex[:12]}") as running:
            yield running
