"""The chart on a real API server, as an operator uses it: `make test-kubernetes`. Says what it did, with figures.

    python -m tests.kubernetes

Real: the API server's admission and validation, controllers, scheduler, evictions, helm. Played by KWOK: kubelets. So
no probe is asked and no container started here; for those there are tests/image and the tests of each role.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from clusters import ControlPlane, Missing
from clusters.definitions import definitions
from tests.kubernetes import scenes
from tests.kubernetes.charts import Chart
from tests.kubernetes.judging import NONSENSE, SENSE, misunderstood, taken

_SCENES = (
    scenes.is_taken_by_the_api_server,
    scenes.is_installed,
    scenes.is_rolled,
    scenes.is_scaled,
    scenes.is_drained,
)


def main() -> int:
    """Play all scenes; 0 where all came out right."""
    began = time.monotonic()

    def tell(what: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:7.1f} s  {what}\n")
        sys.stdout.flush()

    try:
        if wrong := [*taken(Chart()), *misunderstood(Chart())]:
            raise AssertionError("\n".join(wrong))
        tell(f"helm refuses {len(NONSENSE)} sets of nonsense, each with its sentence; and takes {len(SENSE)} others")
        with tempfile.TemporaryDirectory() as folder, ControlPlane(Path(folder)) as cluster:
            tell(f"a Kubernetes is there: {', '.join(f'{name} ({pid})' for name, pid in cluster.pids.items())}")
            _furnish(cluster)
            stage = scenes.Stage(cluster, tell)
            scenes.prepares(stage)
            tell("six nodes in three zones, others' definitions, a namespace for restricted pods alone")
            for scene in _SCENES:
                scene(stage)
                cluster.must_live()
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    tell("all came out right")
    return 0


def _furnish(cluster: ControlPlane) -> None:
    for number in range(6):
        cluster.add_node(f"node-{number}", f"zone-{number % 3}")
        cluster.add_volume(f"volume-{number}")
    for path in definitions():
        cluster.kubectl("apply", "--server-side", "-f", str(path))
    cluster.kubectl("wait", "--for=condition=Established", "--all", "crd", "--timeout=60s")


if __name__ == "__main__":
    sys.exit(main())
