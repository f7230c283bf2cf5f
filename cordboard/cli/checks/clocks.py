"""Clocks: ours beside the one of whoever answered. Expiries count from the brokers', and signatures from Telnyx's."""

from __future__ import annotations

from typing import Final

from cordboard.cli.checks.findings import Finding, error, ok, warning
from cordboard.roles.log import SKEW_MS_MAX

_REMEDY: Final = "see that this machine's clock is kept by NTP (chronyc tracking, timedatectl), and so are theirs"


def skewed(subject: str, whose: str, theirs_ms: int, before_ms: int, after_ms: int, grain_ms: int = 0) -> Finding:
    """How far a clock is off that was read between two looks at ours; `grain_ms`: how coarsely it tells the time."""
    if before_ms - grain_ms <= theirs_ms <= after_ms + grain_ms:
        return ok(subject, f"in step with {whose}")
    off_ms = theirs_ms - after_ms if theirs_ms > after_ms else theirs_ms - before_ms
    side = "behind" if off_ms > 0 else "before"
    sentence = f"ours is {abs(off_ms) / 1000:.1f} s {side} {whose}"
    if abs(off_ms) <= SKEW_MS_MAX:
        return ok(subject, sentence)
    return error(subject, f"{sentence}: commands would expire too early or too late, and no process be ready", _REMEDY)


def telnyx_skewed(subject: str, theirs_ms: int, before_ms: int, after_ms: int, signature_ms_max: float) -> Finding:
    """The same of Telnyx's, whose answers tell whole seconds; it matters where a webhook's signature has an age."""
    found = skewed(subject, "Telnyx's clock", theirs_ms, before_ms, after_ms, grain_ms=1_000)
    if not found.remedy:
        return found
    off_ms = max(theirs_ms - after_ms, before_ms - theirs_ms)
    if off_ms < signature_ms_max:
        sentence = found.sentence.partition(":")[0]
        return warning(subject, f"{sentence}: one of them is wrong", _REMEDY)
    sentence = found.sentence.partition(":")[0]
    return error(
        subject, f"{sentence}: every webhook would be refused as stale (ingress.signature_age_seconds_max)", _REMEDY
    )
