"""What holds for every test: nothing of the machine's environment reaches in, and logs stay quiet unless asked for."""

from __future__ import annotations

import os

import pytest
import structlog
from hypothesis import settings

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


def _drop(logger: object, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    raise structlog.DropEvent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the tests that record a `summary` saw, so that a person can tell that something happened."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "summary" and report.when == "call":
                terminalreporter.write_line(str(value))
