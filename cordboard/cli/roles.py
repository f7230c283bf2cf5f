"""The commands that serve by settings: every role in one process, or each role in processes of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cordboard.cli.options import Config, Ready
from cordboard.cli.panels import SERVE

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer()


@app.command(rich_help_panel=SERVE, epilog="Example: cordboard serve --config cordboard.toml")
def serve(*, config: Config = None, ready_file: Ready = None) -> None:
    """All roles in one process, by the settings of file and environment."""
    _serve(("dispatcher", "worker", "ingress", "recorder"), config, ready_file)


@app.command(rich_help_panel=SERVE, epilog="Example: cordboard dispatcher --config cordboard.toml")
def dispatcher(*, config: Config = None, ready_file: Ready = None) -> None:
    """The brain and its doors, gRPC and REST, alone; as many as wanted, on Kafka."""
    _serve(("dispatcher",), config, ready_file)


@app.command(rich_help_panel=SERVE, epilog="Example: cordboard worker --pool main --config cordboard.toml")
def worker(
    *,
    pool: Annotated[list[str], typer.Option(help="An account to work for; may be given again.", metavar="ACCOUNT")],
    config: Config = None,
    ready_file: Ready = None,
) -> None:
    """The hands of some accounts alone; as many as wanted, on Kafka."""
    _serve(("worker",), config, ready_file, pool)


@app.command(rich_help_panel=SERVE, epilog="Example: cordboard ingress --config cordboard.toml")
def ingress(*, config: Config = None, ready_file: Ready = None) -> None:
    """The public port for webhooks alone; as many as wanted, on Kafka."""
    _serve(("ingress",), config, ready_file)


@app.command(rich_help_panel=SERVE, epilog="Example: cordboard recorder --config cordboard.toml")
def recorder(*, config: Config = None, ready_file: Ready = None) -> None:
    """The memory alone: what happened, in tables; one is enough, more of them share, on Kafka."""
    _serve(("recorder",), config, ready_file)


def _serve(
    roles: Iterable[str], config: Path | None, ready_file: Path | None, pools: Iterable[str] | None = None
) -> None:
    from random import SystemRandom

    from cordboard.cli.config import settings_from
    from cordboard.cli.running import run
    from cordboard.cli.serve import serve as serve_all
    from cordboard.clock import SystemClock
    from cordboard.settings import Duties, Role

    duties = Duties(frozenset(map(Role, roles)), None if pools is None else frozenset(pools))
    settings = settings_from(config, duties)
    raise typer.Exit(
        run(lambda stopping: serve_all(settings, duties, stopping, SystemClock(), SystemRandom(), ready_file))
    )
