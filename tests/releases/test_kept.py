"""What earlier versions wrote is read as they meant it, and goes on; what this one writes, they can read.

Each folder beside this file is what one version left (keep.py made it): a log broken off amid many calls, what that
version itself said is in it, and samples of what it writes elsewhere.
"""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from cordboard.log.kafka.entries import from_stored
from cordboard.log.port import NewRecord, Record
from cordboard.orders import NO_ORDERS
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Grpc, Ingress, Log, Operations, Rest, Settings
from dispatcher.ingress.spool.file import SpoolFile, decoded
from dispatcher.rpc.cursor import _decoded
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.promises.door import MovableClock
from tests.promises.stage import until
from tests.releases.keep import HERE, ROOT, told_by, tree_of
from tests.releases.tell import tell

RELEASES: Final = sorted(folder for folder in HERE.iterdir() if (folder / "commit.txt").exists())
LATEST: Final = HERE / "0.1.0"
each_release = pytest.mark.parametrize("release", RELEASES, ids=[folder.name for folder in RELEASES])


def log_of(release: Path, folder: Path) -> Path:
    """The file that it left, to be written to."""
    path = folder / "log.sqlite3"
    path.write_bytes(gzip.decompress((release / "log.sqlite3.gz").read_bytes()))
    return path


def told_in(text: bytes | str) -> dict[tuple[str, str], Any]:
    """Lines of JSON by what they are about."""
    lines = [json.loads(line) for line in text.splitlines()]
    return {(line["kind"], line["at"]): (line["said"], line.get("remembered")) for line in lines}


def written(release: Path, kind: str) -> list[dict[str, Any]]:
    """Its samples of one kind."""
    lines = [json.loads(line) for line in (release / "samples.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == kind]


def covers(more: Any, less: Any) -> bool:
    """Whether all that one version said is said by another one, too, which may know of more."""
    if isinstance(less, dict) and isinstance(more, dict):
        return all(name in more and covers(more[name], one) for name, one in less.items())
    if isinstance(less, list | tuple) and isinstance(more, list | tuple):
        return len(less) == len(more) and all(map(covers, more, less))
    return bool(more == less)


def differences(more: dict[Any, Any], less: dict[Any, Any]) -> list[Any]:
    """What one said and the other does not, or otherwise; of shapes only what follows is allowed."""
    return [
        (at, said, more.get(at))
        for at, said in less.items()
        if not (begins(more.get(at), said) if at[0] == "shape" else covers(more.get(at), said))
    ]


def begins(longer: Any, shorter: Any) -> bool:
    """Whether the fields are the same, and in the same order, as far as the older ones go."""
    return longer is not None and longer[0][: len(shorter[0])] == shorter[0]


@each_release
def test_all_that_a_version_wrote_is_read_as_it_meant_it(release: Path, tmp_path: Path) -> None:
    """
    Pages with what they remember, work, outcomes, words of pages: field by field; and fields were only ever added, at
    the end.
    """
    then = told_in((release / "told.jsonl").read_text())
    now = {
        (line["kind"], line["at"]): (line["said"], line.get("remembered")) for line in tell(log_of(release, tmp_path))
    }

    assert {kind for kind, _ in then} == {"shape", "page", "work", "outcome", "told"}
    assert differences(now, then) == []
    assert now.keys() - then.keys() == {at for at in now if at[0] == "shape" and at not in then}


@each_release
async def test_a_log_of_a_version_goes_on(release: Path, tmp_path: Path) -> None:
    """
    Started on it two minutes later, the present program ends each command that was accepted, once, and dials nobody.
    """
    path, clock = log_of(release, tmp_path), MovableClock()
    with sqlite3.connect(path) as log:
        latest_ms = log.execute("SELECT max(time_ms) FROM record").fetchone()[0]
    clock.skipped_ms = latest_ms + 120_000 - clock.now_ms()
    accepted = set((release / "commands.txt").read_text().split())
    async with (
        Server(SandboxSettings(port=0)) as sandbox,
        Desk(settings_for(path, sandbox), clock, random.Random(1), CollectorRegistry(), telnyx_is_local=True),
    ):
        assert await until(lambda: accepted <= results(path).keys())
        assert [one.action for one in sandbox.station.truth.effects if one.action == "dial"] == []

    assert {name: count for name, count in results(path).items() if count > 1} == {}


def settings_for(path: Path, sandbox: Server) -> Settings:
    """All roles on that file."""
    account = Account.model_validate(
        {"api_key": "key", "base_url": sandbox.base_url, "webhook_public_key": sandbox.public_key}
        | {"dial_url_secret": "a-secret-of-this-test"}
    )
    return Settings(
        accounts={"main": account},
        log=Log(path=path, partitions=2),
        grpc=Grpc(port=0, drain_seconds=0.1),
        ingress=Ingress(port=0),
        rest=Rest(port=0),
        operations=Operations(port=0),
    )


def results(path: Path) -> Counter[str]:
    """By command, how often it was told how it ended, or that it was refused."""
    with sqlite3.connect(path) as log:
        rows = log.execute("SELECT headers FROM record JOIN source ON source.id = source WHERE topic GLOB '*.results'")
        found = [dict(msgspec.msgpack.decode(headers)) for (headers,) in rows]
    ends = (b"cordboard.command.result.v1", b"cordboard.command.result.refused.v1")
    return Counter(one["ce_commandid"].decode() for one in found if one["ce_type"] in ends)


@each_release
def test_what_a_version_wrote_beside_the_log_is_read(release: Path, tmp_path: Path) -> None:
    """
    The entries of a ledger on Kafka, a spool, orders, a watch's cursor; as far as it had them.
    """
    for one in written(release, "entry"):
        value = one["value"] and bytes.fromhex(one["value"])
        headers = tuple((name, bytes.fromhex(said)) for name, said in one["headers"])
        assert repr(from_stored(bytes.fromhex(one["key"]), value, headers)) == one["is"]
    for one in written(release, "spool"):
        (tmp_path / "spool.sqlite3").write_bytes(bytes.fromhex(one["file"]))
        file = SpoolFile(tmp_path)
        (kept,) = file.oldest(2)
        file.close()
        records = [NewRecord("t", b"A", b"{}", (("ce_id", b"1"),)), NewRecord("t", None, b"{}")]
        assert (kept.entry.taken_ms, decoded(kept.entry.value, "t")) == (1_800_000_000_000, records)
    orders = NO_ORDERS
    for offset, one in enumerate(written(release, "order")):
        orders = orders.after(Record("t", 0, offset, 9, bytes.fromhex(one["key"]), bytes.fromhex(one["value"])))
    if written(release, "order"):
        assert (orders.paused, orders.cancelled) == ({"main"}, {("main", "spring"): 9})
    for one in written(release, "cursor"):
        assert _decoded(one["text"]).offsets == [[5], [300]]


@each_release
def test_a_version_reads_what_a_later_one_wrote(release: Path, tmp_path: Path) -> None:
    """
    By its own code, where the repository's history is here: what it does not know it passes over. A word between pages
    of a kind that it does not know it refuses.
    """
    commit = (release / "commit.txt").read_text().strip()
    if subprocess.run(["git", "cat-file", "-e", commit], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this clone has no history: the older program is not here")
    tree = tree_of(commit, tmp_path / "tree")
    said = told_in(told_by(tree, "tell.py", str(log_of(LATEST, tmp_path))))
    said = {at: one for at, one in said.items() if one[0] != "refused"}
    later = told_in((LATEST / "told.jsonl").read_text())

    assert differences(later, said) == []
    assert {at for at in later if at[0] not in ("shape", "told")} <= said.keys()
