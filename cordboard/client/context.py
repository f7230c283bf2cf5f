"""The sender's trace, where the sender has one: what OpenTelemetry knows of it goes with the command."""

from __future__ import annotations

import sys


def context() -> tuple[tuple[str, str], ...]:
    """The metadata by which a call belongs to the trace that is under way; nothing where nobody traces.

    OpenTelemetry is not imported for it: who has a trace under way has done that.
    """
    if "opentelemetry.trace" not in sys.modules:
        return ()
    from opentelemetry import propagate  # noqa: PLC0415 - see above

    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return tuple((name, value) for name, value in carrier.items() if name == "traceparent")
