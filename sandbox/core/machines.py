"""Answering machine detection: what each mode tells of whoever answers.

| mode         | after call.machine.detection.ended, if it is a machine                             |
| ------------ | ----------------------------------------------------------------------------------- |
| detect       | nothing                                                                             |
| detect_beep  | call.machine.greeting.ended, if there is a beep                                     |
| detect_words | call.machine.greeting.ended at the beep, or 30 s after the detection without one    |
| greeting_end | call.machine.greeting.ended when the greeting is over, by a beep or by silence      |
| premium      | both events are the premium ones; the second comes if there is a beep               |
"""

from __future__ import annotations

from typing import Final

from sandbox.core.call import Call
from sandbox.core.destinations import Answerer
from sandbox.core.life import Life

_WORDS_SECONDS: Final = 30.0

_STANDARD: Final = {
    Answerer.HUMAN: "human",
    Answerer.BUSINESS: "human",
    Answerer.MACHINE: "machine",
    Answerer.SILENT_MACHINE: "machine",
    Answerer.FAX: "not_sure",
    Answerer.SILENCE: "not_sure",
}
_PREMIUM: Final = {
    Answerer.HUMAN: "human_residence",
    Answerer.BUSINESS: "human_business",
    Answerer.MACHINE: "machine",
    Answerer.SILENT_MACHINE: "machine",
    Answerer.FAX: "fax_detected",
    Answerer.SILENCE: "silence",
}


def detect(life: Life, call: Call, mode: str, answerer: Answerer) -> None:
    """Listen to a leg that was just answered."""
    premium = ".premium" if mode == "premium" else ""
    result = (_PREMIUM if premium else _STANDARD)[answerer]
    detected = life.habits.machine_detection_seconds
    call.wake(detected, lambda: life.tell(call, f"call.machine{premium}.detection.ended", result=result))
    if result != "machine":
        return
    if end := _greeting_end(mode, answerer, life.habits.machine_greeting_seconds):
        seconds, ended = end
        call.wake(detected + seconds, lambda: life.tell(call, f"call.machine{premium}.greeting.ended", result=ended))


def _greeting_end(mode: str, answerer: Answerer, greeting_seconds: float) -> tuple[float, str] | None:
    """When after the detection the end of the greeting is told, and as what."""
    if mode == "greeting_end":
        return greeting_seconds, "ended"
    if answerer is Answerer.MACHINE and mode != "detect":
        return greeting_seconds, "beep_detected"
    return (_WORDS_SECONDS, "not_sure") if mode == "detect_words" else None
