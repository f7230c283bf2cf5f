"""The recorder's role, and the way to its tables for whoever only reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.clock import Clock
from cordboard.log.port import Log
from cordboard.observers import each_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from cordboard.topics import Topics
from cordboard.work import Lane
from dispatcher.accounts import Accounts
from dispatcher.recorder.archive import Archive
from dispatcher.recorder.contents import Masking
from dispatcher.recorder.database import Database
from dispatcher.recorder.journal import Journal
from dispatcher.recorder.metrics import RecorderMetrics
from dispatcher.recorder.postgresql import PostgresqlDatabase
from dispatcher.recorder.reading import Interpreter
from dispatcher.recorder.recorder import Recorder
from dispatcher.recorder.retention import Retention
from dispatcher.recorder.sqlite import SqliteDatabase
from dispatcher.recorder.tables import Tables

_DAY_MS: Final = 24 * 3_600_000
_READERS: Final = 4


class Recording:
    """The recorder of one process, with what drops the old."""

    def __init__(
        self, settings: Settings, accounts: Accounts, log: Log, clock: Clock, registry: CollectorRegistry = REGISTRY
    ) -> None:
        chosen, topics = settings.recorder, topics_of(settings)
        observe = each_of(RecorderMetrics(registry), Journal(clock))
        self._recorder = Recorder(
            log,
            Tables(database_of(settings)),
            Interpreter(topics, accounts, masking_of(settings)),
            recorded_topics(topics, sorted(settings.accounts)),
            f"{topics.prefix}.recorder",
            observe,
            records_max=chosen.batch_records_max,
        )
        keep_ms = round(chosen.keep_days * _DAY_MS)
        self._retention = Retention(Tables(database_of(settings)), keep_ms, clock, observe)

    async def start(self) -> None:
        """Begin to record. That the database is away is no reason not to: it is waited for."""
        await self._recorder.start()
        await self._retention.start()

    async def stop(self) -> None:
        """Write what is in hand, and stop."""
        await self._retention.stop()
        await self._recorder.stop()

    def check(self) -> str | None:
        """For readiness: why nothing is recorded now."""
        return self._recorder.check()


def recorded_topics(topics: Topics, pools: list[str]) -> list[str]:
    """All that is recorded: commands first, so that a dial is known before what comes of it."""
    work = [topics.work(pool, lane) for pool in pools for lane in Lane]
    return [topics.commands, topics.now, *work, topics.outcomes, topics.results, topics.events]


def database_of(settings: Settings, *, connections_max: int = 1, read_only: bool = False) -> Database:
    """The database that the settings name. Nothing is opened yet."""
    chosen = settings.recorder
    if chosen.kind == "sqlite":
        return SqliteDatabase(chosen.path, read_only=read_only)
    return PostgresqlDatabase(_url_of(settings), connections_max, read_only=read_only)


def archive_of(settings: Settings, clock: Clock) -> Archive | None:
    """What was recorded, for a dispatcher; None where nothing is. Nothing is opened yet."""
    if settings.recorder.kind == "none":
        return None
    reading = Tables(database_of(settings, connections_max=_READERS, read_only=True))
    return Archive(reading, Tables(database_of(settings)), masking_of(settings).number, clock)


def masking_of(settings: Settings) -> Masking:
    """How much of what is recorded is to be seen."""
    return Masking(numbers=settings.recorder.numbers_in_full)


def _url_of(settings: Settings) -> Callable[[], str]:
    return lambda: settings.recorder.read_url() or ""
