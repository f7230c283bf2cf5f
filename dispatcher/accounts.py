"""What the dispatcher knows of its accounts: their names, which one is meant by none, and where dials report to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DialAddress:
    """Where Telnyx is to tell about the calls of an account's dials; `secret` seals the address."""

    public_url: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts by name; `default` stands in where a command, and its call, name none ("": there is none)."""

    addresses: Mapping[str, DialAddress | None]
    default: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.addresses

    def resolve(self, named: str, of_call: str = "") -> str:
        """The account that is meant: the one named, else the call's, else the only or the default one; else ""."""
        return named or of_call or self.default

    def address(self, name: str) -> DialAddress | None:
        """Where dials of an account report to, if that is set."""
        return self.addresses.get(name)
