"""`cordboard backup` and `restore`: the embedded log's file copied while it is in use, and brought back."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordboard.cli.choices import Output
from cordboard.cli.exits import Failure, Status
from cordboard.cli.options import Config, Shown
from cordboard.cli.panels import OPERATE

if TYPE_CHECKING:
    from cordboard.log.backup import Progress
    from cordboard.settings import Settings

# ruff: noqa: PLC0415 - imports wait for the command that needs them.

app = typer.Typer()

_ELSEWHERE = (
    "log.kind is kafka: a topic is backed up by what your Kafka offers for it, such as MirrorMaker. docs/backup.md "
    "says what must be there to begin again"
)


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard backup calls.sqlite3")
def backup(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; it must not be there yet.")],
    config: Config = None,
    output: Shown = Output.AUTO,
) -> None:
    """Copy the embedded log's file, while the process that has it goes on. See docs/backup.md before restoring one."""
    from cordboard.cli.screen import Screen
    from cordboard.clock import SystemClock
    from cordboard.log import backup as copying
    from cordboard.roles.restore import iso

    path = _path_of(config)
    with _sentences(), _progress("copied") as progress:
        copied = copying.back_up(path, file, SystemClock().now_ms(), progress)
    screen = Screen(output)
    if screen.json:
        screen.record({"backup": str(file), "log": str(path), "taken_ms": copied.taken_ms, "bytes": copied.size})
    else:
        screen.show(f"{file} is {path} as it was at {iso(copied.taken_ms)}: {copied.size / 2**20:.1f} MiB, checked.")


@app.command(rich_help_panel=OPERATE, epilog="Example: cordboard restore calls.sqlite3 --replace")
def restore(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Move aside the log that is there, and keep it.")] = False,
    config: Config = None,
    output: Shown = Output.AUTO,
) -> None:
    """Bring back a backup of the embedded log. Nothing that was accepted before is ever sent: it ends UNKNOWN."""
    from cordboard.cli.screen import Screen
    from cordboard.clock import SystemClock
    from cordboard.roles.restore import Restored, iso
    from cordboard.roles.restore import restore as bring_back

    settings, clock = _settings_of(config), SystemClock()
    with _sentences(), _progress("restored") as progress:
        done: Restored = asyncio.run(bring_back(settings, file, clock, progress, replace=replace))
    screen, taken_ms = Screen(output), done.copied.taken_ms
    if screen.json:
        aside = [str(one) for one in done.aside]
        screen.record({"log": str(done.log), "taken_ms": taken_ms, "aside": aside, "closed": done.accounts})
        return
    minutes = (clock.now_ms() - taken_ms) / 60_000
    screen.show(f"{done.log} is again as it was at {iso(taken_ms)}, {minutes:.0f} min ago.")
    for one in done.aside:
        screen.show(f"Kept: {one}")
    for line in _MEANING:
        screen.show(line)
    for account in done.accounts:
        screen.show(f"  cordboard resume {account}")


_MEANING = (
    "What was accepted in those minutes is not in it, and what waited then may have been sent: it ends UNKNOWN, and is",
    "never sent. A command that a sender repeats from that time would be taken for a new one: a dial would ring twice.",
    "So no account takes commands until you have seen to its senders and resume it, once the process is up:",
)


def _settings_of(config: Path | None) -> Settings:
    from cordboard.cli.config import settings_from

    settings = settings_from(config)
    if settings.log.kind != "embedded":
        raise Failure(_ELSEWHERE, Status.USAGE)
    return settings


def _path_of(config: Path | None) -> Path:
    path = _settings_of(config).log.path
    if not path.exists():
        raise Failure(f"{path} (log.path) is not there: there is nothing to back up", Status.USAGE)
    return path


@contextmanager
def _sentences() -> Iterator[None]:
    from cordboard.log.port import LogError

    try:
        yield
    except LogError as error:
        raise Failure(str(error)) from error
    except sqlite3.Error as error:
        raise Failure(f"SQLite: {error}") from error
    except OSError as error:
        raise Failure(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")) from error


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    """A bar on a terminal, and nothing where a program reads."""
    from rich import progress
    from rich.console import Console

    with progress.Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, every: bar.update(task, completed=done, total=every)
