"""The spool behind the public port: what is kept while the log is away, and what comes of it afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cordboard.log.port import AppendUncertain, LogUnavailable
from cordboard.operations import Remark
from cordboard.webhook import DIAL_COPY_HEADER, dial_url, parse
from dispatcher.ingress.spool.file import Entry, SpoolFile, SpoolUnusable, decoded
from dispatcher.ingress.spool.spool import Spool
from tests.ingress.desk import LETTERS, SECRET, TOPIC, Desk, Opened, event, until

AWAY = LogUnavailable("the brokers are away")
MIB = 1024 * 1024


@pytest.fixture
async def desk(open_desk: Opened, tmp_path: Path) -> Desk:
    return await open_desk(spool=tmp_path / "spool", spool_after_seconds=0.05, spool_bytes_max=MIB)


def value(desk: Desk, name: str, **labels: str) -> float:
    return desk.registry.get_sample_value(f"cordboard_ingress_{name}", labels) or 0.0


def ids(desk: Desk) -> list[str]:
    """The events in the log, in their order."""
    return [parse(record.value).id for record in desk.log.taken]


def said(desk: Desk) -> str | None:
    assert desk.spool is not None
    found = desk.spool.check()
    assert found is None or isinstance(found, str)
    return found


def spool_of(desk: Desk) -> Spool:
    assert desk.spool is not None
    return desk.spool


async def statuses(desk: Desk, *names: str) -> list[int]:
    return [(await desk.post(event(id=name))).status_code for name in names]


class TestWhileTheLogIsAway:
    @pytest.mark.parametrize("failure", [AWAY, AppendUncertain("who knows")])
    async def test_webhooks_are_kept_and_come_in_their_order(self, desk: Desk, failure: Exception):
        """
        Each is acknowledged; once the log is back they are written as they would have been, and forgotten here.
        """
        desk.log.failure = failure
        assert await statuses(desk, "e1", "e2", "e3") == [200, 200, 200]
        assert desk.counted() == {"spooled": 3}
        assert desk.log.taken == []
        desk.clock.seconds += 30
        assert [value(desk, f"spool_{name}") for name in ("events", "oldest_seconds")] == [3, 30]
        assert 3 * 100 < value(desk, "spool_bytes") < MIB
        assert (said(desk), isinstance(said(desk), Remark)) == ("3 webhooks wait for the log", True)

        desk.log.failure = None
        await until(lambda: said(desk) is None)
        assert ids(desk) == ["e1", "e2", "e3"]
        assert [value(desk, f"spool_{name}") for name in ("events", "bytes", "oldest_seconds")] == [0, 0, 0]
        assert value(desk, "spooled_total") == value(desk, "spool_drained_total") == 3

    async def test_what_is_written_is_what_would_have_been(self, desk: Desk):
        """
        Under the call, and under the dial's page; with every header.
        """
        path = dial_url("", "main", "d1", SECRET.encode())
        await desk.post(event(id="e1"), path)
        desk.log.failure = AWAY
        await desk.post(event(id="e2"), path)
        desk.log.failure = None
        await until(lambda: said(desk) is None)

        straight, spooled = desk.log.taken[:2], desk.log.taken[2:]
        assert [(record.topic, record.key) for record in spooled] == [(one.topic, one.key) for one in straight]
        assert [dict(record.headers).keys() for record in spooled] == [dict(one.headers).keys() for one in straight]
        assert DIAL_COPY_HEADER in dict(spooled[1].headers)

    async def test_a_log_that_is_slow_is_not_waited_for(self, desk: Desk):
        """
        Telnyx has its answer after the short patience; that the event may be in the log twice does not matter.
        """
        desk.log.gate = asyncio.Event()
        assert await statuses(desk, "e1") == [200]
        assert desk.counted() == {"spooled": 1}
        desk.log.gate.set()
        await until(lambda: said(desk) is None)
        assert set(ids(desk)) == {"e1"}

    async def test_nobody_but_the_spool_tries_it(self, desk: Desk):
        """
        Once the log is known to be away a webhook waits for the disk only; the spool tries with one at a time.
        """
        desk.log.failure = AWAY
        await statuses(desk, "e0")
        await until(lambda: desk.log.appends >= 2)  # The spool has tried, and pauses.
        desk.log.gate, desk.log.failure = asyncio.Event(), None
        before = desk.log.appends
        names = [f"e{number}" for number in range(1, 20)]
        assert await statuses(desk, *names) == [200] * 19

        assert desk.log.appends - before <= 1
        desk.log.gate.set()
        await until(lambda: said(desk) is None)
        assert ids(desk) == ["e0", *names]

    async def test_afterwards_webhooks_go_straight_to_the_log(self, desk: Desk):
        """
        As if there were no spool.
        """
        desk.log.failure = AWAY
        await statuses(desk, "e1")
        desk.log.failure = None
        await until(lambda: said(desk) is None)
        await statuses(desk, "e2")

        assert desk.counted() == {"spooled": 1, "accepted": 1}

    async def test_a_repeat_of_what_is_spooled_is_known(self, desk: Desk):
        """
        It is as durable as what is in the log.
        """
        desk.log.failure = AWAY

        assert await statuses(desk, "e1", "e1") == [200, 200]
        assert desk.counted() == {"spooled": 1, "repeated": 1}

    async def test_what_is_said_of_it(self, desk: Desk):
        """
        A line when it begins, and one when it is over.
        """
        with capture_logs() as lines:
            desk.log.failure = AWAY
            await statuses(desk, "e1", "e2")
            desk.log.failure = None
            await until(lambda: said(desk) is None)

        assert [line["event"] for line in lines] == [
            "the log is away; webhooks are kept in the spool until it is back",
            "the log is back, and the spool is empty",
        ]


class TestItsEnds:
    async def test_a_full_spool_takes_nothing_more(self, open_desk: Opened, tmp_path: Path):
        """
        Telnyx is told to come again, as without one, and readiness says so; there is room again afterwards.
        """
        desk = await open_desk(spool=tmp_path, spool_bytes_max=MIB, body_bytes_max=2 * MIB)
        large = event({"call_control_id": "v3:a", "x": "x" * (MIB - 2_000)}, id="large")
        desk.log.failure = AWAY
        assert (await desk.post(large)).status_code == 200
        taken = await statuses(desk, *(f"e{number}" for number in range(6)))
        assert (taken[0], taken[-1], taken) == (200, 503, sorted(taken))  # As many as there is room for.
        assert said(desk) == f"the spool is full: {1 + taken.count(200)} webhooks wait for the log"

        desk.log.failure = None
        await until(lambda: said(desk) is None)
        assert await statuses(desk, "e5") == [200]

    @pytest.mark.parametrize(
        ("pragma", "healed", "why"),
        [
            ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 100000", "database or disk is full"),
            ("PRAGMA query_only = ON", "PRAGMA query_only = OFF", "attempt to write a readonly database"),
        ],
    )
    async def test_a_disk_that_takes_nothing(self, desk: Desk, pragma: str, healed: str, why: str):
        """
        503, one line, a count, and not ready; as soon as it takes something all is well again.
        """
        connection = spool_of(desk)._file._connection
        desk.log.failure = AWAY
        connection.execute(pragma)
        with capture_logs() as lines:
            large = [event({"call_control_id": "v3:a", "x": "x" * 9_000}, id=f"e{number}") for number in range(3)]
            assert [(await desk.post(one)).status_code for one in large] == [503] * 3

        assert [line["why"] for line in lines if line["event"] == "the spool's file cannot be used"] == [why]
        assert value(desk, "spool_errors_total", doing="write") == 3
        assert said(desk) == f"the spool's file cannot be used: {why}"
        assert value(desk, "spool_bytes") == 0
        connection.execute(healed)
        assert await statuses(desk, "e4") == [200]
        assert isinstance(said(desk), Remark)

    async def test_what_cannot_be_forgotten_is_not_written_again(self, desk: Desk):
        """
        A disk that takes no deletion does not flood the log.
        """
        desk.log.failure = AWAY
        await statuses(desk, "e1")
        spool_of(desk)._file._connection.execute("PRAGMA query_only = ON")
        desk.log.failure = None
        await until(lambda: value(desk, "spool_errors_total", doing="remove") >= 2)
        spool_of(desk)._file._connection.execute("PRAGMA query_only = OFF")
        await until(lambda: said(desk) is None)

        assert ids(desk) == ["e1"]

    async def test_a_restart_sends_what_is_there(self, open_desk: Opened, tmp_path: Path):
        """
        In its order, and before anybody asks; what is left at a stop is said.
        """
        first = await open_desk(spool=tmp_path)
        first.log.failure = AWAY
        await statuses(first, "e1", "e2")
        with capture_logs() as lines:
            await spool_of(first).close()
        first.spool = None
        second = await open_desk(spool=tmp_path)
        await until(lambda: said(second) is None)

        assert ids(second) == ["e1", "e2"]
        assert [line["events"] for line in lines] == [2]


def kept_in(name: str) -> tuple[int, list[str]]:
    """A file's mode, and the webhooks in it."""
    path = Path(name)
    return stat.S_IMODE(path.stat().st_mode), [parse(one.value).id for one in decoded(path.read_bytes(), TOPIC)]


