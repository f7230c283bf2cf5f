"""The commands that look and change nothing: how a deployment is, and what would keep one from serving."""

from __future__ import annotations

from typing import Annotated

import typer

from cordboard.cli.choices import Output
from cordboard.cli.options import TARGET, Config, Shown, Target
from cordboard.cli.panels import OPERATE
from cordboard.cli.target import over_tls

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer()


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard status --watch")
@over_tls
def status(
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again and again, until Ctrl-C.")] = False,
    every: Annotated[str, typer.Option(help="How often, with --watch.", metavar="DURATION")] = "2s",
    target: Target = TARGET,
    output: Shown = Output.AUTO,
) -> None:
    """How all processes are, who owns which partitions, what waits. Exit status 0 only if all is well.

    Any dispatcher answers for all: processes, owners, restores, lanes to Telnyx, pauses, dead letters, versions. What
    cannot be found out is said, and counts as not well.
    """
    import asyncio
    import contextlib

    from cordboard.cli.durations import milliseconds
    from cordboard.cli.screen import Screen
    from cordboard.cli.status import show_status, watch_status
    from cordboard.clock import SystemClock

    screen, clock = Screen(output), SystemClock()
    if not watch:
        raise typer.Exit(asyncio.run(show_status(target, screen, clock)))
    every_ms = milliseconds(every, "--every")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch_status(target, every_ms, screen, clock))


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard check --config cordboard.toml")
def check(*, config: Config = None, output: Shown = Output.AUTO) -> None:
    """What would keep a process from serving by these settings. Exit status 0 only if nothing would.

    Looks at the settings, folders and database, ports, certificates, Kafka and its topics, clocks, each account's key
    at Telnyx, and the addresses for webhooks. It calls nobody; an ingress is asked what it says to a webhook without a
    signature, and Kafka takes one empty record that nobody reads.
    """
    import asyncio

    from cordboard.cli.check import check as check_all
    from cordboard.cli.screen import Screen
    from cordboard.clock import SystemClock

    raise typer.Exit(asyncio.run(check_all(config, Screen(output), SystemClock())))
