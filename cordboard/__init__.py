"""What every part of Cordboard imports: the contract, the catalogue, the log, settings, the client.

The client's names can be had from here, and are imported only then: the server's processes need none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cordboard.client import Action as Action
    from cordboard.client import Call as Call
    from cordboard.client import Client as Client
    from cordboard.client import CommandFailed as CommandFailed
    from cordboard.client import CommandRefused as CommandRefused
    from cordboard.client import Event as Event
    from cordboard.client import NotCompleted as NotCompleted
    from cordboard.client import Tls as Tls
    from cordboard.client import Unanswered as Unanswered

_OF_THE_CLIENT = frozenset(
    {"Action", "Call", "Client", "CommandFailed", "CommandRefused", "Event", "NotCompleted", "Tls", "Unanswered"}
)


def __getattr__(name: str) -> Any:
    if name not in _OF_THE_CLIENT:
        raise AttributeError(f"module 'cordboard' has no attribute {name!r}")
    import cordboard.client  # noqa: PLC0415 - not before it is asked for.

    return getattr(cordboard.client, name)
