"""The manifests: valid by Kubernetes' own schemas, current, and as safe, patient and spread as they are said to be."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest

from cordboard.settings import Settings
from deploy.generate import __main__ as generate
from deploy.generate import rendering
from deploy.generate.rendering import CHART
from tests.deploy.manifests import SHAPES, Object, Running, everything, of_kind, running, shape

# The oldest that the chart takes, and the newest that schemas are there for.
VERSIONS = ("1.30", "1.36")
FOREIGN = ("kafka.strimzi.io/v1", "keda.sh/v1alpha1", "monitoring.coreos.com/v1")

of_all = pytest.mark.parametrize("one", [pytest.param(one, id=f"{name}-{one.name}") for name, one in everything()])


def selects(selector: Object, labels: dict[str, str]) -> bool:
    return selector["matchLabels"].items() <= labels.items()


def test_what_is_made_is_current():
    """
    The schema and the topics as the code has them, and each rendered set from the chart as it is.
    """
    assert [path.name for path in generate.stale()] == []


def test_a_set_that_is_stale_is_found_without_helm(monkeypatch: pytest.MonkeyPatch, tmp_path):
    """
    Whoever changes a template and has no helm is told so by the mark.
    """
    shape_values = rendering.shapes()[0]
    monkeypatch.setattr(rendering, "RENDERED", tmp_path)
    (tmp_path / shape_values.name).write_text(f"# Rendered\n{rendering.mark(shape_values)}\n")
    monkeypatch.setattr(generate, "shapes", lambda: [shape_values])
    monkeypatch.setattr(generate, "helm", lambda: None)
    fresh = list(generate.stale())
    monkeypatch.setattr(generate, "mark", lambda shape: "# of another chart")

    assert (fresh, list(generate.stale())) == ([], [tmp_path / shape_values.name])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_valid_by_the_schemas_of_kubernetes(name: str, version: str):
    """
    Strictly: what it does not know is an error. Of others' kinds `make test-kubernetes` asks a real API server.
    """
    own = [one for one in shape(name) if one["apiVersion"] not in FOREIGN]

    assert len(own) > 8
    for one in own:
        kubernetes_validate.validate(one, version, strict=True)


def test_a_wrong_manifest_is_not_valid():
    """
    A check that cannot fail would be none.
    """
    wrong: Any = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"port": []}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@of_all
def test_nobody_runs_as_root_or_writes_to_the_image(one: Running):
    """
    As the restricted profile wants it; and without a token for Kubernetes, because nobody asks it anything.
    """
    pod, container = one.pod["securityContext"], one.container["securityContext"]

    assert pod["runAsNonRoot"]
    assert pod["runAsUser"] == 10001
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not one.pod["automountServiceAccountToken"]
    assert not one.pod["enableServiceLinks"]


@of_all
def test_a_stop_is_given_the_time_that_it_takes(one: Running):
    """
    The grace period covers preStop and the longest stop of the roles inside.
    """
    settings = Settings()
    roles = ("dispatcher", "worker", "ingress", "recorder") if one.role == "serve" else (one.role,)
    stop = sum(getattr(settings, role).stop_seconds for role in roles)
    waited = one.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    assert one.pod["terminationGracePeriodSeconds"] >= waited + stop + 5
    assert bool(waited) == (one.role not in {"worker", "recorder"})


@of_all
def test_probes_ask_three_different_questions(one: Running):
    """
    Started, alive, ready. A process is given a quarter of an hour to restore, and is not asked meanwhile if it lives.
    """
    started, alive, ready = (one.container[f"{name}Probe"] for name in ("startup", "liveness", "readiness"))

    assert started["httpGet"]["path"] == "/startz"
    if one.role in {"dispatcher", "serve"}:
        assert started["periodSeconds"] * started["failureThreshold"] >= 900
    if one.role == "dispatcher" and not one.encrypted:
        assert (alive["grpc"]["service"], ready["grpc"]["service"]) == ("liveness", "readiness")
    else:
        assert (alive["httpGet"]["path"], ready["httpGet"]["path"]) == ("/healthz", "/readyz")
    for probe in (started, alive, ready):
        assert probe.get("httpGet", {}).get("scheme") == ("HTTPS" if one.encrypted else None)
    # A check may take 2 s; and one slow answer is no reason to start a process anew.
    assert min(probe["timeoutSeconds"] for probe in (started, alive, ready)) > Settings().operations.check_seconds_max
    assert alive["failureThreshold"] * alive["periodSeconds"] >= 60


def test_dispatchers_with_tls_know_each_other_by_the_name_of_their_service():
    """
    Pods are reached by addresses that no certificate has; and who vouches for clients is told to the doors alone.
    """
    for one in running("operators"):
        told = one.environment
        assert one.encrypted
        is_door = one.role == "dispatcher"
        assert told.get("CORDBOARD_TLS__PEER_NAME") == ("cordboard.cordboard.svc" if is_door else None)
        assert ("CORDBOARD_TLS__CLIENT_CA_FILE" in told) == is_door
    (watched,) = of_kind("operators", "PodMonitor")
    (port,) = watched["spec"]["podMetricsEndpoints"]
    assert (port["scheme"], port["tlsConfig"]["serverName"]) == ("https", "cordboard.cordboard.svc")


@of_all
def test_memory_is_bounded_and_cpu_is_not(one: Running):
    """
    A bound on CPU would slow down heartbeats and timers just when there is most to do.
    """
    resources = one.container["resources"]

    assert set(resources["requests"]) == {"cpu", "memory"}
    assert set(resources["limits"]) == {"memory"}


@of_all
def test_pods_are_spread_over_zones_and_nodes(one: Running):
    """
    By the labels that they have.
    """
    keys = []
    for constraint in one.pod["topologySpreadConstraints"]:
        assert selects(constraint["labelSelector"], one.labels)
        keys.append(constraint["topologyKey"])

    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


@pytest.mark.parametrize("name", SHAPES)
def test_every_pod_has_one_budget_and_every_selector_finds_pods(name: str):
    """
    Two budgets for one pod would let nobody evict it; a selector that finds nothing does nothing, in silence.
    """
    pods = [one.labels for one in running(name)]
    budgets = of_kind(name, "PodDisruptionBudget")
    for labels in pods:
        assert len([one for one in budgets if selects(one["spec"]["selector"], labels)]) == 1
    assert {one["spec"]["maxUnavailable"] for one in budgets} == {1}

    selectors = [one["spec"]["podSelector"] for one in of_kind(name, "NetworkPolicy")]
    selectors += [one["spec"]["selector"] for one in of_kind(name, "PodMonitor")]
    selectors += [{"matchLabels": one["spec"]["selector"]} for one in of_kind(name, "Service")]
    for selector in selectors:
        assert any(selects(selector, labels) for labels in pods), selector


@pytest.mark.parametrize("name", SHAPES)
def test_every_port_that_is_named_is_there(name: str):
    """
    A Service, a NetworkPolicy or a PodMonitor that names a port means one of the pods that it selects.
    """
    pods = running(name)
    named = [(one["spec"]["podSelector"], rule) for one in of_kind(name, "NetworkPolicy") for rule in _ports_in(one)]
    named += [
        ({"matchLabels": one["spec"]["selector"]}, port["targetPort"])
        for one in of_kind(name, "Service")
        for port in one["spec"]["ports"]
    ]
    for selector, port in named:
        found = [one for one in pods if selects(selector, one.labels)]
        assert all(port in {each["name"] for each in one.container["ports"]} for one in found), (selector, port)


def _ports_in(policy: Object) -> list[str]:
    return [port["port"] for rule in policy["spec"].get("ingress", ()) for port in rule["ports"]]


@pytest.mark.parametrize("name", SHAPES)
def test_nothing_flows_that_is_not_named(name: str):
    """
    One policy denies everything to everybody; the public port is the ingress's alone, Telnyx the workers' and the REST
    door's, the database the recorder's and the dispatchers'.
    """
    nothing, *flows = sorted(
        of_kind(name, "NetworkPolicy"), key=lambda one: one["metadata"]["name"] != "cordboard-nothing"
    )
    assert nothing["spec"].keys() == {"podSelector", "policyTypes"}
    assert nothing["spec"]["policyTypes"] == ["Ingress", "Egress"]

    for one in running(name):
        mine = [flow["spec"] for flow in flows if selects(flow["spec"]["podSelector"], one.labels)]
        rules = [rule for flow in mine for rule in flow.get("ingress", ())]
        open_to_all = {port["port"] for rule in rules if not rule.get("from") for port in rule["ports"]}
        outside = {port["port"] for flow in mine for rule in flow.get("egress", ()) for port in rule["ports"]}
        assert open_to_all == ({"webhooks"} if one.role in {"ingress", "serve"} else set())
        assert (443 in outside) == (one.role in {"worker", "serve"} or one.has_rest)
        assert (5432 in outside) == (name != "embedded" and one.role in {"dispatcher", "recorder"})


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_scaled_has_one_scaler_and_no_fixed_number(name: str):
    """
    Two scalers would pull at it; a number would be set back by each upgrade. Never by the dial lane, never to none.
    """
    targets = [
        one["spec"]["scaleTargetRef"]["name"] for one in of_kind(name, "HorizontalPodAutoscaler", "ScaledObject")
    ]

    assert len(targets) == len(set(targets))
    for one in running(name):
        assert ("replicas" in one.object["spec"]) == (one.name not in targets), one.name
    for scaled in of_kind(name, "ScaledObject"):
        lanes = [trigger["metadata"]["topic"].rpartition(".")[2] for trigger in scaled["spec"]["triggers"]]
        assert lanes == ["urgent", "action"]
        assert scaled["spec"]["minReplicaCount"] >= 1
        for trigger in scaled["spec"]["triggers"]:
            told = trigger["metadata"]
            # The name that a worker's lane gives its group.
            assert told["consumerGroup"] == told["topic"].replace(".work.", ".worker.")


def test_the_image_is_named_by_the_version_of_the_product():
    """
    The chart's appVersion is the package's.
    """
    told = re.search(r'^appVersion: "(.+)"$', (CHART / "Chart.yaml").read_text(), re.MULTILINE)
    version = re.search(r'^version = "(.+)"$', (rendering.ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert told is not None
    assert version is not None
    assert told[1] == version[1]
