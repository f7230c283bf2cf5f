"""The repository's files as the tidiness tests see them: what is tracked, what is a product's, what is generated."""

from __future__ import annotations

import ast
import functools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("cordboard", "dispatcher", "workers", "sandbox", "brokers", "clusters", "deploy", "protos")
GENERATED = ("buf/", "cordboard/v1/")
# Where there is no git to say what is ours: what tools leave behind in the tree.
LEFT_BEHIND = {"build", "dist", "__pycache__"}


@functools.cache
def files() -> tuple[Path, ...]:
    """Every tracked file; in a tree without git, every file but what tools leave behind."""
    if (ROOT / ".git").exists() and (git := shutil.which("git")):
        # -z: names as they are; a file that is tracked and deleted is not there to be looked at.
        told = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        found = [ROOT / name for name in told.decode().split("\0") if name]
        return tuple(sorted(path for path in found if path.is_file()))
    return tuple(sorted(_walked(ROOT)))


def _walked(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        hidden = path.is_dir() and path.name.startswith(".") and path.name != ".ci"
        if hidden or path.name in LEFT_BEHIND or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walked(path)
        elif ".sqlite3" not in path.name:
            yield path


def name_of(path: Path) -> str:
    """A file's name below the repository, with slashes."""
    return path.relative_to(ROOT).as_posix()


def texts() -> dict[str, str]:
    """Every file that is text, by name."""
    read: dict[str, str] = {}
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content:
            read[name_of(path)] = content.decode()
    return read


def modules() -> dict[str, str]:
    """Every Python module that people wrote, by name."""
    return {
        name: text for name, text in texts().items() if name.endswith(".py") and not name.startswith(tuple(GENERATED))
    }


def product() -> dict[str, str]:
    """Those that are shipped, or make what is shipped."""
    return {name: text for name, text in modules().items() if name.split("/")[0] in PRODUCT}


@functools.cache
def parsed(name: str) -> ast.Module:
    """A module as its syntax."""
    return ast.parse((ROOT / name).read_text(), name)
