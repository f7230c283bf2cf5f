"""The roles that a process can play, and what each cannot do without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cordboard.settings.model import Settings
from cordboard.settings.tls import unreached


class Role(StrEnum):
    """What a process does."""

    DISPATCHER = "dispatcher"
    WORKER = "worker"
    INGRESS = "ingress"
    RECORDER = "recorder"


Paths = tuple[tuple[str, ...], ...]
EVERY_ROLE: Final = frozenset(Role)

# Of every account: one of these settings.
_OF_ACCOUNTS: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.DISPATCHER: (),
    Role.WORKER: ("api_key", "api_key_file"),
    Role.INGRESS: ("webhook_public_key",),
    Role.RECORDER: (),
}


@dataclass(frozen=True, slots=True)
class Duties:
    """The roles of a process, and the pools (accounts) that its worker serves; None: all there are."""

    roles: frozenset[Role] = EVERY_ROLE
    pools: frozenset[str] | None = None


EVERY_DUTY: Final = Duties()
NO_DUTIES: Final = Duties(frozenset())


def in_effect(settings: Settings, duties: Duties) -> Duties:
    """The duties as they count: who plays all roles records only where it is set what to record in."""
    if settings.recorder.kind == "none":
        return Duties(duties.roles - {Role.RECORDER}, duties.pools)
    return duties


def missed(settings: Settings, duties: Duties) -> Iterator[tuple[Paths, str]]:
    """What these duties would want otherwise: the settings that would do, the first one best, and a sentence."""
    is_recorder_alone = duties.roles == {Role.RECORDER}
    played = duties if is_recorder_alone else in_effect(settings, duties)
    roles = [role for role in Role if role in played.roles]
    if not roles:
        return
    if duties.roles != EVERY_ROLE and settings.log.kind != "kafka":
        why = "the embedded log belongs to one process, which plays all roles (cordboard serve)"
        yield (("log", "kind"),), f"must be kafka for the {' and the '.join(roles)} alone: {why}"
    if not settings.accounts:
        yield (("accounts",),), f"at least one account must be set, for the {' and the '.join(roles)}"
    for name in sorted((duties.pools or frozenset()) - settings.accounts.keys()):
        known = ", ".join(sorted(settings.accounts)) or "none is set"
        yield (("accounts", name), ("accounts",)), f"there is no such account, and so no such pool; accounts: {known}"
    if is_recorder_alone and settings.recorder.kind == "none":
        yield (("recorder", "kind"),), "must be set for the recorder: sqlite or postgresql"
    if Role.DISPATCHER in roles and settings.log.kind == "kafka":
        yield from _missed_of_peers(settings)
    for role in roles:
        yield from _missed_of_accounts(settings, role, duties.pools if role is Role.WORKER else None)


def _missed_of_peers(settings: Settings) -> Iterator[tuple[Paths, str]]:
    for named, sentence in unreached(settings):
        yield tuple(tuple(path.split(".")) for path in named), sentence
    asks = bool(settings.identities) or settings.identities_file is not None
    if asks and settings.peers.secret is None and settings.peers.secret_file is None:
        why = "where identities are: dispatchers ask each other for whole pages, and no sender may"
        yield (("peers", "secret_file"), ("peers", "secret")), f"(or secret) must be set {why}"


def _missed_of_accounts(settings: Settings, role: Role, only: frozenset[str] | None) -> Iterator[tuple[Paths, str]]:
    names = _OF_ACCOUNTS[role]
    for name, account in settings.accounts.items():
        if names and (only is None or name in only) and not any(getattr(account, one) for one in names):
            paths = tuple(("accounts", name, one) for one in names)
            yield paths, f"{' or '.join(names)} must be set: the {role} needs it"
