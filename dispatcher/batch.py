"""A batch: inputs applied to pages in memory, until they are settled together.

Nothing in here awaits. What a batch comes to is written by one `settle`; if that fails, the batch is forgotten with the
claim under which it was made, and nothing of it was ever said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from cordboard.cloudevents import header, trace_of
from cordboard.log.port import NewRecord, Record, size_of
from cordboard.orders import NO_ORDERS, Orders
from dispatcher.core.advance import advance
from dispatcher.core.decision import Decision, Result
from dispatcher.core.inputs import Credited, Due, Input, Ordered
from dispatcher.core.limits import Limits
from dispatcher.core.page import Page, decode, encode
from dispatcher.core.words import SENTENCES, Reason, State
from dispatcher.credit import LaneCredit, Wish
from dispatcher.observing import Decided, Observer, Said, SetAside
from dispatcher.pages import Pages
from dispatcher.reading import Addressed, Interpreter, Invalid, Reading, Unreadable
from dispatcher.rendering import ROUTED_HEADER, Renderer

BYTES_MAX: Final = 2 * 1024 * 1024  # What a log must take at once is no more than this and what one input adds.
# A sender may have copied the header by which a record tells that it was routed on; so once more, but not for ever.
ROUTES_MAX: Final = 2
_SECOND_LOOK_MS: Final = 60_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Practice:
    """How a partition's records are read, decided about and written. `home` gives the partition where a key belongs."""

    interpreter: Interpreter
    renderer: Renderer
    inputs: tuple[str, ...]
    limits: Limits
    home: Callable[[str, bytes], int]
    observe: Observer
    orders: Callable[[], Orders] = lambda: NO_ORDERS
    rooms: Mapping[str, int] = field(default_factory=dict)  # Dials of an account that may be out, of one partition.


