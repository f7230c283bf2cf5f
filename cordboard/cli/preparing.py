"""The commands of who sets a deployment up: its settings, topics, tokens and certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cordboard.cli.choices import Output
from cordboard.cli.options import Config, Shown
from cordboard.cli.panels import OPERATE

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer()


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard config --check --config cordboard.toml")
def config(
    *,
    config: Config = None,
    check: Annotated[bool, typer.Option("--check", help="Say only whether `serve` could run with them.")] = False,
    output: Shown = Output.AUTO,
) -> None:
    """The settings of file and environment, without their secrets."""
    from cordboard.cli.config import settings_from, show_settings
    from cordboard.cli.screen import Screen
    from cordboard.settings import EVERY_DUTY, NO_DUTIES

    settings = settings_from(config, EVERY_DUTY if check else NO_DUTIES)
    screen = Screen(output)
    if not check:
        show_settings(settings, screen)
    elif screen.json:
        screen.record({"in_order": True})
    else:
        screen.show("The settings are in order.")


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard token")
def token(*, output: Shown = Output.AUTO) -> None:
    """A new token for an identity, shown once, with the hash by which the settings know it."""
    from random import SystemRandom

    from cordboard.cli.screen import Screen
    from cordboard.cli.tokens import make_token

    make_token(SystemRandom(), Screen(output))


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard topics --create --config cordboard.toml")
def topics(
    *,
    config: Config = None,
    create: Annotated[bool, typer.Option("--create", help="Create those that are missing.")] = False,
    output: Shown = Output.AUTO,
) -> None:
    """The topics on Kafka, held against what they must be. Exit status 0 only if all are right."""
    import asyncio

    from cordboard.cli.config import settings_from
    from cordboard.cli.screen import Screen
    from cordboard.cli.topics import show_topics

    raise typer.Exit(asyncio.run(show_topics(settings_from(config), create=create, screen=Screen(output))))


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard certificates trial --name desk.example")
def certificates(
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where they are put.")],
    name: Annotated[
        list[str] | None, typer.Option(help="A host or address of the dispatchers; may be given again; else loopback.")
    ] = None,
    client: Annotated[str, typer.Option(help="Whom the client's certificate names.")] = "client",
    days: Annotated[float, typer.Option(help="How long the two are good.", min=0.01, max=3650)] = 90,
    output: Shown = Output.TEXT,
) -> None:
    """Certificates for a trial of TLS: an authority, one for the dispatchers, one for a client. Again: new ones."""
    from cordboard.cli.certificates import make_certificates
    from cordboard.cli.screen import Screen

    make_certificates(folder, name or (), client, days, Screen(output))
