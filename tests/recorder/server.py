"""A real PostgreSQL: Debian's, on a free port of this machine, in a folder of its own, never run by root."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Self

from tests.e2e.process import free_ports

_FOLDER: Final = "POSTGRESQL_BIN"
_NEEDED: Final = ("initdb", "postgres", "pg_isready")
_PATIENCE_SECONDS: Final = 60
_PR_SET_PDEATHSIG: Final = 1
MISSING: Final = (
    f"PostgreSQL is needed by the recorder's tests and was not found: install it (on Debian: apt-get install "
    f"postgresql), or name the folder of its programs in {_FOLDER}"
)


def _die_with_us() -> None:
    if sys.platform == "linux":  # Elsewhere only a test run that is itself killed leaves it behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def programs() -> Path | None:
    """The folder with PostgreSQL's programs."""
    found = shutil.which("initdb")
    folders = [Path(os.environ[_FOLDER])] if os.environ.get(_FOLDER) else []
    folders += [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if all((folder / name).is_file() for name in _NEEDED)), None)


class Server:
    """`with Server() as server`: it serves at `url`, until it is killed or the block ends."""

    def __init__(self) -> None:
        folder = programs()
        if folder is None:
            raise RuntimeError(MISSING)
        self._programs = folder
        self._folder = Path(tempfile.mkdtemp(prefix="cordboard-postgresql-"))
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # It refuses to be run by root.
            user = next(one for one in pwd.getpwall() if one.pw_name in {"postgres", "nobody"})
            self._user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
            os.chown(self._folder, user.pw_uid, user.pw_gid)

    def __enter__(self) -> Self:
        try:
            self._run("initdb", "-D", str(self._folder / "data"), "-U", "cordboard", "--auth=trust", "-E", "UTF8", "-N")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """The address of a database that nobody has used."""
        self._databases += 1
        name = f"recorded_{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "cordboard", name)
        return f"postgresql://cordboard@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Serve."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self._folder), "fsync": "off"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port), *words],
                stdout=output,
                stderr=output,
                cwd=self._folder,
                preexec_fn=_die_with_us,  # noqa: PLW1509 - it does nothing but ask the kernel
                **self._user,
            )
        for _ in range(_PATIENCE_SECONDS):
            asked = ("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1")
            with contextlib.suppress(subprocess.CalledProcessError):
                self._run(*asked)
                return
            assert self._process.poll() is None, (self._folder / "output.txt").read_text()
        raise TimeoutError("PostgreSQL does not come up")

    def kill(self) -> None:
        """Be gone at once, connections and all."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_PATIENCE_SECONDS)
        self._process = None

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._programs / program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            env={"LANG": "C", "LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            **self._user,
        )


if __name__ == "__main__":
    sys.exit(None if programs() else MISSING)
