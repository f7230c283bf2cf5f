"""deploy/kubernetes: what the chart renders to in its main shapes, each marked with what it was rendered from.

Helm is not everywhere, and its mark makes up for that: whoever has none can still tell that a set is stale, because the
chart's files have another digest than the one that it names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from clusters.tools import built

ROOT: Final = Path(__file__).parents[2]
CHART: Final = ROOT / "deploy" / "helm" / "cordboard"
SHAPES: Final = ROOT / "deploy" / "helm" / "shapes"
RENDERED: Final = ROOT / "deploy" / "kubernetes"
RELEASE: Final = "cordboard"
NAMESPACE: Final = "cordboard"
# No cluster is asked what it can do, so that a set is the same wherever it is rendered.
KUBERNETES: Final = "1.36.0"


class HelmFailed(Exception):
    """Helm did not render; what it said."""


def helm() -> str | None:
    """The path of helm: HELM's, else the one on the PATH, else the one that was built here, else None."""
    own = built("helm")
    return os.environ.get("HELM") or shutil.which("helm") or (str(own) if own.exists() else None)


def shapes() -> list[Path]:
    """The values of each shape that is rendered."""
    return sorted(SHAPES.glob("*.yaml"))


def rendered_at(shape: Path) -> Path:
    """Where a shape's manifests are."""
    return RENDERED / shape.name


def mark(shape: Path) -> str:
    """The line that says what a set was made from: every file of the chart, and the shape's values."""
    digest = hashlib.sha256()
    for path in [*sorted(path for path in CHART.rglob("*") if path.is_file()), shape]:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return f"# {digest.hexdigest()}"


def render(program: str, shape: Path) -> bytes:
    """A shape's manifests, with their mark. Raises HelmFailed."""
    command = [program, "template", RELEASE, str(CHART), "--namespace", NAMESPACE, "--kube-version", KUBERNETES]
    ended = subprocess.run([*command, "--values", str(shape)], capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if ended.returncode != 0:
        raise HelmFailed(ended.stderr)
    name = shape.relative_to(ROOT).as_posix()
    head = f"# Rendered by `make manifests` from the chart and {name}. Edit those, not this.\n{mark(shape)}\n"
    return (head + ended.stdout).encode()
