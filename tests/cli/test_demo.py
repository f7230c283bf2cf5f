"""`cordboard demo`: it succeeds where everything is right, and says which step was not where something is wrong."""

from __future__ import annotations

import httpx

from tests.cli.processes import Cordboard, Dev


class TestDemo:
    def test_comes_out_right(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        Against what is running, all three acts come out right.
        """
        ended = cordboard("demo", f"--target={dev.target}", f"--sandbox={dev.sandbox}")

        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert ended.stdout.count("ok: ") == 8
        assert "NOT OK" not in ended.stdout

    def test_says_which_step_did_not(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        A step that Telnyx refuses fails the demonstration, and is named with its reason and its act.
        """
        refused = {"errors": [{"code": "10015", "title": "Bad Request"}]}
        faults = [{"match": {"action": "gather"}, "status": 422, "error": refused}]
        httpx.put(f"{dev.sandbox}/sandbox/faults", json=faults).raise_for_status()
        try:
            ended = cordboard("demo", f"--target={dev.target}", f"--sandbox={dev.sandbox}")
        finally:
            httpx.put(f"{dev.sandbox}/sandbox/faults", json=[]).raise_for_status()

        assert ended.returncode == 1
        assert "NOT OK: gather should have SUCCEEDED, but is FAILED TELNYX_REFUSED" in ended.stdout
        assert "(in 1. A call, from dial to hangup)" in ended.stdout
        assert "every step" not in ended.stdout

    def test_nobody_there(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        Without a sandbox or a dispatcher there is nothing to show: status 3, and what is missing.
        """
        no_sandbox = cordboard("demo", f"--target={dev.target}", "--sandbox=http://127.0.0.1:1")
        no_dispatcher = cordboard("demo", "--target=127.0.0.1:1", f"--sandbox={dev.sandbox}")

        assert (no_sandbox.returncode, no_dispatcher.returncode) == (3, 3)
        assert "no sandbox answers" in no_sandbox.stderr
        assert "no dispatcher answers" in no_dispatcher.stderr
