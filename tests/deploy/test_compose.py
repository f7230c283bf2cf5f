"""deploy/compose.yaml: valid by the specification's schema, and telling each role what it needs to start."""

from __future__ import annotations

import base64
import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_pydantic import ComposeSpecification
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cordboard.settings import Duties, Role, Settings, load
from deploy.generate.rendering import ROOT

FOLDER = ROOT / "deploy"
ROLES = ("dispatcher", "worker", "ingress")  # Two of each.
ALL_ROLES = (*ROLES, "recorder")


@functools.cache
def composed() -> dict[str, Any]:
    """The file, with what its anchors stand for."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    return read


def settings_of(role: str) -> Settings:
    service = composed()["services"][role]
    file = FOLDER / composed()["configs"]["settings"]["file"]
    pools = frozenset(service["command"][2:]) if role == "worker" else None
    return load(
        environ=service["environment"] | {"CORDBOARD_CONFIG": str(file)}, duties=Duties(frozenset({Role(role)}), pools)
    )


def test_valid_by_the_specification():
    """
    No container engine is here to say so; the schema is the one that engines use.
    """
    # What begins with x- is anybody's own.
    ComposeSpecification.model_validate({key: value for key, value in composed().items() if not key.startswith("x-")})
    wrong = {"services": {"a": {"image": "a", "depend_on": ["b"]}}}
    with pytest.raises(ValueError, match="depend_on"):
        ComposeSpecification.model_validate(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_two_of_each_role_start_by_what_they_are_told(role: str):
    """
    Reachable from other containers, on the broker of the file, with the sandbox for Telnyx.
    """
    settings = settings_of(role)
    services = composed()["services"]

    assert services[role]["deploy"]["replicas"] == 2
    assert {settings.grpc.host, settings.ingress.host, settings.operations.host} == {"0.0.0.0"}  # noqa: S104 - compared
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert settings.accounts["main"].base_url.startswith("http://sandbox:")


def test_what_the_recorder_writes_the_dispatchers_read():
    """
    The same database, whose password is the container's; and the REST door, for who has the account's key.
    """
    recorder, dispatcher = settings_of("recorder").recorder, settings_of("dispatcher")
    told = composed()["services"]["postgres"]["environment"]

    assert recorder == dispatcher.recorder
    address = "postgresql://{POSTGRES_USER}:{POSTGRES_PASSWORD}@postgres/{POSTGRES_DB}"
    assert recorder.read_url() == address.format(**told)
    assert dispatcher.accounts["main"].read_api_key() == settings_of("worker").accounts["main"].read_api_key()
    assert dispatcher.rest.host == dispatcher.grpc.host


def test_the_sandbox_signs_with_the_key_that_webhooks_are_verified_by():
    """
    Else none would come in.
    """
    (seed,) = [word.partition("=")[2] for word in composed()["services"]["sandbox"]["command"] if "signing-key" in word]
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))

    assert settings_of("ingress").accounts["main"].public_key() == key.public_key().public_bytes_raw()


def test_everything_that_is_named_is_there():
    """
    Services that are depended on, volumes, files and folders.
    """
    services, volumes = composed()["services"], composed()["volumes"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= services.keys()
        for source, *_ in (mount.split(":") for mount in service.get("volumes", ())):
            assert (FOLDER / source).exists() if source.startswith(".") else source in volumes, source
    for one in composed()["configs"].values():
        assert (FOLDER / one["file"]).is_file()


def test_images_are_pinned_and_ports_are_this_machines_own():
    """
    The same tomorrow as today; and nothing that everybody knows the password of is open to the network.
    """
    for service in composed()["services"].values():
        assert re.search(r":(v?\d+\.\d+(\.\d+)?|dev)$", service["image"]), service["image"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_prometheus_asks_every_role():
    """
    At the port that they listen on.
    """
    (job,) = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"]
    (discovery,) = job["dns_sd_configs"]

    assert set(ALL_ROLES) <= set(discovery["names"])
    assert discovery["port"] == settings_of("dispatcher").operations.port


def test_a_stop_is_given_the_time_that_it_takes():
    """
    The engine waits longer than any role's stop lasts.
    """
    for role in ALL_ROLES:
        patience = int(composed()["services"][role]["stop_grace_period"].removesuffix("s"))
        assert patience > getattr(settings_of(role), role).stop_seconds


def test_the_dockerfile_is_read_without_complaint():
    """
    By a reader that knows what goes wrong in Dockerfiles.
    """
    hadolint = Path(sys.executable).with_name("hadolint")
    ended = subprocess.run([str(hadolint), str(FOLDER / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
