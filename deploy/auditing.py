"""Held against the known advisories: every lock file, by pip-audit. What could not be asked about does not pass.

Run by `make audit`, which installs pip-audit by hash into an environment of its own. The advisories are a service
elsewhere: where it cannot be reached, or knows a package not at all, nothing is known, and that is an error like a
vulnerability.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LOCKS: Final = Path(__file__).resolve().parents[1] / "requirements"
SECONDS_MAX: Final = 600


@dataclass(frozen=True, slots=True)
class Audited:
    """What came out for one lock file: how many packages it has, and a line for each that does not pass."""

    lock: str
    packages: int
    vulnerable: tuple[str, ...] = ()
    unaudited: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether all of it is known to be good."""
        return self.packages > 0 and not self.vulnerable and not self.unaudited

    def lines(self) -> Iterator[str]:
        """As people read it."""
        yield f"{self.lock}: {self.packages} packages, {len(self.vulnerable)} vulnerabilities known"
        yield from (f"  vulnerable: {one}" for one in self.vulnerable)
        if self.unaudited:
            yield f"  NOT AUDITED, so not known to be good: {len(self.unaudited)}"
            yield from (f"    {one}" for one in self.unaudited[:5])
            if len(self.unaudited) > 5:
                yield f"    and {len(self.unaudited) - 5} more"


def audit(tool: Sequence[str], lock: Path, service: str) -> Audited:
    """Ask the service about each package of a lock file."""
    options = [
        "--disable-pip",
        "--require-hashes",
        "--format=json",
        "--progress-spinner=off",
        f"--vulnerability-service={service}",
    ]
    try:
        ran = subprocess.run(  # noqa: S603 - the words are ours
            [*tool, *options, f"--requirement={lock}"], capture_output=True, text=True, check=False, timeout=SECONDS_MAX
        )
        return judged(lock.name, json.loads(ran.stdout))
    except subprocess.TimeoutExpired:
        return Audited(lock.name, 0, unaudited=(f"the service did not answer within {SECONDS_MAX} s",))
    except (ValueError, KeyError, TypeError):
        said = [line for line in ran.stderr.splitlines() if line.strip()]
        why = said[-1][:300] if said else "pip-audit said nothing"
        return Audited(lock.name, 0, unaudited=(f"the service cannot be reached, or pip-audit failed: {why}",))


def judged(lock: str, told: dict[str, Any]) -> Audited:
    """What pip-audit's JSON says of a lock file."""
    packages: list[dict[str, Any]] = told["dependencies"]
    return Audited(
        lock,
        len(packages),
        tuple(
            f"{one['name']} {one['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none yet'}"
            for one in packages
            for found in one.get("vulns", ())
        ),
        tuple(f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one),
    )


def main(words: Sequence[str] | None = None) -> int:
    """Audit all lock files; 0 only if every package of each is known to be good."""
    parser = argparse.ArgumentParser(prog="python -m deploy.auditing", description=main.__doc__)
    parser.add_argument("--tool", default="pip-audit", help="pip-audit's command")
    parser.add_argument("--service", default="pypi", choices=("pypi", "osv"), help="whose advisories")
    parser.add_argument("locks", nargs="*", type=Path, default=sorted(LOCKS.glob("*.txt")), help="else all there are")
    given = parser.parse_args(words)
    passes = True
    for lock in given.locks:
        audited = audit(given.tool.split(), lock, given.service)
        passes = passes and audited.passes
        print("\n".join(audited.lines()), flush=True)  # noqa: T201 - that is what it is for
    print("all are known to be good" if passes else "the audit does NOT pass", file=sys.stderr)  # noqa: T201 - the same
    return 0 if passes else 1


if __name__ == "__main__":
    sys.exit(main())