class Batch:
    """Decisions about one partition that are not settled yet."""

    def __init__(self, practice: Practice, partition: int, pages: Pages, now_ms: int, credit: LaneCredit) -> None:
        self._practice = practice
        self._orders = practice.orders()
        self._credit = credit
        self._partition = partition
        self._pages = pages
        self._now_ms = now_ms
        self.changes: dict[str, bytes | None] = {}
        self._wakes: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._fired: list[str] = []
        self.outputs: list[NewRecord] = []
        self.positions: dict[str, int] = {}
        self.inputs = 0
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it is to be settled before anything more is decided."""
        return self._bytes >= BYTES_MAX

    def __bool__(self) -> bool:
        return bool(self.positions or self.changes or self.outputs)

    def take(self, record: Record) -> None:
        """Decide about one record; whatever is in it, the next one can be taken."""
        self.positions[record.topic] = record.offset + 1
        self.inputs += 1
        try:
            reading = self._practice.interpreter.read(record)
            self._decide(record, reading)
        except Exception as error:
            self._set_aside(record, f"{type(error).__name__} while it was read")

    def fire(self, key: str, at_ms: int) -> None:
        """The time that a page asked for has come."""
        page = self._load(key)
        if page is None:
            return
        self._fired.append(key)
        try:
            self._keep(key, self._advance(page, key, Due(at_ms)), None)
        except Exception:
            _log.exception("a timer failed; its page is left as it is and looked at later", partition=self._partition)
            self._wakes[key] = self._now_ms + _SECOND_LOOK_MS
        self._look_again(key, at_ms)

    def _look_again(self, key: str, at_ms: int) -> None:
        """A page that still asks for a time that has come would be fired at without end: a bug, and only its own."""
        if 0 < self._wakes.get(key, 0) <= at_ms:
            _log.error("a page asks again for a time that has come; it is looked at later", asked_ms=at_ms)
            self._wakes[key] = self._now_ms + _SECOND_LOOK_MS

    def spend_credit(self) -> None:
        """Let those dials go for which their lane has room."""
        for wish in self._credit.grants(self._orders.paused):
            self._tell(wish.page, Credited(wish.command_id))

    def obey(self, keys: Iterable[str]) -> None:
        """Have pages look again at what waits: operators want something else than before."""
        for key in keys:
            page = self._load(key)
            if page is not None and is_waiting(page):
                self._tell(key, Ordered())

    def _tell(self, key: str, given: Input) -> None:
        page = self._load(key)
        if page is not None:
            self._keep(key, self._advance(page, key, given), None)

    def _advance(self, page: Page | None, key: str, given: Input) -> Decision:
        return advance(page, key, given, self._now_ms, self._practice.limits, self._orders)

    def commit(self) -> None:
        """It was settled: the pages are what they are now."""
        for key, value in self.changes.items():
            if value is None:
                self._pages.drop(key)
            else:
                self._pages.put(key, value, self._wakes[key], self._waiting[key])
        for key in self._fired:
            value = self._pages.get(key)
            if key not in self.changes and value is not None:
                self._pages.put(key, value, self._wakes[key], self._waiting.get(key))

    def _decide(self, record: Record, reading: Reading) -> None:
        match reading:
            case Unreadable(reason, detail):
                self._set_aside(record, reason, detail)
            case Invalid():
                self._refuse(record, reading)
            case Addressed(key):
                topic = reading.topic or record.topic
                partition = self._practice.home(topic, key.encode())
                if (topic, partition) == (record.topic, self._partition):
                    self._apply(record, key, reading)
                else:
                    self._route_on(record, key, topic, partition)

    def _route_on(self, record: Record, key: str, topic: str, partition: int) -> None:
        if sum(name == ROUTED_HEADER for name, _ in record.headers) >= ROUTES_MAX:
            self._set_aside(record, "it was routed on, and still is not where its call is decided about")
            return
        self._say(self._practice.renderer.rerouted(record, key.encode(), topic, partition))
        self._practice.observe(Decided(record.topic, "rerouted", record, self._now_ms))

    def _apply(self, record: Record, key: str, reading: Addressed) -> None:
        page = self._load(key)
        index = self._practice.inputs.index(record.topic)
        if page is not None and index < len(page.applied) and record.offset < page.applied[index]:
            return  # Read again after a crash: the page has it already.
        given: Input | Invalid | None = None
        try:
            given = reading.given(page.account if page else "")
            if isinstance(given, Invalid):
                self._refuse(record, given)
                return
            decision = self._advance(page, key, given)
        except Exception as error:
            _log.error("an input could not be applied", topic=record.topic, offset=record.offset, exc_info=True)
            self._set_aside(record, f"{type(error).__name__} while it was decided about")
            if reading.poisoned is None:
                return
            given = reading.poisoned
            decision = self._advance(self._load(key), key, given)
        if decision.changed and decision.page is not None:
            _note_applied(decision.page, index, record.offset, len(self._practice.inputs))
        self._practice.observe(Decided(record.topic, type(given).__name__.lower(), record, self._now_ms))
        self._keep(key, decision, record)

    def _keep(self, key: str, decision: Decision, source: Record | None) -> None:
        if decision.changed:
            page = None if decision.page is None else encode(decision.page)
            self.changes[key] = page
            self._bytes += len(page or b"")
        self._waiting[key] = 0 if decision.page is None else decision.page.waiting
        self._wakes[key] = decision.wake_ms or 0
        look_at(self._credit, key, decision)
        for learned in decision.learned:
            self._practice.observe(learned)
        for output in decision.outputs:
            self._say(self._practice.renderer.render(output, source))
            self._practice.observe(Said(output, self._partition, source, self._now_ms))

    def _say(self, output: NewRecord) -> None:
        self.outputs.append(output)
        self._bytes += size_of(output)

    def _load(self, key: str) -> Page | None:
        value = self.changes[key] if key in self.changes else self._pages.get(key)
        return None if value is None else decode(value)

    def _refuse(self, record: Record, invalid: Invalid) -> None:
        command = invalid.command
        result = Result(
            kind="refused",
            command_id=command.command_id,
            page=command.call_control_id,
            call=command.call_control_id,
            account=invalid.account,
            action=command.WhichOneof("action") or "",
            state=State.REJECTED,
            reason=Reason.INVALID_COMMAND,
            message=SENTENCES[Reason.INVALID_COMMAND],
            accept_ms=record.time_ms,
            finish_ms=self._now_ms,
            source=command.source,
            group=command.group,
            origin=f"{record.topic}/{record.partition}/{record.offset}",
            traceparent=trace_of(header(record.headers, "traceparent")),
        )
        self._say(self._practice.renderer.result(result, invalid.violations))
        self._practice.observe(Said(result, self._partition, record, self._now_ms))

    def _set_aside(self, record: Record, reason: str, detail: str = "") -> None:
        self._say(self._practice.renderer.dead_letter(record, reason, detail))
        self._practice.observe(SetAside(record.topic, reason))
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        _log.warning("a record was set aside as a dead letter", **place, why=reason)


def is_waiting(page: Page) -> bool:
    """Whether anything on it can be held back by operators, or is out on its lane's credit."""
    return bool(page.line or page.early or (page.is_dial and page.flights))


def look_at(credit: LaneCredit, key: str, decision: Decision) -> None:
    """Have the credit learn how a dial's page stands."""
    page = decision.page
    if page is None or not page.is_dial:
        if page is None and decision.changed:
            credit.look(key, "", None, is_out=False)
        return
    asks = (held.ask for held in page.line[:1] if held.ask.command_id in decision.wants_credit)
    wish = next((Wish(key, ask.command_id, ask.account, ask.source) for ask in asks), None)
    credit.look(key, page.account, wish, is_out=decision.has_credit)


def _note_applied(page: Page, index: int, offset: int, inputs: int) -> None:
    page.applied = [*page.applied, *([0] * (inputs - len(page.applied)))]
    page.applied[index] = offset + 1
