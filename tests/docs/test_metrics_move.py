"""Every metric on docs/metrics.md is there in a running process, and moves when what it counts happens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client import CollectorRegistry

from cordboard.access import Access, AccessMetrics, NotKnown, Proof, hash_of
from cordboard.client import CommandRefused
from cordboard.http_server import HttpServer
from cordboard.liveness import Post, Standing
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.kafka.events import (
    Claimed,
    Fetched,
    Following,
    Overtaken,
    PassedOver,
    Rebalanced,
    RestoreEnded,
    Restoring,
    SeatLost,
    Written,
)
from cordboard.log.kafka.metrics import KafkaMetrics
from cordboard.log.port import LogUnavailable, NewRecord, TopicPartition
from cordboard.log.sealing_metrics import SealingMetrics
from cordboard.log.store import Store
from cordboard.roles.certificates import CertificateMetrics
from cordboard.roles.liveness import LivenessMetrics
from cordboard.roles.log import ClockMetrics
from cordboard.settings import Recorder
from cordboard.tls.renewing import Renewing
from cordboard.topics import Topics
from cordboard.v1 import WAIT_FOR_COMPLETION, Command, GetCallRequest, Hangup
from cordboard.work import Lane
from dispatcher.acceptance.permitting import COMMAND
from dispatcher.ingress import Spool, SpoolMetrics
from dispatcher.ingress.spool import SpoolFailed
from dispatcher.ingress.spool.file import SpoolFile
from dispatcher.metrics import DispatcherMetrics
from dispatcher.recorder.events import Behind, Dropped, GoesOn, Missed, Recorded, Trouble
from dispatcher.recorder.metrics import RecorderMetrics
from docs.generate.metrics import every_metric
from tests.docs.looking import Looking
from tests.forwarding.conftest import World
from tests.forwarding.stage import Service
from tests.forwarding.stage import event as handed_on
from tests.ingress import desk as away
from tests.promises.door import MovableClock
from tests.promises.stage import ACCOUNT, ANSWERS_AT_ONCE, OWN_NUMBER, Stage, command, dial, no_room, until
from tests.rpc.neighbours import street
from tests.tls.made import Made
from workers.core.forwarding import Patience
from workers.core.pacing import FAILURES_MAX
from workers.forwarding.events import Abandoned, LogTrouble
from workers.forwarding.metrics import ForwardMetrics

TOPICS = Topics()
SPEAKS = TOPICS.work(ACCOUNT, Lane.ACTION)
KEY = b"v3:somebody"


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> list[EmbeddedLog]:
    """The logs that are opened meanwhile."""
    opened: list[EmbeddedLog] = []
    original = EmbeddedLog.open

    async def opening(*given: Any, **named: Any) -> EmbeddedLog:
        opened.append(await original(*given, **named))
        return opened[-1]

    monkeypatch.setattr(EmbeddedLog, "open", opening)
    return opened


@pytest.fixture
async def scene(tmp_path: Path, logs: list[EmbeddedLog]) -> AsyncIterator[Scene]:
    stage = Stage(tmp_path, late_dial="hang_up")
    stage.recorder = Recorder(kind="sqlite", path=tmp_path / "recorded.sqlite3")
    async with stage:
        yield Scene(stage, logs[0])


class Scene:
    """A stage, its log, and eyes on its metrics."""

    def __init__(self, stage: Stage, log: EmbeddedLog) -> None:
        self.stage = stage
        self.log = log
        self.seen = Looking(stage.registry)

    async def counts(self, name: str, **labels: str) -> None:
        """Wait until a sample is more than 0."""
        assert await until(lambda: self.seen.value(name, **labels) > 0), f"{name} {labels} stays at 0"

    async def write(self, topic: str, value: bytes) -> None:
        """Write to a topic what nobody has checked."""
        await self.log.append([NewRecord(topic, KEY, value)])

    async def last_of(self, topic: str) -> bytes:
        """The latest record of a topic."""
        at = TopicPartition(topic, 0)
        reader = self.log.reader({at: await self.log.end(at) - 1})
        (record,) = await reader.read(5)
        await reader.close()
        return record.value


async def a_dial_is_answered(scene: Scene) -> None:
    """Results, completions, releases, events, and a word from the new call's page to the dial's."""
    answer = await scene.stage.client.execute(dial("d1", to=ANSWERS_AT_ONCE), wait_for=WAIT_FOR_COMPLETION)
    assert answer.completion.event_type == "call.answered"
    await scene.counts("cordboard_pages_told_total")
    await scene.counts("cordboard_events_total", late="no")


async def something_is_refused(scene: Scene) -> None:
    """A command without an action."""
    with pytest.raises(CommandRefused):
        await scene.stage.client.submit(Command(command_id="r1", call_control_id="c"))
    await scene.counts("cordboard_grpc_refused_total", reason="INVALID_COMMAND")


async def somebody_waits(scene: Scene) -> None:
    """For a request that is held at Telnyx's door."""
    call = await scene.stage.call()
    scene.stage.door.hold("w1")
    waiting = asyncio.create_task(scene.stage.client.execute(command("w1", call)))
    await scene.counts("cordboard_execute_waiting")
    await scene.counts("cordboard_worker_in_flight", lane="action")
    await scene.stage.submit(command("w2", call))
    await scene.counts("cordboard_line_commands")
    scene.stage.door.let_go("w1")
    await waiting


