"""The programs of a cluster, built once by Go from pinned modules, outside of the tree: some 20 minutes on two cores.

A module's hash is pinned here; those of all that it is built from are in its own go.sum, which Go holds them to.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final


class Missing(Exception):
    """What this machine lacks, in a sentence that says what to install."""


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module at one version, and the hash of its content."""

    path: str
    version: str
    sum: str

    @property
    def at(self) -> str:
        """As Go writes it."""
        return f"{self.path}@{self.version}"


KUBERNETES: Final = Module("k8s.io/kubernetes", "v1.36.3", "h1:qDQdoMiluAE2Eab6Fa52YV+WjiGz9mZFFoagEA6cI+o=")
HELM: Final = Module("helm.sh/helm/v4", "v4.3.1", "h1:UndCoLe9UPmNoL7IvWzaUXveL7T5t/ijoorEmgJdI9g=")
KWOK: Final = Module("sigs.k8s.io/kwok", "v0.8.0", "h1:OTIOTwgROqPMovcTwxICx2eYQ4AwLpSx5EpjbDKF4SQ=")
KEDA: Final = Module("github.com/kedacore/keda/v2", "v2.21.0", "h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=")
PROMETHEUS_OPERATOR: Final = Module(
    "github.com/prometheus-operator/prometheus-operator", "v0.85.0", "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="
)
# Each program: its module, and its package there.
PROGRAMS: Final[Mapping[str, tuple[Module, str]]] = {
    "helm": (HELM, "cmd/helm"),
    "kube-apiserver": (KUBERNETES, "cmd/kube-apiserver"),
    "kube-controller-manager": (KUBERNETES, "cmd/kube-controller-manager"),
    "kube-scheduler": (KUBERNETES, "cmd/kube-scheduler"),
    "kubectl": (KUBERNETES, "cmd/kubectl"),
    "kwok": (KWOK, "cmd/kwok"),
}
# What it says of its own version is linked in; without it helm takes it for older than any.
_LINKED: Final = " ".join(
    f"-X k8s.io/{part}/version.git{name}={value}"
    for part in ("component-base", "client-go/pkg")
    for name, value in (("Version", KUBERNETES.version), ("Major", "1"), ("Minor", KUBERNETES.version.split(".")[1]))
)
_STAGING: Final = re.compile(r"^\t(k8s\.io/[a-z-]+) =>", re.MULTILINE)


def home() -> Path:
    """Where programs are kept: CORDBOARD_TOOLS, else a folder of the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("CORDBOARD_TOOLS") or Path(cache) / "cordboard" / "tools")


def built(name: str) -> Path:
    """Where a program is or will be."""
    module, _ = PROGRAMS[name]
    return home() / f"{name}-{module.version}" / name


def program(name: str) -> str:
    """A program, built first where it is not there. Raises Missing."""
    path = built(name)
    if not path.exists():
        module, package = PROGRAMS[name]
        source = folder(module)
        draft = path.parent / "new"
        if module is KUBERNETES:
            words = ("build", "-mod=mod", f"-ldflags={_LINKED}", "-o", f"{draft}/")
            _go(*words, f"{module.path}/{package}", within=_wrapped(source))
        else:
            _go("install", f"{module.path}/{package}@{module.version}", within=home(), GOBIN=str(draft))
        (draft / name).rename(path)  # What is at its place is whole.
    return str(path)


def folder(module: Module) -> Path:
    """A module's files, downloaded first where they are not there. Raises Missing, also where they are other files."""
    told = json.loads(_go("mod", "download", "-json", module.at, within=home()))
    if told["Sum"] != module.sum:
        raise Missing(f"{module.at} has the hash {told['Sum']}, and {module.sum} is pinned")
    return Path(told["Dir"])


def etcd() -> str:
    """The path of etcd: ETCD's, else the one on the PATH. Raises Missing."""
    found = os.environ.get("ETCD") or shutil.which("etcd")
    if found is None:
        raise Missing("A cluster needs etcd, and none is on the PATH: apt-get install etcd-server, or set ETCD.")
    return found


def _wrapped(source: Path) -> Path:
    """A module around Kubernetes': its own replaces its parts by folders, which Go allows to no other module."""
    staging = KUBERNETES.version.replace("v1", "v0", 1)
    told = (source / "go.mod").read_text()
    parts = _STAGING.findall(told)
    required = "".join(
        f"require {block}\n" for block in re.findall(r"^require (\(.*?^\))", told, re.MULTILINE | re.DOTALL)
    )
    for part in parts:
        required = required.replace(f"\t{part} v0.0.0\n", f"\t{part} {staging}\n")
    replaced = "\n".join(f"\t{part} => {part} {staging}" for part in parts)
    language = re.search(r"^go .+$", told, re.MULTILINE)
    within = home() / f"around-kubernetes-{KUBERNETES.version}"
    within.mkdir(parents=True, exist_ok=True)
    (within / "go.mod").write_text(
        f"module around\n\n{language[0] if language else ''}\n\n{required}"
        f"require {KUBERNETES.path} {KUBERNETES.version}\nreplace (\n{replaced}\n)\n"
    )
    shutil.copy(source / "go.sum", within / "go.sum")
    (within / "go.sum").chmod(0o644)
    names = [package for module, package in PROGRAMS.values() if module is KUBERNETES]
    imports = "\n".join(f'\t_ "{KUBERNETES.path}/{package}"' for package in names)
    (within / "around.go").write_text(f"//go:build tools\n\npackage around\n\nimport (\n{imports}\n)\n")
    return within


def _go(*words: str, within: Path, **environment: str) -> str:
    if (go := shutil.which("go")) is None:
        raise Missing("The programs of a cluster are built by Go, and none is on the PATH: install Go 1.26 or later.")
    within.mkdir(parents=True, exist_ok=True)
    given = os.environ | environment
    ended = subprocess.run([go, *words], cwd=within, env=given, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Missing(f"go {' '.join(words)} failed:\n{ended.stderr[-3000:]}{ended.stdout[-1000:]}")
    return ended.stdout
