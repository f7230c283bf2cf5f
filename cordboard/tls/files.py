"""Whether files were written again, told without reading them."""

from __future__ import annotations

from pathlib import Path

# What tells a file from the one that was there before; None: it is not there. By the time of its last change, which
# nobody sets: a copy may be given the time of writing of what it replaces.
Version = tuple[int, int, int] | None


def versions(*paths: Path | None) -> tuple[Version, ...]:
    """The version of each, links followed: Kubernetes changes a mounted Secret by turning a link."""
    return tuple(_version(path) for path in paths)


def _version(path: Path | None) -> Version:
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_ctime_ns, found.st_ino, found.st_size)