async def an_sdk_asks_again(scene: Scene) -> None:
    """By the REST door: a dial without an id, and its retry; one of them waits at Telnyx's door meanwhile."""
    headers = {"authorization": f"Bearer {scene.stage.api_key}"}
    body = {"to": ANSWERS_AT_ONCE, "from": OWN_NUMBER, "connection_id": "c"}
    async with httpx.AsyncClient(base_url=scene.stage.rest_url, headers=headers, trust_env=False) as http:
        await http.post("/v2/calls", json=body, headers={"x-stainless-retry-count": "0"})
        await http.post("/v2/calls", json=body, headers={"x-stainless-retry-count": "1"})
        await scene.counts("cordboard_rest_repeats_total")
        await scene.counts("cordboard_rest_requests_total", action="dial", status="200")
        scene.stage.door.hold("h1")
        speech = {"payload": "hello", "voice": "female", "command_id": "h1", "client_state": "aDE="}
        waiting = asyncio.create_task(http.post(f"/v2/calls/{await scene.stage.call()}/actions/speak", json=speech))
        await scene.counts("cordboard_rest_in_hand")
        scene.stage.door.let_go("h1")
        assert (await waiting).status_code == 200


async def a_command_is_cancelled(scene: Scene) -> None:
    """Whether there is one or not: the request is answered."""
    await scene.stage.client.cancel("v3:somebody", ["nothing"])
    await scene.counts("cordboard_cancel_reports_total")


async def telnyx_asks_for_patience(scene: Scene) -> None:
    """A 429 holds the lane; those behind it are reserved, and wait."""
    calls = [await scene.stage.call() for _ in range(3)]
    scene.stage.faults({"match": {"action": "speak"}, "rate_limit": {"reset": 1}, "times": 1})
    await scene.stage.submit(*(command(f"l{number}", call) for number, call in enumerate(calls)))
    await scene.counts("cordboard_worker_rate_limited_total")
    await scene.counts("cordboard_worker_reserved", lane="action")
    await scene.counts("cordboard_worker_held_total", lane="action", cause="rate_limited")
    assert await scene.stage.ended("l0", "l1", "l2") == []


async def an_account_is_paused(scene: Scene) -> None:
    """Its dials wait, and go when it is resumed."""
    await scene.stage.client.pause(ACCOUNT)
    await scene.counts("cordboard_account_paused", account=ACCOUNT)
    await scene.stage.submit(dial("p1"))
    await scene.counts("cordboard_dials_waiting")
    await scene.stage.client.resume(ACCOUNT)
    assert await scene.stage.ended("p1") == []


