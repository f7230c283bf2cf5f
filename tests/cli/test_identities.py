"""Identities end to end, on real processes: from a token that is made to one that is nobody's any more."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.processes import Cordboard, a_dial, environment, wait_until

pytestmark = pytest.mark.timeout(240)
_PORTS = "".join(f"[{name}]\nport = 0\n" for name in ("grpc", "ingress", "rest", "operations"))


class Served:
    """A `cordboard serve` before a `cordboard sandbox`, with identities in a file."""

    def __init__(self, folder: Path) -> None:
        self.identities = folder / "identities.toml"
        self._folder = folder

    def know(self, **tokens: str) -> None:
        """From now on these are known: `operator` may do everything, others only dial and hang up."""
        every = 'accounts = ["*"]\nrights = ["send", "read", "operate", "telnyx"]\n'
        some = 'accounts = ["main"]\nactions = ["dial", "hangup"]\n'
        tables = [
            f'[identities.{name}]\ntoken_sha256 = ["{hashlib.sha256(token.encode()).hexdigest()}"]\n'
            + (every if name == "operator" else some)
            for name, token in tokens.items()
        ]
        self.identities.write_text("".join(tables))

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._started("sandbox", "--port=0", "--output=json") as sandbox:
            assert sandbox.stdout is not None
            api = json.loads(sandbox.stdout.readline())["ready"]
            self._configure(api)
            ready, config = self._folder / "ready.json", self._folder / "cordboard.toml"
            with self._started("serve", f"--config={config}", f"--ready-file={ready}") as served:
                wait_until(lambda: ready.exists() or served.poll() is not None, "the ready file")
                self.places: dict[str, Any] = json.loads(ready.read_bytes())
                yield

    def _configure(self, api: dict[str, str]) -> None:
        (self._folder / "cordboard.toml").write_text(
            f'identities_file = "{self.identities}"\n'
            f'[accounts.main]\napi_key = "KEY"\nbase_url = "{api["api"]}"\nwebhook_public_key = "{api["public_key"]}"\n'
            f'[log]\npath = "{self._folder / "log.sqlite3"}"\n{_PORTS}'
            f'[recorder]\nkind = "sqlite"\npath = "{self._folder / "recorder.sqlite3"}"\n'
        )

    @contextmanager
    def _started(self, role: str, *options: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "cordboard", role, *options]
        with (
            (self._folder / f"{role}.log").open("w") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment(), text=True) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()

    def logs(self) -> str:
        return (self._folder / "serve.log").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("served"))
    one.know(dialler="t-dialler", operator="t-operator")
    with one.running():
        yield one


def test_a_token_is_made_with_its_hash(cordboard: Cordboard) -> None:
    """
    Shown once, and another one each time; the settings take the hash as it is.
    """
    made = [json.loads(cordboard("token").stdout) for _ in range(2)]

    assert made[0] != made[1]
    for one in made:
        assert one["token"].startswith("cordboard_")
        assert one["token_sha256"] == hashlib.sha256(one["token"].encode()).hexdigest()


def test_who_sends_is_proved_and_kept(served: Served, cordboard: Cordboard, tmp_path: Path) -> None:
    """
    By a token from the environment, or from a file; it is with the result, and in the call's story.
    """
    at = f"--target={served.places['grpc']}"
    ended = cordboard("send", "dial", *a_dial(), at, CORDBOARD_TOKEN="t-dialler")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)["result"]
    assert result["source"] == "dialler"

    file, call = tmp_path / "token", result["dialed"][0]["call_control_id"]
    file.write_text("t-operator\n")
    told = cordboard("--token-file", str(file), "call", call, at)
    assert told.returncode == 0, told.stderr
    assert cordboard("call", call, at, CORDBOARD_TOKEN_FILE=str(file)).returncode == 0


@pytest.mark.parametrize(
    ("words", "token", "says"),
    [
        (("call", "v3:x"), "", "UNAUTHENTICATED: Nothing shows who asks"),
        (("call", "v3:x"), "", "Set CORDBOARD_TOKEN or CORDBOARD_TOKEN_FILE, or give --token-file before the command."),
        (("call", "v3:x"), "t-nobody", "UNAUTHENTICATED: The token is that of nobody here."),
        (("send", "speak", "v3:x", "--payload=hi", "--voice=female"), "t-dialler", "may not send the action speak"),
        (("pause", "main"), "t-dialler", "The sender 'dialler' has not the right operate."),
        (("dead-letters", "list"), "t-dialler", "The sender 'dialler' has not the right operate."),
    ],
)
def test_who_is_turned_away_learns_why(
    served: Served, cordboard: Cordboard, words: tuple[str, ...], token: str, says: str
) -> None:
    """
    In one sentence, and without the token in it.
    """
    ended = cordboard(*words, f"--target={served.places['grpc']}", CORDBOARD_TOKEN=token)

    assert ended.returncode == 1
    assert says in ended.stderr
    assert not token or token not in ended.stderr + served.logs()


def test_a_token_is_not_sent_in_the_clear(cordboard: Cordboard, tmp_path: Path) -> None:
    """
    To another machine; and a file that is not there is named.
    """
    ended = cordboard("call", "v3:x", "--target=dispatcher.example:50051", CORDBOARD_TOKEN="t")
    assert ended.returncode == 2
    assert "it would travel in the clear" in ended.stderr
    assert "--token-in-clear before the command says so" in ended.stderr

    ended = cordboard("--token-file", str(tmp_path / "nowhere"), "call", "v3:x")
    assert ended.returncode == 2
    assert "nowhere cannot be read: No such file or directory" in ended.stderr


def test_an_operator_gives_orders_at_every_port(served: Served, cordboard: Cordboard) -> None:
    """
    gRPC, REST and operations; what is ordered is said in the log, with who ordered it.
    """
    at = f"--target={served.places['grpc']}"
    for order in ("pause", "resume"):
        assert cordboard(order, "main", at, CORDBOARD_TOKEN="t-operator").returncode == 0
    with httpx.Client(headers={"authorization": "Bearer t-operator"}, trust_env=False) as http:
        assert http.put(f"{served.places['operations']}/loglevel", json={"level": "info"}).status_code == 200
        assert http.get(f"{served.places['rest']}/v2/calls/v3:x").status_code == 404
    with httpx.Client(headers={"authorization": "Bearer t-dialler"}, trust_env=False) as http:
        assert http.put(f"{served.places['operations']}/loglevel", json={"level": "info"}).status_code == 403
        assert http.get(f"{served.places['rest']}/v2/calls/v3:x").status_code == 403

    wait_until(lambda: "an account is resumed" in served.logs(), "the line of the log")
    lines = [json.loads(line) for line in served.logs().splitlines()]
    assert {"operator"} == {line["by"] for line in lines if line["event"].startswith("an account is")}


def test_a_token_is_replaced_while_all_runs(served: Served, cordboard: Cordboard) -> None:
    """
    The new one counts, the old one is nobody's; a file that is spoilt changes nothing.
    """
    words = "call", "v3:x", f"--target={served.places['grpc']}"
    served.know(dialler="t-new", operator="t-operator")
    wait_until(lambda: "CALL_NOT_FOUND" in cordboard(*words, CORDBOARD_TOKEN="t-new").stderr, "the new token")
    assert "UNAUTHENTICATED" in cordboard(*words, CORDBOARD_TOKEN="t-dialler").stderr

    served.identities.write_text("[identities.dialler]\naccounts = ['nowhere']\n")
    wait_until(lambda: _shows(served, "cordboard_identities_file_broken 1.0"), "the spoilt file")
    assert "CALL_NOT_FOUND" in cordboard(*words, CORDBOARD_TOKEN="t-new").stderr
    assert "must be of the accounts (main), or '*'" in served.logs()


def _shows(served: Served, line: str) -> bool:
    return line in httpx.get(f"{served.places['operations']}/metrics", trust_env=False).text
