"""`python -m deploy.generate` writes what is made; with `--check` it says what is stale, for which it needs no helm."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from deploy.generate.rendering import CHART, ROOT, HelmFailed, helm, mark, render, rendered_at, shapes
from deploy.generate.schema import schema
from deploy.generate.topics import topics

_RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"


def sources() -> Mapping[Path, bytes]:
    """The chart's files that are made or copied, by path."""
    made = {CHART / "values.schema.json": schema(), CHART / "files" / "topics.yaml": topics()}
    # Helm reads nothing outside of its chart.
    return made | ({CHART / "files" / "rules.yaml": _RULES.read_bytes()} if _RULES.exists() else {})


def stale() -> Iterator[Path]:
    """What is not as it would be made. Without helm a rendered set is judged by its mark."""
    for path, content in sources().items():
        if not path.exists() or path.read_bytes() != content:
            yield path
    program = helm()
    for shape in shapes():
        path = rendered_at(shape)
        marked = path.exists() and mark(shape) in path.read_text().splitlines()[:2]
        if not marked or (program and _objects(path.read_bytes()) != _objects(render(program, shape))):
            yield path


def _objects(rendered: bytes) -> list[object]:
    """Helm's versions differ in blank lines."""
    return list(yaml.safe_load_all(rendered))


def write() -> None:
    """Write everything. Raises HelmFailed."""
    for path, content in sources().items():
        path.write_bytes(content)
    if (program := helm()) is None:
        raise HelmFailed("No helm is on the PATH, nor named by HELM: `make kubernetes-tools` builds one.")
    for shape in shapes():
        rendered_at(shape).write_bytes(render(program, shape))


def main() -> int:
    """Run it; 1 where something is stale or cannot be made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; say what is stale")
    if not parser.parse_args().check:
        try:
            write()
        except HelmFailed as failed:
            sys.stderr.write(f"{failed}\n")
            return 1
        return 0
    found = [path.relative_to(ROOT).as_posix() for path in stale()]
    for name in found:
        sys.stderr.write(f"{name} is stale: run `make manifests`\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
