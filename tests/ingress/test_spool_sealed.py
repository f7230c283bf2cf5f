"""A spool where topics are sealed: what lies on the ingress's disk is sealed, too, and waits for its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from cordboard.log.port import LogUnavailable, NewRecord
from cordboard.log.sealing import Key, Sealing
from dispatcher.ingress import Spool, SpoolMetrics
from tests.ingress.desk import LETTERS, TOPIC, Clock, Log, until

OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
PRESSED = b'{"digits": "4111222233334444"}'


def by(keys: Sequence[Key]) -> Sealing:
    """Each look into the file finds what is there."""
    looks = iter(range(0, 10_000_000, 10))
    return Sealing(lambda: keys, now=lambda: next(looks))


async def opened(folder: Path, log: Log, sealing: Sealing | None) -> Spool:
    metrics = SpoolMetrics(CollectorRegistry())
    return await Spool.open(folder, log, TOPIC, Clock(), metrics, dead_letters=LETTERS, size_max=4096, sealing=sealing)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_nothing_of_a_webhook_is_on_the_disk(tmp_path: Path):
    """
    Until it is in the log; without a key it lies there as it came.
    """
    for name, sealing in (("plain", None), ("sealed", by([NEW]))):
        log = Log(failure=LogUnavailable("away"))
        spool = await opened(tmp_path / name, log, sealing)
        await spool.put([NewRecord(TOPIC, b"v3:a", PRESSED, (("ce_id", b"1"),))])
        assert (PRESSED in on_disk(tmp_path / name)) == (sealing is None)

        log.failure = None
        await until(lambda: log.taken)  # noqa: B023 - called in this round
        assert log.taken == [NewRecord(TOPIC, b"v3:a", PRESSED, (("ce_id", b"1"),))]
        await spool.close()


async def test_what_has_lost_its_key_waits_for_it(tmp_path: Path):
    """
    It is neither dropped nor set aside; the process is not ready, and says which key is missing.
    """
    log, keys = Log(failure=LogUnavailable("away")), [OLD]
    before = await opened(tmp_path, log, by([OLD, NEW]))
    await before.put([NewRecord(TOPIC, b"v3:a", PRESSED)])
    await before.close()
    log.failure = None
    after = await opened(tmp_path, log, by(keys))

    await until(lambda: "was sealed by key 'new', which is not in sealing.key_file" in str(after.check()))
    assert log.taken == []
    keys.append(NEW)
    await until(lambda: log.taken)
    await until(lambda: after.check() is None)
    assert [record.value for record in log.taken] == [PRESSED]
    await after.close()
