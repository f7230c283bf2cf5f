"""The image, built and run: `make test-image`. Says what it did, how large the image is, and how long it took.

    python -m tests.image

All roles are the one image. Here it plays a whole call from dial to hangup by itself, as nobody in particular, writes
nowhere but to its volume, and ends in peace when asked to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.image import builder

USER: Final = 10001
_DEMO_SECONDS: Final = 180
_STOP_SECONDS: Final = 60
_MIB: Final = 1024 * 1024


def main() -> int:
    """Build, look, run; 0 where all came out right."""
    began = time.monotonic()
    try:
        builder.must_be_here()
    except builder.Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    builder.stand_in()
    _say("the stand-in for the base is there", began)
    builder.build()
    _say("the image is built", began)
    with _containers() as containers:
        _says_what_it_is()
        containers.append(inside := builder.container())
        _holds_what_it_runs_and_no_more(inside)
        _plays_a_call(containers)
    _say("all came out right", began)
    return 0


def _says_what_it_is() -> None:
    told = builder.configuration()
    assert told["User"] == f"{USER}:{USER}", told
    assert told["Entrypoint"] == ["cordboard"], told
    assert set(told["ExposedPorts"]) == {"50051/tcp", "8080/tcp", "8081/tcp", "9464/tcp"}, told


def _holds_what_it_runs_and_no_more(inside: str) -> None:
    assert _said(inside, "id", "-u") == str(USER)
    for role in ("dispatcher", "worker", "ingress", "recorder", "serve"):
        assert f"cordboard {role}" in _said(inside, "cordboard", role, "--help"), role
    assert _said(inside, "cordboard", "--version").startswith("cordboard 0."), "it does not know its version"
    _said(inside, "python", "-c", "import opentelemetry.sdk.trace")  # What tracing.endpoint asks for is there.
    for words in (("touch", "/app/new"), ("touch", "/new"), ("python", "-m", "pip"), ("gcc", "--version")):
        assert builder.run(inside, *words).returncode != 0, words
    size = int(_said(inside, "du", "-sb", "/app").split()[0])
    print(f"  {size / _MIB:.0f} MiB are added to the base")  # noqa: T201 - what it is for


def _plays_a_call(containers: list[str]) -> None:
    """The three acts of the demonstration, on a volume; then a stop."""
    with tempfile.TemporaryDirectory() as folder:
        volume = Path(folder) / "data"
        volume.mkdir()
        os.chown(volume, USER, USER)
        containers.append(
            inside := builder.container("--volume", "/var/lib/cordboard", "--workingdir", "/var/lib/cordboard")
        )
        at = Path(builder.buildah("mount", inside, capture=True).strip())
        mark = Path(folder) / "mark"
        mark.touch()
        words = ("cordboard", "dev", "--demo", "--data", "/var/lib/cordboard/data")
        ports = [f"--port-{name}=0" for name in ("grpc", "ingress", "rest", "operations", "sandbox")]
        output = Path(folder) / "output"
        process = builder.start(inside, *words, *ports, output=output)
        try:
            _wait_for("every step came out right", output, process)
            written = _written_since(at, mark)
            assert not written, written
            _ask_to_stop(process)
            assert process.wait(_STOP_SECONDS) == 0, output.read_text()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        print("  it played a call from dial to hangup, wrote nothing but its volume, and stopped with 0")  # noqa: T201 - what it is for


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """As an orchestrator does: SIGTERM to the program itself, which is the session's youngest process."""
    told = subprocess.run(
        ["ps", "-o", "pid=", "--sort=start_time,pid", "-s", str(process.pid)],
        capture_output=True,
        text=True,
        check=True,
    )
    os.kill(int(told.stdout.split()[-1]), signal.SIGTERM)


def _written_since(root: Path, mark: Path) -> list[str]:
    told = subprocess.run(
        ["find", str(root), "-xdev", "-newer", str(mark), "-type", "f"],
        capture_output=True,
        text=True,
        check=True,
    )
    # What buildah itself puts there for the run.
    own = ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/run/.containerenv")
    inside = [name.removeprefix(str(root)) for name in told.stdout.split()]
    return [name for name in inside if name not in own and not name.startswith(("/tmp", "/var/lib/cordboard/"))]  # noqa: S108 - compared


def _wait_for(words: str, output: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _DEMO_SECONDS
    while words not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.2)


def _said(inside: str, *words: str) -> str:
    ended = builder.run(inside, *words)
    assert ended.returncode == 0, ended
    return ended.stdout.strip()


@contextmanager
def _containers() -> Iterator[list[str]]:
    made: list[str] = []
    try:
        yield made
    finally:
        for name in made:
            builder.buildah("rm", name, capture=True)


def _say(what: str, began: float) -> None:
    print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)  # noqa: T201 - what it is for


if __name__ == "__main__":
    sys.exit(main())
