"""`cordboard send` and `cordboard call` against a running dispatcher."""

from __future__ import annotations

import json

from tests.cli.processes import Cordboard, Dev, a_dial


class TestSend:
    def test_shows_result_and_completion(self, dev: Dev, dialled: str, cordboard: Cordboard) -> None:
        """
        Into a pipe: one line of JSON with all that is known.
        """
        words = ("--payload", "Good morning.", "--voice=female", "--wait=completion")
        ended = cordboard("send", "speak", dialled, *words, f"--target={dev.target}")

        assert ended.returncode == 0, ended.stderr
        answer = json.loads(ended.stdout)
        assert ("STATE_SUCCEEDED", dialled) == (answer["result"]["state"], answer["result"]["call_control_id"])
        assert answer["completion"]["event_type"] == "call.speak.ended"

    def test_masks_what_is_sensitive(self, dev: Dev, dialled: str, cordboard: Cordboard) -> None:
        """
        What is said to somebody is not shown to others, where the sender says so.
        """
        words = ("--payload", "Your code is 4711.", "--voice=female", "--sensitive", "--output=text")
        ended = cordboard("send", "speak", dialled, *words, f"--target={dev.target}")

        assert ended.returncode == 0, ended.stderr
        assert "SUCCEEDED" in ended.stdout
        assert "4711" not in ended.stdout

    def test_another_command_under_the_same_id(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        A result that is not the wanted one is status 1, with its reason.
        """
        first = cordboard("send", "dial", *a_dial(), "--id=taken", f"--target={dev.target}")
        other = cordboard("send", "dial", *a_dial(), "--timeout-secs=77", "--id=taken", f"--target={dev.target}")

        assert (first.returncode, other.returncode) == (0, 1)
        assert json.loads(other.stdout)["result"]["reason"] == "REASON_COMMAND_ID_REUSED"

    def test_names_every_wrong_field(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        What the dispatcher refuses is status 2, each field with what would be right.
        """
        words = ("--minimum-digits=0", "--maximum-digits=400")
        ended = cordboard("send", "gather", "v3:call", *words, f"--target={dev.target}")

        assert ended.returncode == 2
        assert "gather.minimum_digits: must be" in ended.stderr
        assert "gather.maximum_digits: must be" in ended.stderr

    def test_does_not_wait_unless_asked(self, dev: Dev, dialled: str, cordboard: Cordboard) -> None:
        """
        `--wait none` returns when the command is durable.
        """
        ended = cordboard("send", "hangup", dialled, "--now", "--wait=none", f"--target={dev.target}")

        assert ended.returncode == 0, ended.stderr
        assert "accept_time" in json.loads(ended.stdout)["accepted"]

    def test_a_completion_that_does_not_come(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        Telnyx took the dial, but nobody answers: what was waited for did not come, and that is status 1.
        """
        nobody = ("--to", "+12025559905", "--from", "+12025550199", "--connection-id", "test", "--timeout-secs=600")
        words = ("--wait=completion", "--timeout=1s", "--output=text")
        ended = cordboard("send", "dial", *nobody, *words, f"--target={dev.target}")

        assert ended.returncode == 1, ended.stderr
        assert "SUCCEEDED" in ended.stdout
        assert "no completion yet" in ended.stdout

    def test_nobody_there(self, cordboard: Cordboard) -> None:
        """
        No dispatcher: status 3, and one sentence.
        """
        ended = cordboard("send", "hangup", "v3:call", "--target=127.0.0.1:1")

        assert ended.returncode == 3
        assert len(ended.stderr.splitlines()) == 1


class TestCall:
    def test_shows_its_page(self, dev: Dev, dialled: str, cordboard: Cordboard) -> None:
        """
        An answered call that collects digits: its state, and the command that is open.
        """
        patience = ("--timeout-millis=6000000", "--initial-timeout-millis=6000000")
        cordboard("send", "gather", dialled, *patience, f"--target={dev.target}")
        page = cordboard("call", dialled, "--output=text", f"--target={dev.target}")
        record = json.loads(cordboard("call", dialled, f"--target={dev.target}").stdout)

        assert page.returncode == 0, page.stderr
        assert "ACTIVE" in page.stdout
        assert (record["state"], record["open"][0]["action"]) == ("CALL_STATE_ACTIVE", "gather")

    def test_an_unknown_call(self, dev: Dev, cordboard: Cordboard) -> None:
        """
        Nothing is known of it: status 1, with the reason.
        """
        ended = cordboard("call", "v3:nobody", f"--target={dev.target}")

        assert ended.returncode == 1
        assert "CALL_NOT_FOUND" in ended.stderr
