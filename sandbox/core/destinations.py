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
| 9910      | answered; what is recorded cannot be saved                          |
| 9911      | a machine answers, with a greeting and no beep                      |
| 9912      | a fax answers                                                       |
| 9913      | answered, and nothing is heard                                      |
| 9914      | answered by a business                                              |
| 98NN      | answered after NN seconds                                           |
| else      | answered after the usual time (`answer_seconds`)                    |

For a SIP URI the digits are those before the @.
"""

from __future__ import annotations

import enum
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
NO_ANSWER: Final = End("no_answer", "caller", "487")
CANCELLED: Final = End("originator_cancel", "caller", "487")
TIME_LIMIT: Final = End("time_limit", "unknown", "200")


class Answerer(enum.Enum):
    """Who or what answers, as answering machine detection tells them apart."""

    HUMAN = enum.auto()
    BUSINESS = enum.auto()
    MACHINE = enum.auto()  # With a beep at the end of its greeting.
    SILENT_MACHINE = enum.auto()  # Without one.
    FAX = enum.auto()
    SILENCE = enum.auto()


@dataclass(frozen=True, slots=True)
class Destination:
    """What the other end does: after `seconds` it answers or, with `end`, refuses; None seconds: nothing by itself."""

    seconds: float | None
    end: End | None = None
    answerer: Answerer = Answerer.HUMAN
    hangs_up_after: float | None = None


_ANSWERERS: Final = {
    "9906": Answerer.MACHINE,
    "9911": Answerer.SILENT_MACHINE,
    "9912": Answerer.FAX,
    "9913": Answerer.SILENCE,
    "9914": Answerer.BUSINESS,
}
_UNSAVED: Final = "9910"
_FAILS: Final = {"9901": BUSY, "9903": REJECTED, "9904": NOT_FOUND, "9909": NETWORK}
_FAIL_SECONDS: Final = 0.5
_ANSWERED_AFTER: Final = re.compile(r"98(\d\d)$")


def _suffix(number: str) -> str:
    return re.sub(r"\D", "", number.split("@", maxsplit=1)[0])[-4:]


def saves_recordings(number: str) -> bool:
    """Whether what is recorded of a call with this number can be saved."""
    return _suffix(number) != _UNSAVED


def destination(number: str, answer_seconds: float) -> Destination:
    """What a number stands for."""
    suffix = _suffix(number)
    if suffix in _FAILS:
        return Destination(_FAIL_SECONDS, _FAILS[suffix])
    if suffix in {"9902", "9905"}:
        return Destination(None)
    if found := _ANSWERED_AFTER.match(suffix):
        return Destination(float(found[1]))
    usual = Destination(answer_seconds, answerer=_ANSWERERS.get(suffix, Answerer.HUMAN))
    if suffix == "9907":
        return replace(usual, hangs_up_after=2.0)
    return Destination(0.0) if suffix == "9908" else usual
