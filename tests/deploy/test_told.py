"""What the manifests tell Cordboard: each process starts by it, topics are as it demands, secrets where it looks."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from cordboard.roles.kafka import demands_of
from cordboard.settings import EVERY_DUTY, Duties, Role, Settings, load
from deploy.generate.rendering import CHART
from deploy.generate.schema import SET_BY_THE_CHART, schema
from deploy.generate.values import Chart
from tests.deploy.manifests import Running, everything, of_kind
from tests.tls.made import Made

SECRETS = "/run/secrets/cordboard/"
KEYS = f"2026-11 {'0f' * 32}"

of_all = pytest.mark.parametrize(
    ("name", "one"), [pytest.param(name, one, id=f"{name}-{one.name}") for name, one in everything()]
)


def settings_of(name: str, one: Running, folder: Path) -> Settings:
    """As the process would load them, with each secret's file put where a Secret would be mounted."""
    (config,) = of_kind(name, "ConfigMap")
    file = folder / "cordboard.toml"
    file.write_text(config["data"]["cordboard.toml"])
    environment = one.environment | {"CORDBOARD_CONFIG": str(file)}
    made = Made(folder / "made", "cordboard.cordboard.svc")
    certificates = {"tls.crt": made.server, "tls.key": made.server_key, "client-ca.crt": made.ca}
    for variable, value in environment.items():
        if value.startswith(SECRETS):
            secret = folder / value.removeprefix(SECRETS).replace("/", "-")
            held = certificates.get(Path(value).name)
            keys = KEYS.encode() if value.endswith("sealing.keys") else b"0123456789abcdef"
            text = b"postgresql://db/calls" if variable.endswith("URL_FILE") else keys
            secret.write_bytes(held.read_bytes() if held else text)
            environment[variable] = str(secret)
    return load(environ=environment, duties=duties_of(one))


def duties_of(one: Running) -> Duties:
    if one.role == "serve":
        return EVERY_DUTY
    pools = frozenset(one.container["args"][2:]) if one.role == "worker" else None
    return Duties(frozenset({Role(one.role)}), pools)


@of_all
def test_every_process_starts_by_what_it_is_told(name: str, one: Running, tmp_path: Path):
    """
    Its settings are all known, hold together, and have what its role cannot do without.
    """
    settings = settings_of(name, one, tmp_path)

    assert settings.log.kind == ("embedded" if name == "embedded" else "kafka")
    assert settings.logging.format == "json"
    listening = {
        "grpc": settings.grpc,
        "rest": settings.rest,
        "webhooks": settings.ingress,
        "operations": settings.operations,
    }
    for port in one.container["ports"]:
        section = listening[port["name"]]
        assert (section.host, section.port) == ("0.0.0.0", port["containerPort"])  # noqa: S104 - compared


@of_all
def test_every_file_that_is_named_is_mounted_and_no_secret_is_mounted_for_nothing(name: str, one: Running):
    """
    Whole folders, so that a changed Secret changes the files; and each role has what it needs and no more.
    """
    files = {value for value in one.environment.values() if value.startswith("/")}
    assert {one.mounted(path) for path in files} <= {volume["name"] for volume in one.pod["volumes"]} | {"data"}
    assert not [mount for mount in one.container["volumeMounts"] if "subPath" in mount]

    held = {path.removeprefix(SECRETS) for path in files if path.startswith(SECRETS)}
    given = {
        f"{mount['mountPath'].removeprefix(SECRETS)}/{item['path']}"
        for mount in one.container["volumeMounts"]
        for volume in one.pod["volumes"]
        if volume["name"] == mount["name"]
        for source in [
            volume.get("secret"),
            *(each["secret"] for each in volume.get("projected", {}).get("sources", ())),
        ]
        for item in (source or {}).get("items", ())
    }
    assert held == given
    assert any("api-key" in path for path in given) == (one.role in {"worker", "serve"} or one.has_rest)


def test_what_strimzi_makes_is_what_cordboard_demands(tmp_path: Path):
    """
    Every topic, its partitions and each of its settings: so that a start with create_topics off finds all well.
    """
    (one,) = [each for name, each in everything() if name == "operators" and each.role == "dispatcher"]
    settings = settings_of("operators", one, tmp_path)
    made = {each["metadata"]["name"]: each["spec"] for each in of_kind("operators", "KafkaTopic")}

    assert not settings.kafka.create_topics
    assert made.keys() == {demand.topic for demand in demands_of(settings)}
    for demand in demands_of(settings):
        spec = made[demand.topic]
        assert spec["partitions"] == demand.partitions
        config = {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in spec["config"].items()
        }
        assert config == {rule.setting: rule.value for rule in demand.rules} | {"min.insync.replicas": "2"}


def test_the_charts_own_values_are_of_their_types():
    """
    As the types say from which their schema is made; they stand in one file, and their names in the other.
    """
    Chart.model_validate(yaml.safe_load((CHART / "values.yaml").read_text()))


def test_no_secret_can_be_a_value():
    """
    Whatever the settings call a secret has no place in the chart's values: those are kept, readable, in every release.
    """
    text = schema().decode()
    secret = [name for names in SET_BY_THE_CHART.values() for name in names if "secret" in name or "key" in name]

    assert secret != []
    assert [
        name for name in ("api_key", "sasl_password", "dial_url_secret", "key_password") if f'"{name}"' in text
    ] == []


@pytest.mark.parametrize("name", ["embedded", "kafka", "operators"])
def test_the_settings_are_toml_without_secrets(name: str):
    """
    What everybody may read who may read the namespace's ConfigMaps.
    """
    (config,) = of_kind(name, "ConfigMap")
    table = tomllib.loads(config["data"]["cordboard.toml"])

    assert set(table) <= {"accounts", "kafka", "log", "logging", "default_account"}
    assert all(set(account) <= {"webhook_public_key", "late_dial"} for account in table["accounts"].values())
