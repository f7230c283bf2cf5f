"""`cordboard dev` as a process: its start, its stop, and everything that keeps it from starting."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.cli.processes import Cordboard, Dev, a_dial, environment, wait_until

_NEVER_ENDS = """
import asyncio
from cordboard.cli.running import run

async def main(stopping):
    print("up", flush=True)
    await asyncio.Event().wait()

run(main)
"""


class TestStartAndStop:
    def test_shows_a_call_says_where_things_are_and_stops_when_asked(self, start: Callable[..., Dev]) -> None:
        """
        `dev --demo` plays every step, stays up, and leaves with 0 and without a trace but for its data.
        """
        dev = start("--demo")
        wait_until(lambda: "Ctrl-C stops it" in dev.output or dev.process.poll() is not None, "the end of the demo")

        assert "every step came out right" in dev.output
        assert f"--target {dev.target}" in dev.output
        assert dev.stop() == 0
        assert not dev.ready_file.exists()
        kept = {"dev-keys.json", "sandbox.sqlite3", "sandbox-recorder.sqlite3"}
        assert kept == {path.name for path in dev.data.iterdir()}

    def test_remembers_after_a_restart(self, start: Callable[..., Dev], cordboard: Cordboard) -> None:
        """
        The same dial again, after everything was stopped and started: its first result, and no second call.
        """
        dial = ("send", "dial", *a_dial(), "--id=once")
        before = start()
        first = cordboard(*dial, f"--target={before.target}")
        assert before.stop() == 0
        again = cordboard(*dial, f"--target={start().target}")

        assert (first.returncode, again.returncode) == (0, 0)
        first_result, again_result = json.loads(first.stdout)["result"], json.loads(again.stdout)["result"]
        assert again_result["replayed"]
        assert first_result["call_control_id"] == again_result["call_control_id"]

    def test_the_second_signal_ends_it_at_once(self) -> None:
        """
        Whoever does not want to wait for the drain presses Ctrl-C again; a terminal is told so, a log is not.
        """
        ours, terminal = pty.openpty()
        with (
            open(ours, "rb", buffering=0) as screen,
            subprocess.Popen([sys.executable, "-c", _NEVER_ENDS], stdout=subprocess.PIPE, stderr=terminal) as one,
        ):
            assert one.stdout is not None
            assert one.stdout.readline() == b"up\n"
            one.send_signal(signal.SIGINT)
            assert screen.readline().startswith(b"Stopping")
            one.send_signal(signal.SIGINT)

            assert one.wait() == -signal.SIGINT
        os.close(terminal)


class TestWhatIsInTheWay:
    def test_data_in_use(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        A second one on the same data says who has it.
        """
        ports = [f"--port-{name}=0" for name in ("grpc", "ingress", "rest", "operations", "sandbox")]
        second = cordboard("dev", f"--data={dev.data}", *ports)

        assert second.returncode == 1
        assert f"in use by process {dev.process.pid}" in second.stderr
        assert "Traceback" not in second.stderr

    def test_a_taken_port(self, cordboard: Cordboard) -> None:
        """
        A port that is taken is named, and so is the option for another; gRPC's too, which says it its own way.
        """
        for taken in ("grpc", "ingress"):
            with socket.create_server(("127.0.0.1", 0)) as other:
                ports = dict.fromkeys(("grpc", "ingress", "rest", "operations", "sandbox"), 0)
                ports[taken] = other.getsockname()[1]
                ended = cordboard("dev", *(f"--port-{name}={port}" for name, port in ports.items()))

            assert ended.returncode == 1
            assert f"127.0.0.1:{ports[taken]}" in ended.stderr
            assert f"--port-{taken}" in ended.stderr
            assert "Traceback" not in ended.stderr

    def test_telnyx_without_its_keys(self, cordboard: Cordboard) -> None:
        """
        The real API without keys: everything missing is named, and nothing is started.
        """
        ended = cordboard("dev", "--telnyx")

        assert ended.returncode == 2
        assert "TELNYX_API_KEY" in ended.stderr
        assert "TELNYX_PUBLIC_KEY" in ended.stderr

    def test_telnyx_with_a_key_that_is_none(self, cordboard: Cordboard) -> None:
        """
        A public key that cannot be one is refused, and no key is shown.
        """
        ended = cordboard("dev", "--telnyx", TELNYX_API_KEY="KEY-of-somebody", TELNYX_PUBLIC_KEY="short")

        assert ended.returncode == 2
        assert "webhook_public_key" in ended.stderr
        assert "KEY-of-somebody" not in ended.stderr


class TestServe:
    def test_serves_by_the_settings(self, cordboard: Cordboard, tmp_path_factory: pytest.TempPathFactory) -> None:
        """
        `serve` runs by its settings file alone, tells its addresses, and stops with 0.
        """
        folder = tmp_path_factory.mktemp("serve")
        settings = folder / "cordboard.toml"
        settings.write_text(
            f"""
            [accounts.main]
            api_key = "KEY"
            webhook_public_key = "{"A" * 43}="
            [log]
            path = "{folder / "log.sqlite3"}"
            [grpc]
            port = 0
            [ingress]
            port = 0
            [rest]
            port = 0
            [operations]
            port = 0
            """
        )
        ready = folder / "ready.json"
        command = [sys.executable, "-m", "cordboard", "serve", f"--config={settings}", f"--ready-file={ready}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment()) as served:
            wait_until(lambda: ready.exists() or served.poll() is not None, "the ready file")
            target = json.loads(ready.read_bytes())["grpc"]
            asked = cordboard("call", "nobody", f"--target={target}")
            served.terminate()

            assert served.wait() == 0
        assert asked.returncode == 1
        assert "CALL_NOT_FOUND" in asked.stderr
