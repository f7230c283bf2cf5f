"""Access: who is known to this process now. The file of identities is read anew when it was written again.

A new file that is not right keeps the old one in force, which is said in the log once for each reason, and for as long
as that lasts in a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

import structlog

from cordboard.access.caller import ANYBODY, Caller, Note, ignore
from cordboard.access.denials import NotKnown
from cordboard.access.known import Known, Proof
from cordboard.access.usage import Usage
from cordboard.clock import Clock
from cordboard.settings import IdentitiesUnusable, Identity, Settings
from cordboard.settings.identities import faults, read_identities
from cordboard.tls.files import versions

_LOOK_MS: Final = 1_000  # So often at most is looked whether the file was written again.
_log: Final = structlog.get_logger(__name__)


class Access:
    """Says who asks. With no identity, and no file of them, everybody may do everything."""

    def __init__(
        self,
        clock: Clock,
        identities: Mapping[str, Identity],
        file: Path | None = None,
        accounts: Collection[str] = (),
        note: Note = ignore,
    ) -> None:
        """`accounts` are those that there are. Raises IdentitiesUnusable for a file that is not right at the start."""
        self._clock = clock
        self._inside = identities
        self._file = file
        self._accounts = accounts
        self._note = note
        self._usages: dict[str, Usage] = {}
        self._why = ""  # What is wrong with the file, if anything is.
        self._seen = versions(file)
        self._looked_ms = clock.now_ms()
        self._known = Known(self._read())

    @classmethod
    def of(cls, settings: Settings, clock: Clock, note: Note = ignore) -> Access:
        """As the settings have it."""
        return cls(clock, settings.identities, settings.identities_file, settings.accounts, note)

    @property
    def asks(self) -> bool:
        """Whether anybody has to prove who asks."""
        return bool(self._inside) or self._file is not None

    @property
    def trouble(self) -> str:
        """Why the file as it is now is not in force; "" where it is."""
        self.known()
        return self._why

    def caller(self, proof: Proof) -> Caller:
        """Who shows this. Raises NotKnown."""
        if not self.asks:
            return ANYBODY
        name = self.known().find(proof)
        if not name:
            self._note("", NotKnown.outcome)
            raise NotKnown(_why_not(proof))
        usage = self._usages.setdefault(name, Usage(self._clock))
        return Caller(name, self._looking(name, proof), usage, self._note)

    def known(self) -> Known:
        """Those who are known now."""
        now_ms = self._clock.now_ms()
        if self._file is not None and not 0 <= now_ms - self._looked_ms < _LOOK_MS:
            self._looked_ms = now_ms
            now = versions(self._file)
            if now != self._seen:
                self._seen = now
                self._read_again()
        return self._known

    def _looking(self, name: str, proof: Proof) -> Callable[[], Identity]:
        seen: Known | None = None

        def look() -> Identity:
            nonlocal seen
            known = self.known()
            if known is not seen and known.find(proof) != name:
                raise NotKnown("The token, or the certificate, is no longer that of anybody here.")
            seen = known
            return known.identities[name]

        return look

    def _read_again(self) -> None:
        try:
            self._known = Known(self._read())
        except IdentitiesUnusable as error:
            if self._why != str(error):
                _log.error(
                    "the file of identities is not right; the identities from before stay in force", why=str(error)
                )
            self._why = str(error)
            return
        self._why = ""
        _log.warning("the identities were read anew", identities=len(self._known.identities))

    def _read(self) -> dict[str, Identity]:
        outside = {} if self._file is None else read_identities(self._file)
        if both := sorted(outside.keys() & self._inside.keys()):
            raise IdentitiesUnusable([f"{both[0]} is among the settings already"])
        every = {**self._inside, **outside}
        if found := [f"identities.{one.name}.{one.field} {one.must}" for one in faults(every, self._accounts)]:
            raise IdentitiesUnusable(found)
        return every


def _why_not(proof: Proof) -> str:
    if proof.token_sha256:
        return "The token is that of nobody here."
    if proof.names:
        return f"The certificate of {proof.names[0]!r:.130} is that of nobody here."
    return "Nothing shows who asks: a token is wanted, as `authorization: Bearer TOKEN`."
