"""`cordboard check`: what stands in the way of serving, found before it does, each with what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from rich.text import Text

from cordboard.cli.checks.addresses import addresses
from cordboard.cli.checks.certificates import certificates
from cordboard.cli.checks.duties import duties
from cordboard.cli.checks.findings import Check, Finding, Grade, Looking, error
from cordboard.cli.checks.kafka import kafka
from cordboard.cli.checks.ports import ports
from cordboard.cli.checks.storage import storage
from cordboard.cli.checks.telnyx import telnyx
from cordboard.cli.exits import Status
from cordboard.cli.progress import working
from cordboard.cli.quiet import quietly
from cordboard.cli.screen import Screen
from cordboard.clock import Clock
from cordboard.settings import Settings, SettingsError, load
from cordboard.settings.names import dotted

# In the order in which an operator would look: nearest first.
_CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("settings", duties),
    ("storage", storage),
    ("ports", ports),
    ("certificates", certificates),
    ("Kafka", kafka),
    ("Telnyx", telnyx),
    ("addresses", addresses),
)
_STYLES: Final = {Grade.OK: "green", Grade.WARNING: "yellow", Grade.ERROR: "bold red"}
_WIDTH: Final = 7


async def check(config: Path | None, screen: Screen, clock: Clock) -> Status:
    """Look at everything, telling each finding as it is made. OK only where none is an error."""
    found: Counter[Grade] = Counter()
    try:
        settings = load(config)
    except SettingsError as wrong:
        for problem in wrong.problems:
            _show(screen, error(dotted(problem.path) or "settings", problem.text, "correct it, and check again"))
            found[Grade.ERROR] += 1
    else:
        async for finding in _findings(settings, clock):
            _show(screen, finding)
            found[finding.grade] += 1
    if not screen.json:
        screen.show(_summary(found))
    return Status.FAILED if found[Grade.ERROR] else Status.OK


async def _findings(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    looking = Looking(settings, clock)
    with quietly():
        for name, look in _CHECKS:
            with working(f"looking at {name}") as step:
                async for finding in look(looking):
                    step.pause()
                    yield finding
                    step.resume()


def _show(screen: Screen, finding: Finding) -> None:
    if screen.json:
        screen.record(
            {
                "subject": finding.subject,
                "grade": finding.grade.value,
                "sentence": finding.sentence,
                "remedy": finding.remedy,
            }
        )
        return
    mark = (f"{finding.grade.value:<{_WIDTH}}", _STYLES[finding.grade])
    screen.show(Text.assemble(mark, "  ", (finding.subject, "bold"), f": {finding.sentence}"))
    if finding.remedy:
        screen.show(Text(f"{' ' * _WIDTH}  {finding.remedy}", "dim"))


def _summary(found: Counter[Grade]) -> Text:
    errors, warnings = found[Grade.ERROR], found[Grade.WARNING]
    if not errors and not warnings:
        return Text("\nNothing stands in the way.", "bold green")
    counted = [
        f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in ((errors, "error"), (warnings, "warning"))
    ]
    return Text(f"\n{', '.join(counted)}.", f"bold {'red' if errors else 'yellow'}")