class TestWhatTheLogRefusesForEver:
    async def test_it_becomes_a_dead_letter_and_the_rest_goes_on(self, desk: Desk):
        """
        Acknowledged like any other, and found where people look; whatever came with it or after it is written.
        """
        desk.log.refused = {b"e2": [TOPIC]}
        desk.log.failure = AWAY
        with capture_logs() as lines:
            assert await statuses(desk, "e1", "e2", "e3") == [200, 200, 200]
            desk.log.failure = None
            await until(lambda: said(desk) is None)
            assert await statuses(desk, "e4") == [200]

        letters = [one for one in desk.log.taken if one.topic == LETTERS]
        assert [parse(one.value).id for one in letters] == ["e2"]
        assert b"it is too large" in dict(letters[0].headers)["dlq.errors.reason"]
        assert [name for name in ids(desk) if name != "e2"] == ["e1", "e3", "e4"]
        assert value(desk, "spool_set_aside_total", where="dead_letters") == 1
        assert value(desk, "spool_drained_total") == 2
        assert [line["log_level"] for line in lines if "refuses a webhook" in line["event"]] == ["error"]

    async def test_where_that_is_refused_too_it_is_a_file(self, desk: Desk, tmp_path: Path):
        """
        Beside the spool, with all that stood in it, named by an error in the log.
        """
        desk.log.refused = {b"e1": [TOPIC, LETTERS]}
        with capture_logs() as lines:
            assert await statuses(desk, "e1", "e2") == [200, 200]
            await until(lambda: said(desk) is None)

        (line,) = [line for line in lines if "it is a file now" in line["event"]]
        assert Path(line["file"]).parent == tmp_path / "spool"
        assert kept_in(line["file"]) == (0o600, ["e1"])
        assert ids(desk) == ["e2"]
        assert value(desk, "spool_set_aside_total", where="file") == 1

    async def test_without_a_log_it_waits_like_any_other(self, desk: Desk):
        """
        Nothing is set aside while nobody can say whether the log would take it.
        """
        desk.log.failure = AWAY
        await statuses(desk, "e1")
        await until(lambda: desk.log.appends >= 3)

        assert said(desk) == "1 webhooks wait for the log"
        assert desk.log.taken == []


