"""The rendered manifests as data: what is of Kubernetes itself, what runs pods, and what each process will be told."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from deploy.generate.rendering import RENDERED

Object = dict[str, Any]
SHAPES = ("embedded", "kafka", "operators")


@functools.cache
def shape(name: str) -> tuple[Object, ...]:
    """Every object of a rendered set."""
    read = yaml.safe_load_all((RENDERED / f"{name}.yaml").read_text())
    return tuple(one for one in read if one is not None)


def of_kind(name: str, *kinds: str) -> list[Object]:
    """Those of some kinds."""
    return [one for one in shape(name) if one["kind"] in kinds]


@dataclass(frozen=True, slots=True)
class Running:
    """Something that runs pods: its object, its pods' labels, their specification, and the one container."""

    object: Object
    labels: dict[str, str]
    pod: Object
    container: Object

    @property
    def name(self) -> str:
        """Its name."""
        found: str = self.object["metadata"]["name"]
        return found

    @property
    def role(self) -> str:
        """What its process plays: the command's first word."""
        found: str = self.container["args"][0]
        return found

    @property
    def environment(self) -> dict[str, str]:
        """What the process finds in its environment; what Kubernetes takes from elsewhere has a stand-in."""
        made: dict[str, str] = {}
        for one in self.container["env"]:
            source = one.get("valueFrom", {})
            value = one.get("value") or ("10.0.0.7" if "fieldRef" in source else "https://somewhere.example")
            made[one["name"]] = re.sub(r"\$\((\w+)\)", lambda name: made[name[1]], value)
        return made

    @property
    def encrypted(self) -> bool:
        """Whether its operations port, and its doors, serve TLS."""
        return self.environment.get("CORDBOARD_TLS__OPERATIONS") == "true"

    @property
    def has_rest(self) -> bool:
        """Whether it has the REST door, which knows senders by the accounts' keys and passes some requests on."""
        return any(port["name"] == "rest" for port in self.container["ports"])

    def mounted(self, path: str) -> str | None:
        """The volume in which a path lies."""
        inside = [one for one in self.container["volumeMounts"] if f"{path}/".startswith(f"{one['mountPath']}/")]
        return max(inside, key=lambda one: len(one["mountPath"]))["name"] if inside else None


def running(name: str) -> list[Running]:
    """All that run pods."""
    found = of_kind(name, "Deployment", "StatefulSet")
    return [_running(one) for one in found]


def everything() -> Iterator[tuple[str, Running]]:
    """The same of every set."""
    return ((name, one) for name in SHAPES for one in running(name))


def _running(found: Object) -> Running:
    template = found["spec"]["template"]
    (container,) = template["spec"]["containers"]
    return Running(found, template["metadata"]["labels"], template["spec"], container)
