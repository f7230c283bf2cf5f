"""What happens at the other end, chosen by the last four digits of the number that is dialled.

| ends with | what happens                                                        |
| --------- | ------------------------------------------------------------------- |
| 9901      | busy                                                                |
| 9902      | nobody answers: it rings until `timeout_secs`                       |
| 9903      | the callee rejects                                                  |
| 9904      | the number does not exist                                           |
| 9905      | it rings until `POST /sandbox/calls/{id}/answer` or `/reject`       |
| 9906      | a machine answers, with a greeting and a beep                       |
| 9907      | answered, and hung up by the callee two seconds later               |
| 9908      | answered at once                                                    |
| 9909      | the network fails                                                   |
| 98NN      | answered after NN seconds                                           |
| else      | answered after the usual time (`answer_seconds`)                    |

For a SIP URI the digits are those before the @.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class End:
    """How a call ends, in the words of call.hangup."""

    cause: str
    source: str
    sip_cause: str


NORMAL: Final = "normal_clearing"
BUSY: Final = End("user_busy", "callee", "486")
REJECTED: Final = End("call_rejected", "callee", "603")
NOT_FOUND: Final = End("not_found", "unknown", "404")
NO_CHANNEL: Final = End("call_rejected", "unknown", "403")  # Telnyx: "channel limit exceeded".
NETWORK: Final = End("unspecified", "unknown", "503")
TIMEOUT: Final = End("timeout", "caller", "487")
CANCELLED: Final = End("originator_cancel", "caller", "487")
TIME_LIMIT: Final = End("time_limit", "unknown", "200")


@dataclass(frozen=True, slots=True)
class Destination:
    """What the other end does: after `seconds` it answers or, with `end`, refuses; None seconds: nothing by itself."""

    seconds: float | None
    end: End | None = None
    machine: bool = False
    hangs_up_after: float | None = None


_FAILS: Final = {"9901": BUSY, "9903": REJECTED, "9904": NOT_FOUND, "9909": NETWORK}
_FAIL_SECONDS: Final = 0.5
_ANSWERED_AFTER: Final = re.compile(r"98(\d\d)$")


def destination(number: str, answer_seconds: float) -> Destination:
    """What a number stands for."""
    suffix = re.sub(r"\D", "", number.split("@", maxsplit=1)[0])[-4:]
    if suffix in _FAILS:
        return Destination(_FAIL_SECONDS, _FAILS[suffix])
    if suffix in {"9902", "9905"}:
        return Destination(None)
    if found := _ANSWERED_AFTER.match(suffix):
        return Destination(float(found[1]))
    usual = Destination(answer_seconds)
    if suffix == "9906":
        return replace(usual, machine=True)
    if suffix == "9907":
        return replace(usual, hangs_up_after=2.0)
    return Destination(0.0) if suffix == "9908" else usual
