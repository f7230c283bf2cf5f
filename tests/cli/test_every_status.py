"""Every exit status that docs/errors.md lists, given by the real command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cordboard.cli.exits import Status
from tests.cli.processes import Cordboard, Dev

SCENARIOS: dict[Status, Callable[[Dev], tuple[str, ...]]] = {
    Status.OK: lambda dev: ("config",),
    Status.FAILED: lambda dev: ("call", "v3:nobody", f"--target={dev.target}"),
    Status.USAGE: lambda dev: ("send", "gather", "v3:call", "--minimum-digits=0", f"--target={dev.target}"),
    Status.UNREACHABLE: lambda dev: ("call", "v3:nobody", "--target=127.0.0.1:1"),
}


@pytest.mark.parametrize("status", Status, ids=lambda status: status.name)
def test_the_status_comes_as_it_is_listed(dev: Dev, cordboard: Cordboard, status: Status) -> None:
    """
    A status without a scenario is a hole.
    """
    ended = cordboard(*SCENARIOS[status](dev))

    assert ended.returncode == status, ended.stderr
