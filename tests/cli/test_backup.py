"""`cordboard backup` and `restore`, on a real process that is killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from cordboard.cli.dev import ACCOUNT
from tests.cli.processes import Cordboard, Dev, a_dial, wait_until

Start = Callable[..., Dev]


def log_of(dev: Dev) -> dict[str, str]:
    """Where its log is, and what else a restore asks of the settings."""
    return {
        "CORDBOARD_LOG__PATH": str(dev.data / "sandbox.sqlite3"),
        "CORDBOARD_RECORDER__KIND": "sqlite",
        "CORDBOARD_RECORDER__PATH": str(dev.data / "sandbox-recorder.sqlite3"),
        f"CORDBOARD_ACCOUNTS__{ACCOUNT.upper()}__API_KEY": "sandbox",
    }


def test_a_backup_is_made_of_a_running_process_and_restored_when_it_is_dead(
    start: Start, cordboard: Cordboard, tmp_path: Path
) -> None:
    """
    While it runs the log is copied, and cannot be restored; when it was killed it can, and what was there is kept.
    """
    dev, backup = start(), tmp_path / "backup"
    variables = log_of(dev)
    assert cordboard("send", "dial", *a_dial(), f"--target={dev.target}", "--id=before").returncode == 0

    made = cordboard("backup", str(backup), **variables)
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["bytes"] == backup.stat().st_size
    again = cordboard("backup", str(backup), **variables)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    held = cordboard("restore", str(backup), "--replace", **variables)
    assert held.returncode == 1
    assert f"in use by process {dev.process.pid}" in held.stderr

    dev.process.kill()
    dev.process.wait()
    dev.ready_file.unlink()
    unasked = cordboard("restore", str(backup), **variables)
    assert unasked.returncode == 1
    assert "--replace" in unasked.stderr
    done = cordboard("restore", str(backup), "--replace", "--output=text", **variables)
    assert done.returncode == 0, done.stderr
    assert f"cordboard resume {ACCOUNT}" in done.stdout
    kept = {one.name.partition(".replaced-")[0] for one in dev.data.glob("*.replaced-*")}
    assert kept == {"sandbox.sqlite3", "sandbox-recorder.sqlite3"}

    after = start(f"--data={dev.data}")
    shut = cordboard("send", "dial", *a_dial(), f"--target={after.target}", "--id=lost", "--timeout=2s")
    assert shut.returncode != 0
    assert "RESTORING" in shut.stderr or "restored from a backup" in shut.stderr
    assert cordboard("resume", ACCOUNT, f"--target={after.target}").returncode == 0
    wait_until(
        lambda: cordboard("send", "dial", *a_dial(), f"--target={after.target}", "--id=new").returncode == 0,
        "a dial after the resume",
    )


def test_what_cannot_be_backed_up_is_said_in_a_sentence(cordboard: Cordboard, tmp_path: Path) -> None:
    """
    No log, a log on Kafka, a backup that is none.
    """
    nothing = cordboard("backup", "copy")
    assert nothing.returncode == 2
    assert "there is nothing to back up" in nothing.stderr
    kafka = {"CORDBOARD_LOG__KIND": "kafka", "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": "kafka:9092"}
    for words in (("backup", "copy"), ("restore", "copy")):
        elsewhere = cordboard(*words, **kafka)
        assert elsewhere.returncode == 2
        assert "docs/backup.md" in elsewhere.stderr
    (tmp_path / "none").write_text("no backup")
    none = cordboard("restore", "none")
    assert none.returncode == 1
    assert "is not a Cordboard log" in none.stderr
    assert not (tmp_path / ".cordboard" / "cordboard.sqlite3").exists()


def test_the_version_is_told(cordboard: Cordboard) -> None:
    """
    For who reports a fault, and for scripts.
    """
    assert cordboard("--version").stdout.startswith("cordboard 0.")
