"""The recorder of one process: reads everything that is told of calls, and writes it into tables, once.

    seat         the group says which partitions are ours; each is read in every topic that is recorded
    positions    the tables say how far each is recorded: there reading begins, whatever the group remembers
    batch        read what there is -> make entries of it -> write them and the new positions in one transaction

Whatever fails, reading begins anew at the positions in the tables: what was written is not written again, what was not
is. While the database is away nothing is read, so nothing is lost that the log still keeps; what retention has
removed meanwhile is counted, and said.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from cordboard.log.port import Log, LogError, Member, Reader, Record, TopicPartition
from dispatcher.recorder.database import TablesUnavailable, TablesUnusable
from dispatcher.recorder.events import Behind, BrokeOff, GoesOn, Missed, Observer, Recorded, Trouble
from dispatcher.recorder.reading import Interpreter, Reading
from dispatcher.recorder.tables import Move, Overtaken, Tables

READ_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 5.0  # How often it is asked how far behind we are.
STOP_SECONDS: Final = 3.0  # For what is in hand: what is not written by then is read again.
HANDOVER_SECONDS: Final = 2.0  # How long the group waits for a write.
RETRY_SECONDS: Final = 0.25  # Before the first new try; doubled while the trouble lasts.
RETRY_SECONDS_MAX: Final = 15.0
_MISSED_MAX: Final = 1_000_000_000_000  # No retention takes so many: the log was made anew (cordboard/log/backup.py).
_AT_ONCE: Final = 20  # Records made entries of before others have their turn on the event loop.


class Recorder:
    """Records from `start` to `stop`. `topics`: what is recorded; all have as many partitions as the first one."""

    def __init__(
        self,
        log: Log,
        tables: Tables,
        interpreter: Interpreter,
        topics: Sequence[str],
        group: str,
        observe: Observer,
        *,
        records_max: int = 1000,
    ) -> None:
        self._log = log
        self._tables = tables
        self._interpreter = interpreter
        self._topics = topics
        self._group = group
        self._observe = observe
        self._records_max = records_max
        self._held: frozenset[int] = frozenset()
        self._changed = asyncio.Event()  # The partitions are others than those that are read.
        self._stopping = asyncio.Event()
        self._writing = asyncio.Lock()
        self._reader: Reader | None = None
        self._member: Member | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._positions: dict[TopicPartition, int] = {}
        self._is_prepared = False
        self._why = "it has not begun yet"  # "" where all is well.

    def check(self) -> str | None:
        """For readiness: why nothing is recorded now."""
        return f"nothing is recorded: {self._why}" if self._why else None

    async def start(self) -> None:
        """Begin to record."""
        self._tasks = (
            asyncio.create_task(self._run(), name="recorder"),
            asyncio.create_task(self._keep_looking(), name="recorder's lag"),
        )
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Write what is in hand, and leave the group."""
        self._stopping.set()
        self._interrupt()
        if self._tasks:
            running, looking = self._tasks
            looking.cancel()
            await asyncio.wait((running,), timeout=STOP_SECONDS)
            running.cancel()
            await asyncio.gather(running, looking, return_exceptions=True)
        if self._member is not None:
            await self._member.leave()
        await self._tables.close()

    async def assigned(self, partitions: frozenset[int]) -> None:
        """These are ours too."""
        self._held |= partitions
        self._interrupt()

    async def revoked(self, partitions: frozenset[int]) -> None:
        """These are another's, once what is in hand is written. If it takes them earlier, that one write fails."""
        try:
            async with asyncio.timeout(HANDOVER_SECONDS), self._writing:
                pass
        except TimeoutError:
            pass  # Its positions tell the next one how far it came.
        self._held -= partitions
        self._interrupt()

    def _interrupt(self) -> None:
        self._changed.set()
        if self._reader is not None:
            self._reader.interrupt()

    async def _run(self) -> None:
        patience = RETRY_SECONDS
        while not self._stopping.is_set():
            try:
                await self._record()
                patience = RETRY_SECONDS
            except (LogError, TablesUnavailable, TablesUnusable, Overtaken) as error:
                doing = "log" if isinstance(error, LogError) else "tables"
                if not isinstance(error, Overtaken):
                    self._why = str(error)
                    self._observe(Trouble(doing, str(error)))
                await self._pause(patience)
                patience = min(2 * patience, RETRY_SECONDS_MAX)
        self._why = "it was stopped"

    async def _record(self) -> None:
        """Record the partitions that are held, until they change."""
        if not self._is_prepared:
            await self._tables.prepare()
            self._is_prepared = True
        if self._member is None:
            self._member = await self._log.join(self._group, self._topics[0], self)
        self._changed.clear()
        moves = await self._moves()
        reader = self._reader = self._log.reader({at: move.end for at, move in moves.items()}) if moves else None
        try:
            if any(move.missed for move in moves.values()):
                await self._write((), [move for move in moves.values() if move.missed])
            self._goes_on()
            while not (self._changed.is_set() or self._stopping.is_set()):
                await (self._step(reader) if reader is not None else self._changed.wait())
        finally:
            self._reader = None
            if reader is not None:
                await reader.close()

    async def _moves(self) -> dict[TopicPartition, Move]:
        """Where to begin in every partition, past what is gone from the log."""
        places = [TopicPartition(topic, number) for topic in self._topics for number in sorted(self._held)]
        starts = await self._asked(self._log.start, places)
        recorded = await self._tables.positions(starts)
        ends = await self._asked(self._log.end, places)  # Asked last: another recorder may still be going on.
        for at, place in recorded.items():
            if place > ends[at] or starts[at] - place > _MISSED_MAX:
                raise TablesUnusable(
                    f"the tables hold {at.topic}/{at.partition} up to {place}, and the log has {starts[at]} to "
                    f"{ends[at]}: it is not the log that was recorded, or was restored from a backup since. Give the "
                    "recorder a database of its own for this one"
                )
        self._positions = {at: max(place, starts[at]) for at, place in recorded.items()}
        return {at: Move(at, place, self._positions[at], max(starts[at] - place, 0)) for at, place in recorded.items()}

    async def _asked(
        self, ask: Callable[[TopicPartition], Awaitable[int]], places: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """What the log says of each of these, asked side by side."""
        return dict(zip(places, await asyncio.gather(*map(ask, places)), strict=True))

    async def _step(self, reader: Reader) -> None:
        records = await reader.read(READ_SECONDS, self._records_max)
        if records:
            readings = await self._made_of(records)
            ends = reader.positions()
            moves = [Move(at, self._positions[at], ends[at]) for at in {record.source for record in records}]
            await self._write(readings, moves)

    async def _made_of(self, records: Sequence[Record]) -> list[Reading]:
        readings: list[Reading] = []
        for number, record in enumerate(records, 1):
            readings.append(self._interpreter.read(record))
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return readings

    async def _write(self, readings: Sequence[Reading], moves: Sequence[Move]) -> None:
        started = asyncio.get_running_loop().time()
        async with self._writing:
            await self._tables.write(readings, moves)
        self._positions |= {move.at: move.end for move in moves}
        for move in moves:
            if move.missed:
                self._observe(Missed(move.at.topic, move.missed))
        kinds = Counter(entry.kind for entry, _ in readings)
        self._observe(Recorded(kinds, asyncio.get_running_loop().time() - started))
        self._goes_on()

    def _goes_on(self) -> None:
        if self._why:
            self._why = ""
            self._observe(GoesOn())

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _keep_looking(self) -> None:
        """Say how far behind we are, and tell the group, so that its lag is seen where lags are looked at."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            positions = dict(self._positions)
            try:
                self._observe(Behind(await self._behind(positions)))
                reached = {at.partition: place for at, place in positions.items() if at.topic == self._topics[0]}
                ours = {number: place for number, place in reached.items() if number in self._held}
                if self._member is not None and ours:
                    await self._member.commit(ours)
            except LogError:
                pass  # The next look says it.

    async def _behind(self, positions: Mapping[TopicPartition, int]) -> dict[str, int]:
        behind: dict[str, int] = dict.fromkeys(self._topics, 0)
        ours = [at for at in positions if at.partition in self._held]
        for at, end in (await self._asked(self._log.end, ours)).items():
            behind[at.topic] += max(end - positions[at], 0)
        return behind

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._stopping.is_set() or task.cancelled():
            return
        error = task.exception() or RuntimeError(f"{task.get_name()} ended")
        self._why = f"it broke off: {type(error).__name__}"
        self._observe(BrokeOff(error))
