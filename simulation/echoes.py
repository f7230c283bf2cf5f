"""Work records that come once more, long after they came first: what a new owner does that sends what was owed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cordboard.log.port import NewRecord
from simulation.broker import JournalBroker
from simulation.faults import Echo, Fault
from simulation.loop import Life, VirtualLoop
from simulation.roles import WORK_TOPICS


class Echoes:
    """Counts work records, and writes some of them again. `struck` is told when one comes."""

    def __init__(
        self,
        faults: Iterable[Fault],
        broker: JournalBroker,
        life: Life,
        loop: VirtualLoop,
        struck: Callable[[Echo], None],
    ) -> None:
        self.under_way = 0
        self._echoes = {
            fault.nth + further: fault for fault in faults if isinstance(fault, Echo) for further in range(fault.count)
        }
        self._broker = broker
        self._life = life
        self._loop = loop
        self._struck = struck
        self._heard = 0
        broker.on_append.append(self._hear)

    def _hear(self, number: int, record: NewRecord) -> None:
        if record.topic not in WORK_TOPICS:
            return
        echo = self._echoes.pop(self._heard, None)
        self._heard += 1
        if echo is not None:
            self.under_way += 1
            self._loop.call_later(echo.seconds, self._sound, echo, number, record, context=self._life.context)

    def _sound(self, echo: Echo, number: int, record: NewRecord) -> None:
        self.under_way -= 1
        self._struck(echo)
        with self._broker.writing("an echo"):
            self._broker.append(number, record)
