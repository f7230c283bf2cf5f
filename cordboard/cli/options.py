"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from cordboard.cli import target
from cordboard.cli.choices import Output

TARGET: Final = target.Target("127.0.0.1:50051")
Target = Annotated[
    target.Target,
    typer.Option("--target", "-t", help="The dispatcher's gRPC port.", metavar="HOST:PORT", parser=target.parsed),
]
Shown = Annotated[Output, typer.Option("--output", "-o", help="auto: text on a terminal, else JSON lines.")]
Account = Annotated[str, typer.Option(help="The Telnyx account; empty: the call's, or the default.")]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="The settings file.", metavar="FILE")]
Ready = Annotated[Path | None, typer.Option(help="Written when all is up: the addresses, as JSON.", metavar="FILE")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Speed = Annotated[float, typer.Option(help="The sandbox's calls live so many times as fast.", min=0.01, max=1000)]


def port(name: str) -> Any:
    """The option for a port."""
    return typer.Option(help=f"{name}; 0 picks one.", min=0, max=65535, rich_help_panel="Ports")
