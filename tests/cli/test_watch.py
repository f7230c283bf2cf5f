"""`cordboard watch`: what happens, as it happens, across a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cli.processes import PATIENCE_SECONDS, Cordboard, Dev, a_dial, environment, own_port


@contextmanager
def watching(dev: Dev, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A `cordboard watch` that misses nothing from here on."""
    command = [sys.executable, "-m", "cordboard", "watch", f"--target={dev.target}", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stderr is not None
        assert f"cordboard: watching {dev.target}\n" == process.stderr.readline()
        try:
            yield process
        finally:
            process.kill()


class TestWatch:
    def test_goes_on_after_a_restart(self, start: Callable[..., Dev], cordboard: Cordboard) -> None:
        """
        What happens after the dispatcher was stopped and started is seen by the watch that was there before.
        """
        port = f"--port-grpc={own_port()}"
        before = start(port)
        with watching(before, "--kind=results", "--count=2") as watch:
            assert watch.stdout is not None
            cordboard("send", "dial", *a_dial(), "--id=before", f"--target={before.target}")
            assert json.loads(watch.stdout.readline())["result"]["command_id"] == "before"
            assert before.stop() == 0
            after = start(port)
            cordboard("send", "dial", *a_dial(), "--id=after", f"--target={after.target}")

            assert json.loads(watch.stdout.readline())["result"]["command_id"] == "after"
            assert watch.wait(PATIENCE_SECONDS) == 0

    def test_goes_on_from_a_cursor(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        Whoever kept the last cursor is told what happened while nobody watched.
        """
        with watching(dev, "--kind=results", "--count=1") as watch:
            assert watch.stdout is not None
            cordboard("send", "dial", *a_dial(), "--id=seen", f"--target={dev.target}")
            cursor = json.loads(watch.stdout.readline())["cursor"]
        cordboard("send", "dial", *a_dial(), "--id=missed", f"--target={dev.target}")
        ended = cordboard("watch", "--kind=results", "--count=1", f"--cursor={cursor}", f"--target={dev.target}")

        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["result"]["command_id"] == "missed"

    def test_an_unknown_kind(self, cordboard: Cordboard) -> None:
        """
        A kind that is none is status 2, with those that are.
        """
        ended = cordboard("watch", "--kind=calls")

        assert ended.returncode == 2
        assert "results, completions, events" in ended.stderr