async def telnyx_is_away(scene: Scene) -> None:
    """So many requests fail in a row that nothing more is sent, until a hangup finds that it is back."""
    calls = [await scene.stage.call() for _ in range(FAILURES_MAX // 2)]
    scene.stage.faults({"match": {"action": "speak"}, "status": 503})
    await scene.stage.submit(*(command(f"b{number}", call) for number, call in enumerate(calls)))
    await scene.counts("cordboard_worker_breaker_open")
    scene.seen.look()
    scene.stage.faults()
    await scene.stage.client.execute(Command(command_id="b", call_control_id=calls[0], hangup=Hangup()))
    assert await until(lambda: scene.seen.value("cordboard_worker_breaker_open") == 0)


async def telnyx_stumbles(scene: Scene) -> None:
    """A 500 makes the worker send the same again."""
    call = await scene.stage.call()
    scene.stage.faults({"match": {"action": "speak"}, "status": 500, "times": 1})
    await scene.stage.submit(command("s1", call))
    await scene.counts("cordboard_worker_resends_total")
    assert await scene.stage.ended("s1") == []


async def a_call_falls_silent(scene: Scene) -> None:
    """Telnyx is asked for it, and says that it lives."""
    await scene.stage.call()
    await scene.stage.skip(4 * 3600)
    await scene.counts("cordboard_calls_asked_total", why="silence", answer="alive")


async def a_dial_rings_too_late(scene: Scene) -> None:
    """Its answer was a 500, and its account has such calls hung up."""
    scene.stage.faults({"match": {"action": "dial"}, "status": 500, "happens": True, "times": 1})
    await scene.stage.submit(dial("g1"))
    await scene.counts("cordboard_late_dials_hung_up_total")


async def a_webhook_is_on_its_way(scene: Scene) -> None:
    """Half of it has come."""
    host, port = scene.stage.ingress_url.split("/")[2].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /webhooks/telnyx HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{")
    await scene.counts("cordboard_ingress_in_hand")
    writer.close()
    await scene.counts("cordboard_ingress_webhooks_total", result="broken_off")


async def somebody_writes_nonsense(scene: Scene) -> None:
    """To the commands and to the work; and the same work twice."""
    await scene.write(TOPICS.commands, b"\xff")
    await scene.counts("cordboard_dead_letters_total")
    copy = await scene.last_of(SPEAKS)
    await scene.write(SPEAKS, b"\xff")
    await scene.write(SPEAKS, copy)
    await scene.counts("cordboard_worker_set_aside_total", reason="unreadable")
    await scene.counts("cordboard_worker_set_aside_total", reason="copy")


async def the_disk_is_full(scene: Scene) -> None:
    """A worker has an outcome that it cannot report, and somebody is told that nothing can be taken."""
    call = await scene.stage.call()
    scene.stage.door.hold("f1")
    await scene.stage.submit(command("f1", call))
    assert await until(lambda: scene.stage.door.inside("f1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "commit", no_room)
        scene.stage.door.let_go("f1")
        await scene.counts("cordboard_worker_log_errors_total", doing="report")
        with pytest.raises((CommandRefused, grpc.aio.AioRpcError)):
            await scene.stage.client.submit(command("f2", call))
        await scene.counts("cordboard_log_failed_commits_total")
        assert scene.seen.value("cordboard_log_healthy") == 0
    assert await scene.stage.ended("f1") == []


async def the_process_is_stopped(scene: Scene) -> None:
    """While a request is out; its worker cannot wait for it."""
    call = await scene.stage.call()
    scene.stage.door.hold("u1")
    await scene.stage.submit(command("u1", call))
    assert await until(lambda: scene.stage.door.inside("u1"))
    scene.seen.look()
    await scene.stage.close()
    await scene.counts("cordboard_worker_unreported_total")
    await scene.counts("cordboard_partitions_lost_total", why="stopped")


STORY: tuple[Callable[[Scene], Awaitable[None]], ...] = (
    a_dial_is_answered,
    something_is_refused,
    somebody_waits,
    an_sdk_asks_again,
    a_command_is_cancelled,
    telnyx_asks_for_patience,
    an_account_is_paused,
    telnyx_is_away,
    telnyx_stumbles,
    a_call_falls_silent,
    a_dial_rings_too_late,
    a_webhook_is_on_its_way,
    somebody_writes_nonsense,
    the_disk_is_full,
    the_process_is_stopped,
)


async def between_processes() -> Looking:
    """One dispatcher asks another for a page that it does not hold."""
    async with street(2) as neighbours:
        asking, holding = neighbours.processes
        seen = Looking(asking.registry)
        with pytest.raises(grpc.aio.AioRpcError, match="NOT_FOUND"):
            await asking.stub.GetCall(GetCallRequest(call_control_id=holding.call()), timeout=20)
        seen.look()
        return seen


def as_identities(directory: Path) -> Looking:
    """Somebody is let in, somebody is not; and the file of who is known is spoilt."""
    registry, clock, file = CollectorRegistry(), MovableClock(), directory / "identities.toml"
    table = '[identities.ivr]\naccounts = ["*"]\ntoken_sha256 = ["{}"]\n'
    file.write_text(table.format(hash_of("token").hex()))
    metrics, seen = AccessMetrics(registry), Looking(registry)
    access = Access(clock, {}, file, note=metrics)
    metrics.look_at(access)
    seen.look()
    access.caller(Proof(hash_of("token"))).note(COMMAND)
    with pytest.raises(NotKnown):
        access.caller(Proof())
    file.write_text(table.format("spoilt") + table.format(hash_of("token").hex()).replace("ivr", "other"))
    clock.skipped_ms += 1_000
    assert seen.value("cordboard_identities_file_broken") == 1
    file.write_text(table.format(hash_of("a").hex()) + table.format(hash_of("b").hex()).replace("ivr", "other"))
    clock.skipped_ms += 1_000
    assert (seen.value("cordboard_identities_file_broken"), seen.value("cordboard_identities")) == (0, 2)
    seen.look()
    return seen


def over_time(directory: Path) -> Looking:
    """Partitions are counted, clocks drift apart, a certificate is replaced by a later one, one by nonsense."""
    registry, skew_ms, path = CollectorRegistry(), [0], directory / "certificate.pem"
    ClockMetrics(registry).look_at(lambda: skew_ms[0])
    certificates, served = CertificateMetrics(registry), Made(directory / "served")
    certificates.look_at("kafka.certificate_file", path)
    certificates.follow("tls.certificate_file", Renewing(served.files()))
    dispatcher, seen = DispatcherMetrics(registry), Looking(registry)
    assert seen.value("cordboard_certificate_expiry_timestamp_seconds") == 0
    assert seen.value("cordboard_certificate_refused") == 0
    served.server.write_text("nonsense")
    assert seen.value("cordboard_certificate_refused", certificate="tls.certificate_file") == 1
    dispatcher.there_are(4)
    skew_ms[0] = 2_500
    for days in (1, 2):
        path.write_bytes(certificate(days))
        os.utime(path, (days, days))
        seen.look()
    ends = seen.value("cordboard_certificate_expiry_timestamp_seconds", certificate="kafka.certificate_file")
    assert datetime.now(UTC) + timedelta(days=1) < datetime.fromtimestamp(ends, UTC)
    assert seen.value("cordboard_clock_skew_seconds") == 2.5
    return seen


def certificate(days: int) -> bytes:
    """One that says nothing but how long it is good for."""
    key, now, name = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC), x509.Name([])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=days))
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def on_kafka() -> Looking:
    """One of each event of the Kafka log; that a real one gives them is shown in `tests/kafka/test_metrics.py`."""
    registry, at = CollectorRegistry(), TopicPartition(TOPICS.commands, 0)
    count, seen = KafkaMetrics(registry), Looking(registry)
    for event in (
        Written(TOPICS.commands, 1, 0.1, acknowledged=True),
        Written(TOPICS.commands, 1, 0.1, acknowledged=False),
        Following(1, (at,)),
        Fetched(1, at, 2, 3, 0.1),
        Overtaken(at, 1),
        PassedOver(at, 1),
        Restoring(0, 0, 0, 0, 4, 0.0),
        Restoring(0, 1, 0, 1, 4, 0.1),
        RestoreEnded(0, 4, 2, 0.3, is_whole=True, is_rest=False),
        RestoreEnded(0, 4, 2, 0.3, is_whole=False, is_rest=False),
        Claimed(0, warm=False, pages=2, stale=1, seconds=0.3),
        Rebalanced("g", 2, 0.3),
        SeatLost("g", "why"),
    ):
        count(event)
        seen.look()
    return seen


def while_recording() -> Looking:
    """One of each event of the recorder; that a real one gives them is shown in `tests/recorder`."""
    registry = CollectorRegistry()
    told, seen = RecorderMetrics(registry), Looking(registry)
    for event in (
        Recorded({"command": 2}, 0.1),
        Behind({TOPICS.commands: 3}),
        Behind({TOPICS.commands: 0}),
        Missed(TOPICS.commands, 1),
        Trouble("tables", "why"),
        GoesOn(),
        Dropped(1),
    ):
        told(event)
        seen.look()
    return seen


def while_sealing() -> Looking:
    """A new key is taken up, and a value does not open; that a real log tells of both is shown in `tests/log`."""
    registry = CollectorRegistry()
    metrics, seen = SealingMetrics(registry), Looking(registry)
    for key in ("2026-05", "2026-11"):
        metrics.seals_by(key)
        metrics.unopened(TOPICS.webhooks, "unknown_key")
        seen.look()
    assert seen.value("cordboard_sealing_key", key_name="2026-05") == 0
    return seen


def in_silence() -> Looking:
    """Posts that stand still; that they are found is shown in `tests/liveness`."""
    registry, at = CollectorRegistry(), TopicPartition(TOPICS.commands, 0)
    told, seen = LivenessMetrics(registry), Looking(registry)
    for holder, lag, seconds, doubt in (
        ((), 0, 0, ""),
        ((), 3, 30, "why"),
        (("p", "l"), 0, 0, ""),
        (("p", "l"), 3, 30, ""),
    ):
        told(Standing(Post(0, {at: 4}, holder), {at: lag}, seconds, doubt))
        seen.look()
    return seen


async def while_forwarding(directory: Path) -> Looking:
    """An endpoint that fails, then takes an event, and gives another one up while the log is away for a moment."""
    world, service, registry = World(directory / "forward.sqlite3"), Service(usual=500), CollectorRegistry()
    metrics, seen = ForwardMetrics(registry), Looking(registry)
    await world.open()
    async with HttpServer(service.app(), "127.0.0.1", 0, drain_seconds=0.1) as service.server:
        patience = Patience(whole_ms=2_000, pause_ms=5, pause_ms_max=20)
        forwarder = await world.forwarder(service.url, patience=patience)
        metrics.look_at("main", forwarder.in_hand, forwarder.oldest_seconds)
        count = metrics.of("main")
        service.answers["v3:a"] = 200
        await world.write(handed_on("v3:a", 0), handed_on("v3:b", 0))
        assert await until(lambda: service.of("v3:b") and seen.value("cordboard_forward_oldest_seconds") > 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "commit", no_room)
            assert await until(lambda: any(isinstance(one, LogTrouble) for one in world.events))
        assert await until(lambda: any(isinstance(one, Abandoned) for one in world.events))
        for one in world.events:
            count(one)
        seen.look()
        await world.close()
    return seen


async def while_spooling(directory: Path) -> Looking:
    """The log is away, the spool's disk takes nothing for a moment, then both are back; something it never takes."""
    log, clock, registry = away.Log(failure=LogUnavailable("away")), away.Clock(), CollectorRegistry()
    metrics, seen = SpoolMetrics(registry), Looking(registry)
    letters = away.LETTERS
    spool = await Spool.open(directory / "spool", log, away.TOPIC, clock, metrics, dead_letters=letters, size_max=4096)
    await spool.put([NewRecord(away.TOPIC, KEY, b"{}")])
    clock.seconds += 1
    seen.look()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SpoolFile, "add", no_room)
        with pytest.raises(SpoolFailed):
            await spool.put([NewRecord(away.TOPIC, KEY, b"{}")])
    log.failure = None
    assert await until(lambda: seen.value("cordboard_ingress_spool_drained_total") == 1)
    log.refused = {b"never": [away.TOPIC]}
    await spool.put([NewRecord(away.TOPIC, KEY, b"never")])
    assert await until(lambda: seen.value("cordboard_ingress_spool_set_aside_total", where="dead_letters") == 1)
    await spool.close()
    return seen


async def test_every_metric_moves(scene: Scene, tmp_path: Path):
    """
    A metric that nothing moves tells nobody anything: a new one needs a scene above.
    """
    for happens in STORY:
        await happens(scene)
    scene.seen.look()
    scenes = [scene.seen, await between_processes(), on_kafka(), in_silence(), while_recording(), while_sealing()]
    scenes += [
        await while_forwarding(tmp_path),
        await while_spooling(tmp_path),
        over_time(tmp_path),
        as_identities(tmp_path),
    ]

    assert set.intersection(*(set(seen.still(every_metric())) for seen in scenes)) == set()


async def test_a_process_has_the_metrics_that_are_listed_and_no_others(scene: Scene):
    """
    What a role registers and what the page lists are the same; each kind of log has its own.
    """
    registered = {family.name for family in scene.stage.registry.collect()}
    other = CollectorRegistry()
    KafkaMetrics(other)
    on_the_other_log = {family.name for family in other.collect()}

    assert registered | on_the_other_log == {metric.name for metric in every_metric()}
    assert registered & on_the_other_log == set()
