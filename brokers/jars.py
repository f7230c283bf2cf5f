"""Where Java is, and Kafka's jars: fetched once by Maven, by the pinned pom, into build/kafka/libs.

Processes that need them at the same moment wait for the one that fetches. `python -m brokers --fetch` does it ahead.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
POM: Final = ROOT / "brokers" / "pom.xml"
LIBRARIES: Final = ROOT / "build" / "kafka" / "libs"
# The first Java that Kafka 4's broker runs on.
_JAVA_MIN: Final = 17
_STAMP: Final = "pom.sha256"


class Missing(Exception):
    """What running a broker needs and this machine lacks, in a sentence that says what to install."""


def java() -> str:
    """The path of a Java that Kafka runs on: JAVA_HOME's, else the one on the PATH. Raises Missing."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if found is None:
        where = f"JAVA_HOME ({home}) has none" if home else "none is on the PATH"
        raise Missing(f"A Kafka broker needs Java {_JAVA_MIN} or later, and {where}: {_remedy()}.")
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', told.stderr + told.stdout)
    if version is None or int(version[1]) < _JAVA_MIN:
        is_there = f"is Java {version[1]}" if version else "does not tell its version"
        raise Missing(f"A Kafka broker needs Java {_JAVA_MIN} or later, and {found} {is_there}: {_remedy()}.")
    return found


def classpath() -> str:
    """Kafka's jars as java's -cp takes them, fetched first where they are not there yet. Raises Missing."""
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    if _held() != wanted:
        with _alone():
            if _held() != wanted:
                _fetch(wanted)
    return f"{LIBRARIES}/*"


def _held() -> str | None:
    try:
        return (LIBRARIES / _STAMP).read_text()
    except FileNotFoundError:
        return None


@contextmanager
def _alone() -> Iterator[None]:
    LIBRARIES.parent.mkdir(parents=True, exist_ok=True)
    with (LIBRARIES.parent / "libs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(stamp: str) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing(f"Kafka's jars come by Maven, and no mvn is on the PATH: {_remedy()}.")
    # Put in place by a rename: what is at LIBRARIES is always whole.
    draft = LIBRARIES.with_name("libs.new")
    shutil.rmtree(draft, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={draft}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Missing(f"Maven could not fetch Kafka's jars by {POM}:\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    (draft / _STAMP).write_text(stamp)
    shutil.rmtree(LIBRARIES, ignore_errors=True)
    draft.rename(LIBRARIES)


def _remedy() -> str:
    return (
        "install both (Debian: apt-get install openjdk-17-jre-headless maven; macOS: brew install openjdk maven), "
        "or point KAFKA_BOOTSTRAP_SERVERS at a cluster"
    )
