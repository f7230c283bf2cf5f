"""deploy/Dockerfile built without a container engine: buildah as a plain process, on a stand-in for its base.

No registry is asked. The stand-in has the base image's name, and what matters of it: Debian's libraries, and this
machine's CPython where the base image has its own. So the Dockerfile's own steps are proved; its base is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
WORK: Final = ROOT / "build" / "image"
BASE: Final = "python:3.11-slim-bookworm"
IMAGE: Final = "cordboard:test"
_NEEDED: Final = ("buildah", "mmdebstrap")
# What CPython's own modules and the wheels are linked with.
_LIBRARIES: Final = (
    "ca-certificates,libssl3,libsqlite3-0,libffi8,zlib1g,libbz2-1.0,liblzma5,libreadline8,libncursesw6,libuuid1,"
    "libexpat1,tzdata"
)
_CERTIFICATES: Final = "/etc/ssl/certs/machine.crt"


class Missing(Exception):
    """What this machine lacks, in a sentence that says what to install."""


def must_be_here() -> None:
    """Raise Missing where the tools are not here."""
    if lacking := [name for name in _NEEDED if shutil.which(name) is None]:
        remedy = "apt-get install buildah crun fuse-overlayfs uidmap mmdebstrap"
        raise Missing(f"The image is built by {' and '.join(lacking)}, not found here: {remedy}.")
    if os.geteuid() != 0:
        raise Missing("Building in a chroot needs root: run it as root, as in a container of CI.")


def buildah(*words: str, capture: bool = False) -> str:
    """Run buildah on a storage of our own. Raises CalledProcessError."""
    ended = subprocess.run([*_program(), *words], check=True, stdout=subprocess.PIPE if capture else None, text=True)
    return ended.stdout or ""


def start(container: str, *words: str, output: Path) -> subprocess.Popen[bytes]:
    """Start a program in a container, as the image's user; in a session of its own, so that it can be ended alone."""
    command = [*_program(), "run", "--isolation", "chroot", container, "--", *words]
    with output.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)


def run(container: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a container to its end."""
    command = [*_program(), "run", "--isolation", "chroot", container, "--", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def stand_in() -> None:
    """Make what stands in for the base image, unless it is there."""
    if BASE in buildah("images", "--format", "{{.Name}}:{{.Tag}}", capture=True):
        return
    WORK.mkdir(parents=True, exist_ok=True)
    if not (WORK / "base.tar").exists():
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_LIBRARIES}", "bookworm"]
        subprocess.run([*command, str(WORK / "base.new.tar")], check=True)
        (WORK / "base.new.tar").rename(WORK / "base.tar")
    with tarfile.open(WORK / "python.tar", "w") as archive:
        archive.add(sys.base_prefix, "usr/local", filter=_not_cached)
    # Who checks this machine's connections, if somebody does, must be known inside, too.
    shutil.copy(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"), WORK / "machine.crt")
    (WORK / "Dockerfile").write_text(
        "FROM scratch\nADD base.tar /\nADD python.tar /\n"
        f"COPY machine.crt {_CERTIFICATES}\n"
        "RUN ldconfig && ln -sf python3.11 /usr/local/bin/python && python -m ensurepip && "
        "ln -sf pip3.11 /usr/local/bin/pip\n"
        f"ENV PIP_CERT={_CERTIFICATES} SSL_CERT_FILE={_CERTIFICATES}\n"
    )
    buildah("bud", "--quiet", "--isolation", "chroot", "-t", BASE, str(WORK))


def build() -> None:
    """Build the image from the tree as it is."""
    dockerfile = str(ROOT / "deploy" / "Dockerfile")
    buildah("bud", "--quiet", "--isolation", "chroot", "--pull=never", "-t", IMAGE, "-f", dockerfile, str(ROOT))


def container(*options: str) -> str:
    """A new container of the image, by its id; with buildah's options for `config`."""
    made = buildah("from", "--pull-never", IMAGE, capture=True).strip()
    if options:
        buildah("config", *options, made)
    return made


def configuration() -> dict[str, Any]:
    """What the image says of itself: its user, its command, its ports."""
    told = json.loads(buildah("inspect", "--type", "image", IMAGE, capture=True))
    found: dict[str, Any] = told["OCIv1"]["config"]
    return found


def _program() -> list[str]:
    return ["buildah", "--root", str(WORK / "storage"), "--runroot", str(WORK / "run"), "--storage-driver", "vfs"]


def _not_cached(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    unwanted = ("/__pycache__", "/test", "/site-packages")
    return None if any(f"{part}/" in f"{member.name}/" for part in unwanted) else member
