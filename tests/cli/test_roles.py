"""Roles as processes: what each refuses to start without, and how it says that it starts and stops."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import PATIENCE_SECONDS, Cordboard, environment, wait_until

ON_KAFKA = {
    "CORDBOARD_LOG__KIND": "kafka",
    "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "CORDBOARD_ACCOUNTS__MAIN__API_KEY": "KEY",
    "CORDBOARD_ACCOUNTS__MAIN__WEBHOOK_PUBLIC_KEY": f"{'A' * 43}=",
}

_STUCK = """
from cordboard import journal
from cordboard.cli.running import ending_within, run
from cordboard.settings import Logging

journal.configure(Logging())

async def main(stopping):
    async with ending_within(0.05, stopping):
        print("up", flush=True)
        await stopping.wait()
        while True:
            pass

run(main)
"""


class TestRefusals:
    @pytest.mark.parametrize("words", [("dispatcher",), ("worker", "--pool=main"), ("ingress",)])
    def test_a_role_alone_on_the_embedded_log(self, cordboard: Cordboard, words: tuple[str, ...]) -> None:
        """
        The embedded log is one process's: why, and what would be right, in a sentence, with status 2.
        """
        ended = cordboard(*words)

        assert ended.returncode == 2
        assert f"log.kind (CORDBOARD_LOG__KIND): must be kafka for the {words[0]} alone" in ended.stderr
        assert "one process, which plays all roles (cordboard serve)" in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_a_worker_without_a_pool(self, cordboard: Cordboard) -> None:
        """
        For whom it works is always said.
        """
        ended = cordboard("worker", **ON_KAFKA)

        assert ended.returncode == 2
        assert "--pool" in ended.stderr

    def test_a_pool_that_is_no_account(self, cordboard: Cordboard) -> None:
        """
        A pool is an account's, and those that there are are named.
        """
        ended = cordboard("worker", "--pool=main", "--pool=other", **ON_KAFKA)

        assert ended.returncode == 2
        assert "accounts.other" in ended.stderr
        assert "no such pool; accounts: main" in ended.stderr

    def test_kafka_without_its_place(self, cordboard: Cordboard) -> None:
        """
        `serve` too needs to be told where the brokers are.
        """
        ended = cordboard("serve", **{**ON_KAFKA, "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": ""})

        assert ended.returncode == 2
        assert "kafka.bootstrap_servers (CORDBOARD_KAFKA__BOOTSTRAP_SERVERS): must be set" in ended.stderr


class TestKafkaAway:
    @pytest.mark.parametrize("words", [("serve",), ("dispatcher",), ("worker", "--pool=main"), ("ingress",)])
    def test_a_cluster_that_is_not_there(self, cordboard: Cordboard, words: tuple[str, ...]) -> None:
        """
        In a sentence, with the address that was tried; a supervisor may try again.
        """
        ended = cordboard(*words, **{**ON_KAFKA, "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"})

        assert ended.returncode == 3
        assert "127.0.0.1:1 cannot be reached: Connection refused; see bootstrap_servers" in ended.stderr
        assert "Traceback" not in ended.stderr


class TestStops:
    def test_the_start_and_the_stop_are_said(self, tmp_path: Path) -> None:
        """
        Where everything is, how long the stop may take, and how long it took.
        """
        lines = self.stopped(tmp_path)
        serving, stopping, stopped = (next(one for one in lines if one["event"] == event) for event in _STEPS)

        assert serving["roles"] == ["dispatcher", "ingress", "worker"]
        assert {"grpc", "ingress", "rest", "operations"} < serving.keys()
        assert serving["stop_seconds"] == stopping["stop_seconds"] == 45
        assert 0 <= stopped["seconds"] < 45

    def stopped(self, folder: Path) -> list[dict[str, Any]]:
        """What a `serve` says from its start to its end."""
        ready = folder / "ready.json"
        ports = {f"CORDBOARD_{name}__PORT": "0" for name in ("GRPC", "INGRESS", "REST", "OPERATIONS")}
        account = {name: value for name, value in ON_KAFKA.items() if "ACCOUNTS" in name}
        command = [sys.executable, "-m", "cordboard", "serve", f"--ready-file={ready}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment(**ports, **account), cwd=folder) as one:
            wait_until(lambda: ready.exists() or one.poll() is not None, "the ready file")
            one.send_signal(signal.SIGTERM)
            _, said = one.communicate(timeout=PATIENCE_SECONDS)
        assert one.returncode == 0
        return [json.loads(line) for line in said.splitlines() if line.startswith(b"{")]

    def test_a_stop_that_takes_too_long_is_ended(self) -> None:
        """
        Even a process that is stuck ends within the stated time, says so, and has not stopped as it should.
        """
        with subprocess.Popen([sys.executable, "-c", _STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as one:
            assert one.stdout is not None
            assert one.stdout.readline() == b"up\n"
            one.send_signal(signal.SIGTERM)
            try:
                _, said = one.communicate(timeout=PATIENCE_SECONDS)
            finally:
                one.kill()

        assert one.returncode == 1
        assert b"the stop took too long" in said


_STEPS = ("serving", "stopping", "stopped")
