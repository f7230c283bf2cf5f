"""What an operator does with the chart, done on a real API server: each scene asserts, and says what it saw."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from clusters import ControlPlane, KubectlFailed
from deploy.generate.rendering import NAMESPACE, rendered_at, shapes
from tests.kubernetes.charts import Chart, Values
from tests.kubernetes.watching import Least, Object, is_ready

Tell = Callable[[str], None]
# What the shapes' values name, as whoever installs makes it first.
SECRETS: Final = {
    "telnyx-main": ("api-key", "dial-url-secret", "forward-url"),
    "telnyx-campaigns": ("api-key",),
    "cordboard-kafka": ("password",),
    "cordboard-kafka-ca": ("ca.crt",),
    "cordboard-recorder": ("url",),
}
# Scaled by hand, because nobody measures CPU here.
BY_HAND: Final[Values] = {
    "dispatcher": {"autoscaling": {"enabled": False}},
    "ingress": {"autoscaling": {"enabled": False}},
}
# The pods of the shape kafka, by part.
ALL: Final = {"dispatcher": 2, "ingress": 2, "worker": 5, "recorder": 1}
_SECONDS: Final = 120


@dataclass
class Stage:
    """A cluster, the chart on it, and somebody to tell."""

    cluster: ControlPlane
    tell: Tell
    chart: Chart = field(init=False)

    def __post_init__(self) -> None:
        self.chart = Chart(self.cluster.kubectl.config)

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """kubectl in the release's namespace. Raises KubectlFailed."""
        return self.cluster.kubectl("--namespace", NAMESPACE, *words, given=given)

    def get(self, *words: str) -> list[Object]:
        """Objects of the release's namespace."""
        return self.cluster.kubectl.get("--namespace", NAMESPACE, *words)

    def pods(self, component: str) -> list[Object]:
        """The pods of a part that are not on their way out."""
        found = self.get("pods", "-l", f"app.kubernetes.io/component={component}")
        return [one for one in found if "deletionTimestamp" not in one["metadata"]]

    def ready(self, component: str) -> int:
        """How many of them are ready."""
        return sum(is_ready(one) for one in self.pods(component))

    def watched(self) -> Least:
        """Who watches how many pods are ready at the least."""
        return Least(self.cluster.kubectl.config, NAMESPACE)

    def until(self, holds: Callable[[], Any], what: str) -> float:
        """Wait until it holds; how many seconds that took."""
        self.cluster.must_live()
        return self.cluster.kubectl.until(holds, what, _SECONDS)


def prepares(stage: Stage) -> None:
    """A namespace in which Kubernetes refuses what is not restricted, and the Secrets."""
    # Enforced on pods; for what makes pods there are warnings.
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    stage.cluster.kubectl("create", "-f", "-", given=json.dumps(space))
    for name, keys in SECRETS.items():
        stage.kubectl("create", "secret", "generic", name, *(f"--from-literal={key}=secret" for key in keys))


def is_taken_by_the_api_server(stage: Stage) -> None:
    """Every rendered set, strictly, without one warning; and what is wrong with a manifest is told."""
    for shape in shapes():
        path = str(rendered_at(shape))
        words = ("--server-side", "--dry-run=server", "--validate=strict", "--warnings-as-errors")
        said = stage.kubectl("apply", *words, "-f", path)
        stage.tell(f"{shape.stem}: {len(said.splitlines())} objects are valid, strictly and without a warning")
    good = rendered_at(shapes()[0]).read_text()
    for right, wrong, words in (
        ("enableServiceLinks: false", "enableServiceLink: false", "field not declared in schema"),
        ("runAsNonRoot: true", "runAsNonRoot: false", "would violate PodSecurity"),
        ("port: 50051, targetPort", "port: 500510, targetPort", "must be between 1 and 65535"),
    ):
        _is_refused(stage, good.replace(right, wrong), words)
    stage.tell("an unknown field, a pod that may be root and an impossible port are refused")


def _is_refused(stage: Stage, manifests: str, said: str) -> None:
    words = ("--server-side", "--dry-run=server", "--validate=strict", "--warnings-as-errors")
    with pytest.raises(KubectlFailed, match=said):
        stage.kubectl("apply", *words, "-f", "-", given=manifests)


def is_installed(stage: Stage) -> None:
    """By helm, in its three shapes, one after another; what was acknowledged outlives the release."""
    for shape in ("embedded", "operators"):
        began = time.monotonic()
        stage.chart.upgrade(shape)
        running = stage.get("pods")
        assert running, shape
        assert all(is_ready(one) for one in running), shape
        stage.tell(f"{shape}: installed, {len(running)} pod(s) ready in {time.monotonic() - began:.1f} s")
        stage.chart.uninstall()
    assert len(stage.get("pvc")) == 3, "the volumes of the embedded log and of two spools stay"
    assert len(stage.get("kafkatopics")) == 13, "the topics stay"
    stage.tell("both taken away again: 3 volumes and 13 topics stay, nothing else")
    left = stage.get("deployments,statefulsets,services,networkpolicies,scaledobjects,podmonitors")
    assert not left, left
    began = time.monotonic()
    stage.chart.upgrade("kafka", BY_HAND)
    stage.tell(f"kafka: installed, {len(stage.get('pods'))} pods ready in {time.monotonic() - began:.1f} s")
    assert {part: stage.ready(part) for part in ALL} == ALL
    zones = _zones(stage)
    assert all(len(set(found)) == min(len(found), 3) for found in zones.values()), zones
    stage.tell("its pods are spread over zones")


