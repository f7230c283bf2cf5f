"""What holds for every test: nothing of the machine's environment reaches in, and logs stay quiet unless asked for."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import settings

from brokers.sharing import shared_broker
from tests.recorder.server import Server as Postgresql

_Test = Callable[..., Coroutine[Any, Any, None]]

# The same examples each time, so that a test that was green stays so; `make explore` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings must not change what a test sees."""
    for name in list(os.environ):
        if name.startswith(("CORDBOARD_", "TELNYX_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def quiet_logs() -> None:
    """Owners that die on purpose would fill pages; set CORDBOARD_TEST_LOGS=1 to read them."""
    if not os.environ.get("CORDBOARD_TEST_LOGS"):
        structlog.configure(processors=[_drop])


@pytest.fixture(scope="session")
def kafka_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a Kafka is: KAFKA_BOOTSTRAP_SERVERS's, else one broker that all processes of this run share.

    It is used by many tests at once: whatever a test creates there has a name of its own.
    """
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield given
        return
    folder = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent  # Each worker has a folder of its own in that of the run.
    with shared_broker(folder / "kafka") as servers:
        yield servers


@pytest.fixture
def kafka_prefix() -> str:
    """What the names of a test's topics and groups start with, and no other test's."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL of this process's own, with a fresh database for each test that asks for one."""
    with Postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def own_brokers() -> None:
    """For tests that start, stop and kill brokers, or need them set up in a way of their own."""
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        pytest.skip("KAFKA_BOOTSTRAP_SERVERS names somebody's cluster; this test sets up or kills its own")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give every asynchronous test a bound of its own, a little below pytest-timeout's.

    That one's alarm raises in whatever runs at the time. Where a client tries again and again in the background that is
    mostly one of its callbacks, which swallows it, and the test hangs on.
    """
    usual = float(config.getini("timeout"))
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            marker = item.get_closest_marker("timeout")
            item.obj = _bounded(item.obj, 0.9 * float(marker.args[0] if marker else usual))


def _bounded(
    test: Callable[..., Coroutine[Any, Any, None]], seconds: float
) -> Callable[..., Coroutine[Any, Any, None]]:
    @functools.wraps(test)
    async def bounded(*args: Any, **named: Any) -> None:
        async with asyncio.timeout(seconds):
            await test(*args, **named)

    return bounded


def _drop(logger: object, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the tests that record a `summary` saw, so that a person can tell that something happened."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "summary" and report.when == "call":
                terminalreporter.write_line(str(value))
