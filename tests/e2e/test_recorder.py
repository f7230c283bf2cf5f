"""The recorder killed again and again under load, as part of one process and by itself: its tables equal the log."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from cordboard.client import Client, CommandRefused
from cordboard.clock import SystemClock
from cordboard.log.port import Log, NewRecord
from cordboard.roles.brain import accounts_of
from cordboard.roles.log import open_log
from cordboard.roles.recorder import Recording, masking_of, recorded_topics
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from cordboard.v1 import CALL_STATE_ENDED, TIMELINE_ORIGIN_RECORDER, Command, Dial, ListCallsRequest
from dispatcher.recorder.database import Database
from dispatcher.recorder.postgresql import PostgresqlDatabase
from dispatcher.recorder.reading import Interpreter
from dispatcher.recorder.sqlite import SqliteDatabase
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.e2e.apart import Pieces, ready, until
from tests.e2e.process import ACCOUNT, Cordboard
from tests.e2e.test_apart import dialled, done
from tests.recorder.server import Server as Postgresql
from tests.recorder.world import entries, select, told_by

KILLS = 6
SHORT_SESSION = {"CORDBOARD_KAFKA__SESSION_TIMEOUT_SECONDS": "6"}
SMALL_BATCHES = {"CORDBOARD_RECORDER__BATCH_RECORDS_MAX": "25"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Server]:
    """A stand-in for Telnyx whose calls live ten times as fast."""
    settings = SandboxSettings(port=0, speed=10.0, webhook_attempts_max=9, webhook_backoff_seconds=0.1)
    async with Server(settings) as server:
        yield server


@asynccontextmanager
async def load(target: str) -> AsyncIterator[Callable[[], int]]:
    """Calls are dialled, and commands come for calls that there are and are not; says how many were taken."""
    taken, stopping = 0, asyncio.Event()

    async def send(client: Client, sender: int) -> None:
        nonlocal taken
        for number in itertools.count():
            if stopping.is_set():
                return
            name = f"c-{sender}-{number}"
            command = Command(command_id=name, call_control_id=f"call-{sender}-{number // 5}")
            if number % 5:
                command.speak.payload, command.speak.voice = "hello", "female"
            else:
                dial = Dial(to="+12025559907", from_number="+12025550199", connection_id="c")
                command = Command(command_id=name, dial=dial)
            with suppress(CommandRefused, grpc.aio.AioRpcError):
                await client.submit(command, timeout=10)
                taken += 1
            await asyncio.sleep(0.02)

    async with Client(target) as client:
        sending = [asyncio.create_task(send(client, sender)) for sender in range(3)]
        try:
            yield lambda: taken
        finally:
            stopping.set()
            await asyncio.gather(*sending)


async def equal(settings: Settings, log: Log, database: Database) -> int:
    """Return how many records there are, once the tables hold each of them, and nothing else."""
    topics = recorded_topics(topics_of(settings), [ACCOUNT])
    reading = Interpreter(topics_of(settings), accounts_of(settings), masking_of(settings))
    wanted = await told_by(log, topics, reading)

    async def has_caught_up() -> bool:
        return (await select(database, "SELECT count(*) FROM entry"))[0][0] >= len(wanted)

    await until(has_caught_up, "the recorder to catch up")
    assert await entries(database) == wanted
    return len(wanted)


@pytest.mark.timeout(400)
async def test_killed_with_all_the_others_it_has_the_log_in_the_end(
    tmp_path: Path, sandbox: Server, record_property: Callable[[str, object], None]
):
    """
    One process on the embedded log, killed at random; the tables are a file beside the log's.
    """
    rng, file = random.Random(3), tmp_path / "recorded.sqlite3"
    recorder = {"CORDBOARD_RECORDER__KIND": "sqlite", "CORDBOARD_RECORDER__PATH": str(file)} | SMALL_BATCHES
    cordboard = Cordboard(tmp_path, sandbox.base_url, sandbox.public_key, recorder)
    sandbox.settings.webhook_url = cordboard.webhook_url
    try:
        cordboard.start()
        async with load(cordboard.target) as taken:
            for _ in range(KILLS):
                await ready(cordboard)
                before = taken()
                await until(lambda before=before: taken() > before + 10, "something to be taken")
                await asyncio.sleep(rng.uniform(0.0, 0.5))
                cordboard.kill()
                cordboard.start()
            await ready(cordboard)
        await until(file.exists, "the tables")
        database = SqliteDatabase(file)
        await at_rest(database)
        assert await cordboard.stop() == 0, cordboard.last_words()
    finally:
        cordboard.abandon()

    settings = Settings(accounts={ACCOUNT: {"api_key": "k"}}, log={"path": tmp_path / "log.sqlite3"})
    opened = await open_log(settings, SystemClock(), CollectorRegistry())
    try:
        # What its last words were is on the log, and was perhaps not recorded: whoever records next does.
        missing = await recorded_on(settings, opened.log, file)
        count = await equal(settings, opened.log, database)
        record_property("summary", f"{KILLS} kills of the whole process, {count} records, {missing} after its stop")
    finally:
        await database.close()
        await opened.log.close()
    assert count > 100


async def letters_go_back(client: Client, log: Log, topic: str) -> None:
    """What nobody can read is set aside; written back it is again, and the first letter says so."""
    await log.append([NewRecord(topic, b"nobody", b"\xff")])

    async def are(*replayed: bool) -> bool:
        letters = (await client.list_dead_letters()).letters
        return [letter.HasField("replay_time") for letter in letters] == list(replayed)

    await until(lambda: are(False), "a dead letter")
    (letter,) = (await client.list_dead_letters()).letters
    assert (letter.key, letter.topic, letter.kind) == ("nobody", topic, "unreadable")
    await client.replay_dead_letter(letter.letter_id)
    await until(lambda: are(False, True), "it to be a dead letter again")


async def recorded_on(settings: Settings, log: Log, file: Path) -> int:
    """One more recorder, until it has nothing left to do; how much that was."""
    before = len(await entries(SqliteDatabase(file)))
    chosen = settings.recorder.model_copy(update={"kind": "sqlite", "path": file})
    last = settings.model_copy(update={"recorder": chosen})
    recording = Recording(last, accounts_of(last), log, SystemClock(), CollectorRegistry())
    await recording.start()
    await until(lambda: recording.check() is None, "the last recorder")
    database = SqliteDatabase(file)
    await equal(settings, log, database)
    await recording.stop()
    count = len(await entries(database))
    await database.close()
    return count - before


async def at_rest(database: Database) -> None:
    """Return when nothing was recorded for a while: what is under way at Telnyx has ended."""
    seen, still = -1, 0

    async def is_still() -> bool:
        nonlocal seen, still
        (count,) = (await select(database, "SELECT count(*) FROM entry"))[0]
        seen, still = count, still + 1 if count == seen else 0
        return still > 20

    await until(is_still, "the calls to end")


@pytest.mark.timeout(500)
async def test_killed_by_themselves_recorders_have_the_log_in_the_end(
    tmp_path: Path,
    sandbox: Server,
    kafka_servers: str,
    kafka_prefix: str,
    postgresql: Postgresql,
    record_property: Callable[[str, object], None],
):
    """
    Two of them share Kafka's partitions and a PostgreSQL, and are killed in turn; dispatchers tell what they wrote.
    """
    rng, url = random.Random(5), postgresql.url
    recorder = {"CORDBOARD_RECORDER__KIND": "postgresql", "CORDBOARD_RECORDER__URL": url} | SMALL_BATCHES
    names = ("dispatcher-1", "worker-1", "ingress-1", "recorder-1", "recorder-2")
    pieces = Pieces(
        tmp_path, kafka_servers, kafka_prefix, sandbox.base_url, sandbox.public_key, names, recorder | SHORT_SESSION
    )
    sandbox.settings.webhook_url = pieces.webhook_url
    settings = Settings(
        accounts={ACCOUNT: {"api_key": "k"}},
        log={"kind": "kafka", "topic_prefix": kafka_prefix},
        kafka={"bootstrap_servers": kafka_servers},
    )
    database = PostgresqlDatabase(lambda: url)
    async with pieces, Client(pieces.target) as client:
        call = await dialled(client)
        await done(client, call, hangup={})
        async with load(pieces.target) as taken:
            for number in range(KILLS):
                piece = pieces[f"recorder-{1 + number % 2}"]
                before = taken()
                await until(lambda before=before: taken() > before + 10, "something to be taken")
                await asyncio.sleep(rng.uniform(0.0, 2.0))
                piece.kill()
                piece.start()
        await asyncio.gather(*(ready(pieces[name]) for name in names))
        await at_rest(database)
        opened = await open_log(settings, SystemClock(), CollectorRegistry())
        count = await equal(settings, opened.log, database)
        await letters_go_back(client, opened.log, topics_of(settings).commands)
        await opened.log.close()

        found = await client.get_timeline(call)
        assert (found.call.state, found.timeline_origin) == (CALL_STATE_ENDED, TIMELINE_ORIGIN_RECORDER)
        assert {line.action for line in found.timeline} >= {"dial", "hangup", "call.answered", "call.hangup"}
        listed = await client.list_calls(ListCallsRequest(number="+12025550199", page_size=1000))
        assert call in {one.call_control_id for one in listed.calls}
    await database.close()
    record_property("summary", f"{KILLS} kills of recorders on Kafka and PostgreSQL, {count} records")
    assert count > 100
