"""The definitions of other people's resources, read where they are published: KEDA, Prometheus operator, Strimzi.

Nothing of them is kept in the tree. The first two lie in Go modules; Strimzi's are made by its own generator, of Maven.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clusters.tools import KEDA, PROMETHEUS_OPERATOR, Missing, folder, home

_POM: Final = Path(__file__).with_name("strimzi.xml")
# Strimzi's generator is compiled for it.
_JAVA_MIN: Final = 21
_STRIMZI: Final = {"topic.KafkaTopic": "topic.yaml", "user.KafkaUser": "user.yaml"}


def definitions() -> Iterator[Path]:
    """Every file of definitions that the chart's resources need. Raises Missing."""
    keda = folder(KEDA) / "config" / "crd" / "bases"
    yield from (keda / f"keda.sh_{name}.yaml" for name in ("scaledobjects", "triggerauthentications"))
    prometheus = folder(PROMETHEUS_OPERATOR) / "example" / "prometheus-operator-crd"
    yield from (prometheus / f"monitoring.coreos.com_{name}.yaml" for name in ("podmonitors", "prometheusrules"))
    yield from _strimzi()


def _strimzi() -> list[Path]:
    version = re.search(r"<strimzi.version>(.+)</strimzi.version>", _POM.read_text())
    at = home() / f"strimzi-{version[1] if version else ''}"
    found = [at / name for name in _STRIMZI.values()]
    if not all(path.exists() for path in found):
        _make_strimzi(at)
    return found


def _make_strimzi(at: Path) -> None:
    if (maven := shutil.which("mvn")) is None:
        raise Missing("Strimzi's definitions come by Maven, and no mvn is on the PATH: apt-get install maven.")
    java = _java()
    libraries, draft = at / "libs", at / "new"
    draft.mkdir(parents=True, exist_ok=True)
    _run([maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", f"-DoutputDirectory={libraries}"])
    kinds = [f"io.strimzi.api.kafka.model.{kind}={draft / name}" for kind, name in _STRIMZI.items()]
    _run([java, "-cp", f"{libraries}/*", "io.strimzi.crdgenerator.CrdGenerator", "--yaml", *kinds])
    for name in _STRIMZI.values():
        (draft / name).rename(at / name)


def _java() -> str:
    home_of = os.environ.get("JAVA_HOME")
    places = [Path(home_of)] if home_of else []
    places += sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    candidates = [str(place / "bin" / "java") for place in places] + [shutil.which("java") or ""]
    for java in candidates:
        if java and Path(java).exists() and _version(java) >= _JAVA_MIN:
            return java
    raise Missing(f"Strimzi's generator needs Java {_JAVA_MIN} or later: install one, or point JAVA_HOME at it.")


def _version(java: str) -> int:
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', told.stderr + told.stdout)
    return int(found[1]) if found else 0


def _run(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Missing(f"Strimzi's definitions could not be made:\n{(ended.stdout + ended.stderr)[-2000:]}")
