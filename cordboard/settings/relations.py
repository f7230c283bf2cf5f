"""What must hold between settings: a table of rules, each with the settings it speaks of and a sentence.

Kept apart from the limits of single settings, because a rule is judged only where all the settings that it speaks of
are themselves right; so one start names every mistake, and none that only follows from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cordboard.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold: `paths` (dotted, the first one is at fault), and what would be right."""

    paths: tuple[str, ...]
    must: str


class RelationsBroken(ValueError):
    """All rules that do not hold, at once, and the settings that break them."""

    def __init__(self, failures: list[Broken], settings: Settings) -> None:
        super().__init__("; ".join(f"{failure.paths[0]} {failure.must}" for failure in failures))
        self.failures = failures
        self.settings = settings


def broken(settings: Settings) -> list[Broken]:
    """Every rule that these settings break."""
    return [failure for rule in _RULES for failure in rule(settings)]


def _a_try_fits(settings: Settings) -> Iterator[Broken]:
    connect, whole, budget = (f"worker.{name}_seconds" for name in ("connect_timeout", "try_timeout", "attempt_budget"))
    connect_ms, whole_ms, budget_ms = (round(1000 * _value(settings, path)) for path in (connect, whole, budget))
    if connect_ms >= whole_ms:
        limit = f"{whole}, which is {whole_ms / 1000:g}"
        yield Broken((connect, whole), f"must be below {limit}: connecting is part of a try")
    if whole_ms > budget_ms:
        limit = f"{budget}, which is {budget_ms / 1000:g}"
        yield Broken((whole, budget), f"must not exceed {limit}: one try must fit into the budget")


def _ports_differ(settings: Settings) -> Iterator[Broken]:
    taken: dict[int, str] = {}
    for name in ("grpc", "ingress", "operations"):
        path = f"{name}.port"
        port = int(_value(settings, path))
        if port and port in taken:
            yield Broken((path, taken[port]), f"must differ from {taken[port]}, which is {port} too")
        taken.setdefault(port, path)


def _default_account_exists(settings: Settings) -> Iterator[Broken]:
    name, known = settings.default_account, sorted(settings.accounts)
    if name is not None and name not in known:
        yield Broken(
            ("default_account", "accounts"), f"must be one of the accounts: {', '.join(known) or 'none is set'}"
        )


def _one_source_per_secret(settings: Settings) -> Iterator[Broken]:
    for name, account in settings.accounts.items():
        for secret in ("api_key", "dial_url_secret"):
            path = f"accounts.{name}.{secret}"
            if getattr(account, secret) is not None and getattr(account, f"{secret}_file") is not None:
                yield Broken((path, f"{path}_file"), f"must not be set beside {secret}_file: one of the two")


def _dial_urls_are_sealed(settings: Settings) -> Iterator[Broken]:
    for name, account in settings.accounts.items():
        if account.public_url and account.dial_url_secret is None and account.dial_url_secret_file is None:
            secret, url = f"accounts.{name}.dial_url_secret", f"accounts.{name}.public_url"
            paths = (secret, f"{secret}_file", url)
            yield Broken(paths, "(or dial_url_secret_file) must be set where public_url is: it seals the addresses")


def _value(settings: Settings, path: str) -> float:
    section, name = path.split(".")
    return float(getattr(getattr(settings, section), name))


_RULES: Final[tuple[Callable[[Settings], Iterator[Broken]], ...]] = (
    _a_try_fits,
    _ports_differ,
    _default_account_exists,
    _one_source_per_secret,
    _dial_urls_are_sealed,
)
