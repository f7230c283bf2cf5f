"""That something goes on, on standard error of a terminal: a bar where the end is known, else what is being done.

Where no terminal is there, and nobody looks, nothing is shown: output that is read by programs stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn


class Step:
    """One piece of work that is under way."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress = progress
        self._task = task

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)

    def pause(self) -> None:
        """Make way for what is shown."""
        if self._progress is not None:
            self._progress.stop()

    def resume(self) -> None:
        """Go on showing it."""
        if self._progress is not None:
            self._progress.start()


@contextmanager
def working(what: str, total: int | None = None) -> Iterator[Step]:
    """Show that it is being done, of `total` steps where that is known; gone when the block ends."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield Step()
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    known = () if total is None else (BarColumn(), MofNCompleteColumn())
    with Progress(*columns, *known, console=console, transient=True) as progress:
        yield Step(progress, progress.add_task(what, total=total))
