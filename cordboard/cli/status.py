"""`cordboard status`: how a deployment is, once or again and again, for people and for scripts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.text import Text

from cordboard.cli.connection import dispatcher
from cordboard.cli.exits import Failure, Status
from cordboard.cli.progress import working
from cordboard.cli.screen import Cell, Screen, columns, plain
from cordboard.cli.send import plain_json
from cordboard.cli.target import Target
from cordboard.clock import Clock
from cordboard.v1 import (
    GetStatusResponse,
    LaneStatus,
    PartitionState,
    PartitionStatus,
    ProcessState,
    ProcessStatus,
    StatusFinding,
)

ASK_SECONDS: Final = 15.0  # Its questions to the log are bounded by less.
_STYLES: Final = {
    "ready": "green",
    "served": "green",
    "not ready": "yellow",
    "restoring": "yellow",
    "left": "dim",
    "unknown": "magenta",
}
_BAD: Final = "red"
_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))
_NOT_KNOWN: Final = "?"
Row = tuple[Cell, ...]


async def show_status(target: Target, screen: Screen, clock: Clock) -> Status:
    """Show it once. OK only where nothing is wrong, and nothing could not be found out."""
    with working("asking"):
        found = await _ask(target)
    if screen.json:
        screen.record(record_of(found))
    else:
        screen.show(text_of(found, clock.now_ms()))
    return _judged(found)


async def watch_status(target: Target, every_ms: int, screen: Screen, clock: Clock) -> None:
    """Show it again and again; that nobody answers is shown, too, and does not end it."""
    with screen.changing() as show:
        while True:
            try:
                found = await _ask(target)
            except Failure as failure:
                show(Text(str(failure), _BAD), {"unreachable": str(failure)})
            else:
                show(text_of(found, clock.now_ms()), record_of(found))
            await asyncio.sleep(every_ms / 1000)


async def _ask(target: Target) -> GetStatusResponse:
    async with dispatcher(target) as client:
        return await client.get_status(timeout=ASK_SECONDS)


def _judged(found: GetStatusResponse) -> Status:
    return Status.OK if found.well else Status.FAILED


def record_of(found: GetStatusResponse) -> dict[str, object]:
    """It as programs read it; `well` is there always."""
    return {"well": found.well, **plain_json(found)}


def text_of(found: GetStatusResponse, now_ms: int) -> Text:
    """It as people read it, the verdict first and what it rests on last."""
    tables = (
        _table(("process", "roles", "version", "state", "up", "last said"), _processes(found.processes, now_ms)),
        _table(("partitions", "state", "owner", "pages", "lag"), _partitions(found.partitions)),
        _table(("account", "lane", "workers", "in flight", "lag", "state"), _lanes(found)),
    )
    lines = [_verdict(found)]
    for table in tables:
        lines += [Text(), *table]
    for head, style, findings in (
        ("problems", _BAD, found.problems),
        ("not known", "magenta", found.unknown),
        ("worth knowing", "", found.remarks),
    ):
        if findings:
            lines += [Text(), Text(head, f"bold {style}"), *map(_sentence, findings)]
    return Text("\n").join(lines)


def _verdict(found: GetStatusResponse) -> Text:
    if found.well:
        said = Text("all is well", "bold green")
    else:
        counted = (_count(len(found.problems), "problem"), _count(len(found.unknown), "thing", " not known"))
        said = Text(", ".join(filter(None, counted)), f"bold {_BAD if found.problems else 'magenta'}")
    return said.append(f"  {found.topic_prefix}, as {found.answered_by or 'one dispatcher'} sees it", "not bold dim")


def _count(number: int, noun: str, more: str = "") -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}{more}" if number else ""


def _sentence(one: StatusFinding) -> Text:
    return Text.assemble("  ", (one.subject, "bold"), f": {one.sentence}")


def _table(names: Sequence[str], rows: Iterable[Row]) -> Iterator[Text]:
    """Lines of columns that are as wide as what is in them."""
    head: Row = tuple((name, 0, "dim") for name in names)
    all_rows = [head, *rows]
    widths = [max(len(row[place][0]) for row in all_rows) for place in range(len(names))]
    for row in all_rows:
        yield columns((text, width, style) for (text, _, style), width in zip(row, widths, strict=True))


def _processes(processes: Iterable[ProcessStatus], now_ms: int) -> Iterator[Row]:
    for one in processes:
        state = _word(ProcessState.Name(one.state), "PROCESS_STATE_")
        since, said = one.start_time.ToMilliseconds(), one.report_time.ToMilliseconds()
        words = (one.name, " ".join(one.roles), one.version)
        yield (*_plain(words), _state(state), *_plain((_ago(now_ms - since), f"{_ago(now_ms - said)} ago")))


def _partitions(partitions: Iterable[PartitionStatus]) -> Iterator[Row]:
    """Those of one owner and one state on one line: there may be a thousand."""
    together: dict[tuple[str, str], list[PartitionStatus]] = {}
    for one in partitions:
        state = _word(PartitionState.Name(one.state), "PARTITION_STATE_")
        if one.HasField("restored"):
            state = f"{state} {one.restored:.0%}"
        together.setdefault((state, one.owner), []).append(one)
    for (state, owner), some in together.items():
        numbers = ranges(one.partition for one in some)
        pages, lag = (_sum(some, name) for name in ("pages", "lag"))
        yield (*_plain((numbers,)), _state(state), *_plain((owner or "nobody", pages, lag)))


def _lanes(found: GetStatusResponse) -> Iterator[Row]:
    for one in found.lanes:
        carried = f"{one.in_flight} of {one.room}" if one.workers else ""
        lag = str(one.lag) if one.HasField("lag") else _NOT_KNOWN
        state = _state_of(one, is_paused=one.account in found.paused_accounts)
        yield (*_plain((one.account, one.lane, str(one.workers), carried, lag)), _state(state))


def _state_of(lane: LaneStatus, *, is_paused: bool) -> str:
    said = (
        (not lane.workers, "nobody works"),
        (lane.workers and lane.unheld, f"{ranges(lane.unheld)} unheld"),
        (lane.stalled_seconds, "stalled"),
        (lane.breakers_open, "Telnyx away"),
        (is_paused, "paused"),
    )
    return ", ".join(word for holds, word in said if holds) or "ready"


def _sum(partitions: Iterable[PartitionStatus], name: str) -> str:
    values = [getattr(one, name) if one.HasField(name) else None for one in partitions]  # type: ignore[arg-type] # one of two names
    return _NOT_KNOWN if None in values else str(sum(filter(None, values)))


def _word(name: str, prefix: str) -> str:
    return plain(name, prefix).lower().replace("_", " ")


def _plain(words: Iterable[str]) -> Row:
    return tuple((word, 0, "") for word in words)


def _state(state: str) -> Cell:
    usual = next((style for word, style in _STYLES.items() if state.startswith(word)), _BAD)
    return state, 0, "yellow" if state == "paused" else usual


def _ago(passed_ms: int) -> str:
    size, unit = next((one for one in _UNITS if passed_ms >= one[0]), _UNITS[-1])
    return f"{max(passed_ms, 0) // size} {unit}"


def ranges(numbers: Iterable[int]) -> str:
    """Numbers in words: 0-3, 7."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
