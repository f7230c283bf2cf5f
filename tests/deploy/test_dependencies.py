"""Every package that we name is explained, pinned and hashed; and an audit that cannot ask does not pass."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

from deploy import auditing

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = sorted((ROOT / "requirements").glob("*.txt"))
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def normal(text: str) -> str:
    """A package's name as registries compare it, without extras, versions and markers."""
    found = NAME.match(text)
    assert found is not None, text
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared() -> dict[str, set[str]]:
    """What is named by us, by the lock file that it belongs in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    named = {
        "run.txt": project["project"]["dependencies"],
        "tracing.txt": project["project"]["optional-dependencies"]["tracing"],
        "dev.txt": project["dependency-groups"]["dev"],
    }
    for path in (ROOT / "requirements").glob("*.in"):
        named[path.with_suffix(".txt").name] = path.read_text().split()
    return {lock: {normal(one) for one in names} for lock, names in named.items()}


def pinned(lock: Path) -> dict[str, list[str]]:
    """The hashes of every package in a lock file; each is one version."""
    found: dict[str, list[str]] = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        name, *hashes = entry.split(" --hash=")
        assert re.fullmatch(r"[\w.\[\],-]+==[\w.!+]+( ; .+)?", name.strip()), f"{lock.name}: {name} is not pinned"
        found[normal(name)] = [one.strip() for one in hashes]
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_its_hashes(lock: Path):
    """
    And one version: what is installed is what was looked at.
    """
    packages = pinned(lock)

    assert len(packages) > 0
    assert {name for name, hashes in packages.items() if not hashes} == set()
    assert {
        one for hashes in packages.values() for one in hashes if not re.fullmatch("sha256:[0-9a-f]{64}", one)
    } == set()


def test_what_we_name_is_pinned():
    """
    Each in the lock file that is made from where it is named.
    """
    missing = {lock: names - pinned(ROOT / "requirements" / lock).keys() for lock, names in declared().items()}

    assert {lock: names for lock, names in missing.items() if names} == {}
    assert {lock.name for lock in LOCKS} == declared().keys()


def test_what_we_name_is_explained():
    """
    In one line each, and nothing is explained that is not there any more.
    """
    rows = [line for line in (ROOT / "docs/dependencies.md").read_text().splitlines() if line.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}

    assert explained == set[str]().union(*declared().values())


def test_the_image_has_no_more_than_it_needs():
    """
    What builds, tests and audits it stays outside.
    """
    dockerfile = (ROOT / "deploy/Dockerfile").read_text()

    assert [word for word in ("audit", "dev.txt") if word in dockerfile] == []
    assert set(re.findall(r"^ARG REQUIREMENTS=(\w+)", dockerfile, re.MULTILINE)) <= {"run", "tracing"}
    assert {"pip-audit", "pytest", "ruff"} & pinned(ROOT / "requirements/tracing.txt").keys() == set()


FOUND: Final = '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}]}'
CLEAN: Final = '{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}'
SKIPPED: Final = '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'


@pytest.mark.parametrize(
    ("says", "status", "lines"),
    [
        (f"print('{CLEAN}')", 0, ["x.txt: 1 packages, 0 vulnerabilities known"]),
        (f"print('{FOUND}'); sys.exit(1)", 1, ["  vulnerable: a 1: X-1, mended in 2"]),
        (f"print('{SKIPPED}')", 1, ["  NOT AUDITED, so not known to be good: 1", "    a: not found"]),
        ("print('{\"dependencies\": []}')", 1, ["x.txt: 0 packages, 0 vulnerabilities known"]),
        (
            "sys.exit('no route to host')",
            1,
            ["    the service cannot be reached, or pip-audit failed: no route to host"],
        ),
    ],
)
def test_an_audit_passes_only_where_all_is_known_to_be_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], says: str, status: int, lines: list[str]
):
    """
    A vulnerability, a package that was not asked about, a service that is away: none of them passes in silence.
    """
    tool, lock = tmp_path / "tool.py", tmp_path / "x.txt"
    tool.write_text(f"import sys\n{says}\n")
    lock.write_text("")

    assert auditing.main(["--tool", f"{sys.executable} {tool}", str(lock)]) == status

    said = capsys.readouterr()
    assert [line for line in lines if line not in said.out.splitlines()] == []
    assert ("does NOT pass" in said.err) == (status == 1)