def is_rolled(stage: Stage) -> None:
    """To another image and to other settings: at no time fewer than all are ready, and settings alone roll it, too."""
    for what, values in (
        ("another image", {"image": {"tag": "0.2.0"}}),
        ("other settings", {"image": {"tag": "0.2.0"}, "settings": {"logging": {"level": "debug"}}}),
    ):
        before = {one["metadata"]["uid"] for one in stage.get("pods")}
        began, least = time.monotonic(), stage.watched()
        with least:
            stage.chart.upgrade("kafka", {**BY_HAND, **values})
        stage.until(lambda before=before: not _uids(stage) & before, "the old pods go")
        # The recorder alone goes before another one comes: nobody waits for it.
        assert {**least.seen, "recorder": 1} == ALL, least.seen
        stage.tell(f"rolled to {what} in {time.monotonic() - began:.1f} s; never fewer ready than there must be")


def is_scaled(stage: Stage) -> None:
    """Dispatchers and workers from 1 to 5 and back."""
    for count in (1, 5, 1):
        workers = {name: {"worker": {"replicas": count}} for name in ("main", "campaigns")}
        values = {"dispatcher": {"autoscaling": {"enabled": False}, "replicas": count}, "accounts": workers}
        began = time.monotonic()
        stage.chart.upgrade("kafka", {**BY_HAND, **values})
        for part, wanted in (("dispatcher", count), ("worker", 2 * count)):
            stage.until(
                lambda part=part, wanted=wanted: len(stage.pods(part)) == stage.ready(part) == wanted,
                f"{wanted} of {part}",
            )
        stage.tell(f"scaled dispatchers and the workers of each pool to {count} in {time.monotonic() - began:.1f} s")
    stage.chart.upgrade("kafka", BY_HAND)


def is_drained(stage: Stage) -> None:
    """A node is drained: one pod of each part at a time, and no further one before another is there for the first."""
    least = stage.watched()
    node = stage.pods("dispatcher")[0]["spec"]["nodeName"]
    began = time.monotonic()
    with least:
        stage.cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={_SECONDS}s")
    for part, count in ALL.items():
        stage.until(lambda part=part, count=count: stage.ready(part) == count, f"{count} of {part} again")
    assert least.seen["dispatcher"] >= 1, least.seen
    assert least.seen["ingress"] >= 1, least.seen
    stage.tell(f"{node} is drained in {time.monotonic() - began:.1f} s; the least that were ready: {_told(least.seen)}")
    assert not [one for one in stage.get("pods") if one["spec"]["nodeName"] == node], "pods are left there"
    _is_held_back(stage)


def _is_held_back(stage: Stage) -> None:
    """While there is no room for another one, the second eviction is refused."""
    nodes = [one["metadata"]["name"] for one in stage.cluster.kubectl.get("nodes")]
    stage.cluster.kubectl("cordon", *nodes)
    first, second = (one["metadata"]["name"] for one in stage.pods("dispatcher"))
    _evict(stage, first)
    stage.until(lambda: stage.ready("dispatcher") == 1, "the first one goes")
    with pytest.raises(KubectlFailed, match="disruption budget"):
        _evict(stage, second)
    stage.cluster.kubectl("uncordon", *nodes)
    seconds = stage.until(lambda: stage.ready("dispatcher") == 2, "another one for the first")
    stage.until(lambda: not _tried(stage, second), "the second eviction")
    stage.tell(
        f"a second eviction is refused by the budget until another one is ready, {seconds:.1f} s after there is room"
    )


def _zones(stage: Stage) -> dict[str, list[str]]:
    """The zones of each Deployment's pods."""
    nodes = {one["metadata"]["name"]: one["metadata"]["labels"] for one in stage.cluster.kubectl.get("nodes")}
    found: dict[str, list[str]] = {}
    for one in stage.get("pods"):
        owner = one["metadata"]["generateName"].removesuffix(f"{one['metadata']['labels']['pod-template-hash']}-")
        found.setdefault(owner, []).append(nodes[one["spec"]["nodeName"]]["topology.kubernetes.io/zone"])
    return found


def _evict(stage: Stage, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    stage.kubectl(
        "create", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction", "-f", "-", given=json.dumps(eviction)
    )


def _tried(stage: Stage, pod: str) -> str:
    """What an eviction is refused with, if it is."""
    try:
        _evict(stage, pod)
    except KubectlFailed as failed:
        return str(failed)
    return ""


def _uids(stage: Stage) -> set[str]:
    return {one["metadata"]["uid"] for one in stage.get("pods")}


def _told(seen: dict[str, int]) -> str:
    return ", ".join(f"{count} of {ALL[part]} {part} pods" for part, count in sorted(seen.items()))