class TestTheFile:
    def test_it_is_private(self, tmp_path: Path):
        """
        What callers say and press is in there, in the write-ahead log too.
        """
        file = SpoolFile(tmp_path / "spool")
        file.add([Entry(1, b"x")])

        made = list((tmp_path / "spool").iterdir())
        assert {path.name for path in made} == {"spool.sqlite3", "spool.sqlite3-wal"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
        assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
        file.close()

    def test_it_is_fsynced_at_each_commit(self, tmp_path: Path):
        """
        WAL with synchronous FULL: a commit that has returned outlives the machine.
        """
        file = SpoolFile(tmp_path)

        assert file._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert file._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        file.close()

    def test_it_belongs_to_one_process(self, tmp_path: Path):
        """
        The second one is told what to do; when the first is gone, it may.
        """
        first = SpoolFile(tmp_path)
        with pytest.raises(SpoolUnusable, match=r"ingress\.spool.*each ingress needs a folder of its own"):
            SpoolFile(tmp_path)
        first.close()
        SpoolFile(tmp_path).close()

    @pytest.mark.parametrize(
        ("content", "why"), [(b"not a database" * 100, "not a database"), (None, "another program")]
    )
    def test_what_is_not_ours_is_left_alone(self, tmp_path: Path, content: bytes | None, why: str):
        """
        Refused with the reason, byte for byte as it was.
        """
        path = tmp_path / "spool.sqlite3"
        if content is None:
            other = sqlite3.connect(path)
            other.execute("CREATE TABLE x (y)")
            other.close()
        else:
            path.write_bytes(content)
        before = path.read_bytes()

        with pytest.raises(SpoolUnusable, match=why):
            SpoolFile(tmp_path)
        assert path.read_bytes() == before

    def test_a_folder_that_cannot_be_had(self, tmp_path: Path):
        """
        A start says which setting is meant.
        """
        (tmp_path / "file").write_text("")
        with pytest.raises(SpoolUnusable, match=r"\(ingress\.spool\) cannot be opened"):
            SpoolFile(tmp_path / "file")

    def test_the_oldest_first_and_all_up_to_one_forgotten(self, tmp_path: Path):
        """
        And it is all there for who opens it anew.
        """
        file = SpoolFile(tmp_path)
        file.add([Entry(number, bytes([number])) for number in range(5)])
        first = file.oldest(2)
        file.remove(first[-1].number)
        file.close()
        file = SpoolFile(tmp_path)

        assert [one.entry.taken_ms for one in first] == [0, 1]
        assert [one.entry.value for one in file.oldest(9)] == [b"\x02", b"\x03", b"\x04"]
        assert file.census() == (3, 3)
        file.close()
