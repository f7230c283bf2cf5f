"""What goes wrong at Telnyx, chosen by the history: how requests and webhooks are struck, in its terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.faults import Faults, RateLimit, RequestFault, WebhookFault
from simulation.faults import Hook, Road

_GIANT_BYTES: Final = 80 * 1024

Say = Callable[[str, str], None]


class ChosenFaults(Faults):
    """The sandbox's faults, chosen by the history instead of by rules."""

    def __init__(self, hooks: Mapping[int, Hook], say: Say) -> None:
        super().__init__()
        self.request: RequestFault | None = None  # What strikes the request that is handed over just now.
        self._hooks = hooks
        self._say = say
        self._told = 0
        self.calm = False

    def for_request(self, method: str, action: str, call: str | None, command_id: str | None) -> RequestFault | None:
        """What was chosen for this one."""
        chosen, self.request = self.request, None
        return chosen

    def for_webhook(self, event_type: str, call: str) -> WebhookFault | None:
        """What the history has for the next webhook."""
        hook = None if self.calm else self._hooks.get(self._told)
        self._told += 1
        if hook is not None and hook in _HOOKS:
            self._say("telnyx", f"the webhook {event_type} of {call[:12]} {hook.value}")
        return _HOOKS.get(hook) if hook else None


_HOOKS: Final[Mapping[Hook | None, WebhookFault]] = {
    Hook.LATE: WebhookFault(delay_ms=2_500, shuffle_ms=9_000),
    Hook.TWICE: WebhookFault(duplicate=1, shuffle_ms=800),
    Hook.NEVER: WebhookFault(drop=True),
    Hook.FORGED: WebhookFault(bad_signature=True),
}

ROADS: Final[Mapping[Road, RequestFault]] = {
    Road.LOST_BEFORE: RequestFault(cut="before"),
    Road.DROPPED_BEFORE: RequestFault(cut="before"),
    Road.LOST_AFTER: RequestFault(cut="after"),
    Road.DROPPED_AFTER: RequestFault(cut="after"),
    Road.SLOW: RequestFault(answer_latency_ms=900),
    Road.TOO_SLOW: RequestFault(answer_latency_ms=4_500),
    Road.MINUTE: RequestFault(answer_latency_ms=61_000),
    Road.ERROR_WITHOUT: RequestFault(status=500),
    Road.ERROR_WITH: RequestFault(status=503, happens=True),
    Road.LIMITED: RequestFault(rate_limit=RateLimit(reset=2)),
    Road.HALF: RequestFault(answer="truncated"),
    Road.HTML: RequestFault(answer="html"),
    Road.EMPTY: RequestFault(answer="empty"),
    Road.GIANT: RequestFault(answer="giant", giant_bytes=_GIANT_BYTES),
    Road.DIES_BEFORE: RequestFault(cut="before"),
    Road.DIES_AFTER: RequestFault(cut="after"),
}
REFUSED_REPEAT: Final = RequestFault(
    status=422, error={"errors": [{"code": "99901", "title": "Not possible now"}]}, happens=True
)
