"""`python -m clusters` runs a cluster of three nodes until Ctrl-C; with `--build` it only builds what one needs."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path

from clusters.controlplane import ControlPlane
from clusters.definitions import definitions
from clusters.tools import PROGRAMS, Missing, built, etcd, program


def main() -> int:
    """Run it; 1 where something is missing."""
    parser = argparse.ArgumentParser(prog="clusters", description=__doc__)
    parser.add_argument(
        "--build", action="store_true", help="build the programs and fetch the definitions, and no more"
    )
    parser.add_argument("--only", choices=sorted(PROGRAMS), help="of the programs, build this one")
    chosen = parser.parse_args()
    try:
        if chosen.build:
            build([chosen.only] if chosen.only else list(PROGRAMS), with_all=chosen.only is None)
        else:
            run()
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


def build(names: list[str], *, with_all: bool) -> None:
    """Build these programs, where they are not there; with all, what else a cluster needs. Raises Missing."""
    if with_all:
        etcd()
    for name in names:
        if not built(name).exists():
            began = time.monotonic()
            sys.stderr.write(f"building {name}, once\n")
            program(name)
            sys.stderr.write(f"built {name} in {time.monotonic() - began:.0f} s\n")
    if with_all:
        list(definitions())


def run() -> None:
    """Run a cluster until Ctrl-C, and say how it is spoken to. Raises Missing."""
    with tempfile.TemporaryDirectory() as folder, ControlPlane(Path(folder)) as cluster:
        for number in (1, 2, 3):
            cluster.add_node(f"node-{number}", f"zone-{number}")
        for path in definitions():
            cluster.kubectl("apply", "--server-side", "-f", str(path))
        config, kubectl = shlex.quote(str(cluster.kubectl.config)), built("kubectl")
        sys.stderr.write(f"export KUBECONFIG={config}\n{kubectl} get nodes\nCtrl-C ends it.\n")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    sys.exit(main())
