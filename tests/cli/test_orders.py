"""`cordboard pause`, `resume` and `cancel` against a running dispatcher."""

from __future__ import annotations

import json

from tests.cli.processes import Cordboard, Dev, a_dial


class TestOrders:
    def test_a_pause_keeps_and_a_resume_sends(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        What is sent meanwhile is accepted, and waits.
        """
        target = f"--target={dev.target}"
        paused = cordboard("pause", "dev", "--comment=a test", target)
        cordboard("send", "dial", *a_dial(), "--id=kept", "--wait=none", target)
        resumed = cordboard("resume", "dev", "--output=text", target)
        again = cordboard("send", "dial", *a_dial(), "--id=kept", target)

        assert (paused.returncode, resumed.returncode, again.returncode) == (0, 0, 0), paused.stderr + resumed.stderr
        assert json.loads(paused.stdout)["account"] == "dev"
        assert "dev is resumed" in resumed.stdout
        assert json.loads(again.stdout)["result"]["state"] == "STATE_SUCCEEDED"

    def test_a_group_is_cancelled(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        In all its calls; what became of its commands their results tell.
        """
        target = f"--target={dev.target}"
        cordboard("pause", "dev", target)
        cordboard("send", "dial", *a_dial(), "--id=spring-1", "--group=spring", "--wait=none", target)
        ended = cordboard("cancel", "--group=spring", "--output=text", target)
        cordboard("resume", "dev", target)
        again = cordboard("send", "dial", *a_dial(), "--id=spring-1", "--group=spring", target)

        assert ended.returncode == 0, ended.stderr
        assert "Accepted" in ended.stdout
        assert json.loads(again.stdout)["result"]["reason"] == "REASON_CANCEL_REQUESTED"

    def test_one_dial_is_reported(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        What was released, or never was, is said to be so.
        """
        target = f"--target={dev.target}"
        cordboard("send", "dial", *a_dial(), "--id=gone", target)
        late = cordboard("cancel", "gone", "--output=text", target)
        unknown = cordboard("cancel", "never", "--output=text", target)

        assert "too late: gone" in late.stdout
        assert "unknown: never" in unknown.stdout

    def test_whom_it_means_must_exist(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        Status 2, and the account is named.
        """
        ended = cordboard("pause", "nobody", f"--target={dev.target}")

        assert ended.returncode == 2
        assert "nobody" in ended.stderr
