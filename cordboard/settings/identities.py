"""Who may ask, and for what: identities, in the settings or in a file of their own that is read anew while all runs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from cordboard.v1 import Command

ALL: Final = "*"
FILE_BYTES_MAX: Final = 1024 * 1024
_ACTIONS: Final = frozenset(field.name for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Right(StrEnum):
    """What an identity may do beside each other; accounts and actions bound all of it."""

    SEND = "send"  # Commands: sent, waited for, cancelled.
    READ = "read"  # Calls, their stories, and all that is watched.
    OPERATE = "operate"  # Pause and resume, cancels of groups, forgetting, dead letters, the level of the logs.
    TELNYX = "telnyx"  # At the REST door what is no command: it goes to Telnyx under the account's own key.


def _listed(value: object) -> tuple[str, ...]:
    """A list of texts, or in the environment one text with commas."""
    listed = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise ValueError("must be a list of texts")
    return tuple(listed)


def _rights(value: object) -> object:
    listed = _listed(value)
    if not {*listed} <= {*Right}:
        raise ValueError(f"must be of {', '.join(Right)}")
    return listed


def _digests(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_DIGEST.fullmatch(one) for one in values):
        raise ValueError("must be SHA-256 in 64 digits of lower-case hex, not the token: `cordboard token` makes both")
    return values


def _known_actions(values: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := sorted({*values} - _ACTIONS - {ALL}):
        known = ", ".join(sorted(_ACTIONS))
        raise ValueError(f"must be actions of the contract, or {ALL!r}; {unknown[0]!r:.66} is none of them: {known}")
    return values


def _not_empty(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or not all(values):
        raise ValueError(f"must name one or more, or be {ALL!r} for all of them")
    return values


IdentityName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Identity(BaseModel):
    """A sender or operator: by what it is known, what it may do, and how much at once."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token_sha256: Annotated[_Names, AfterValidator(_digests)] = Field(
        default=(), description="SHA-256, in hex, of each token by which it is known; several while one is replaced"
    )
    certificate_names: _Names = Field(
        default=(), description="names (CN, or DNS or URI of SAN) of client certificates by which it is known"
    )
    accounts: Annotated[_Names, AfterValidator(_not_empty)] = Field(
        default=(), description="the accounts that it may use and see, which must be said; * for all"
    )
    actions: Annotated[_Names, AfterValidator(_not_empty), AfterValidator(_known_actions)] = Field(
        default=(ALL,), description="the actions that it may send, such as dial and hangup; * for all"
    )
    rights: Annotated[tuple[Right, ...], BeforeValidator(_rights)] = Field(
        default=(Right.SEND, Right.READ), description="send, read, operate, telnyx"
    )
    commands_per_second: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = Field(
        default=None, description="commands that it may send through one dispatcher; urgent ones are counted apart"
    )
    concurrent_max: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="requests of one kind of its own that one dispatcher serves at once"
    )

    @property
    def sees_all(self) -> bool:
        """Whether it may use every account."""
        return ALL in self.accounts

    @property
    def only_account(self) -> str:
        """The account that is meant where none is named; "" where there is more than one."""
        return self.accounts[0] if len(self.accounts) == 1 and not self.sees_all else ""

    def may_use(self, account: str) -> bool:
        """Whether an account is one of its own."""
        return self.sees_all or account in self.accounts

    def may_send(self, action: str) -> bool:
        """Whether an action is one of its own."""
        return ALL in self.actions or action in self.actions


class Fault(NamedTuple):
    """What is wrong with an identity: its name, the setting, and what must be."""

    name: str
    field: str
    must: str


def faults(identities: Mapping[str, Identity], accounts: Collection[str]) -> Iterator[Fault]:
    """All that is wrong between identities, and between them and the accounts that there are."""
    holders: dict[tuple[str, str], str] = {}
    for name, identity in identities.items():
        if not identity.accounts:
            yield Fault(name, "accounts", f"must be set: the accounts that it may use and see, or {ALL!r} for all")
        if unknown := sorted({*identity.accounts} - {*accounts, ALL}):
            known = ", ".join(sorted(accounts)) or "none is set"
            yield Fault(name, "accounts", f"must be of the accounts ({known}), or {ALL!r}; {unknown[0]!r:.66} is not")
        if not identity.token_sha256 and not identity.certificate_names:
            yield Fault(name, "token_sha256", "(or certificate_names) must be set: by what else is it known?")
        for field in ("token_sha256", "certificate_names"):
            for proof in getattr(identity, field):
                other = holders.setdefault((field, proof), name)
                if other != name:
                    what = "a token" if field == "token_sha256" else "a certificate"
                    yield Fault(name, field, f"must not be that of {other} too: {what} says who shows it")


class IdentitiesUnusable(Exception):
    """The file of identities cannot be used; `sentences` says why, all at once."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__("; ".join(self.sentences))


class _File(BaseModel):
    """What the file holds: the same tables as the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    identities: dict[IdentityName, Identity] = Field(min_length=1)


def read_identities(path: Path) -> dict[str, Identity]:
    """The identities in a file. Raises IdentitiesUnusable."""
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise IdentitiesUnusable([f"must name a file of at most {FILE_BYTES_MAX} bytes"])
        return _File.model_validate(tomllib.loads(content.decode())).identities
    except OSError as error:
        raise IdentitiesUnusable([f"must name a file that can be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Not the parser's own words: they may repeat what somebody put there by mistake.
        raise IdentitiesUnusable(["must name a file of TOML, with a table [identities.NAME] for each"]) from None
    except ValidationError as error:
        raise IdentitiesUnusable(map(_sentence, error.errors())) from None


def _sentence(raw: Any) -> str:
    place = ".".join(str(part) for part in raw["loc"] if part != "[key]")
    said = raw.get("ctx", {}).get("error") or str(raw["msg"]).replace("Input should be", "must be")
    if raw["loc"][-1] == "[key]":
        said = "a name must be 1 to 40 characters of a-z, 0-9 and hyphen"
    elif raw["type"] == "extra_forbidden":
        said = "there is no such setting"
    elif raw["loc"] == ("identities",):
        said = "must hold a table [identities.NAME] for each"
    return f"{place}: {said}"
