"""Whether the sandbox and Cordboard agree about calls that have come to their end, command by command and call by call.

Beside the checker of the promises: that one asks whether anything was broken, this one whether everything was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from cordboard.v1 import (
    COMPLETION_STATE_COMPLETED,
    COMPLETION_STATE_FAILED,
    REASON_UNSPECIFIED,
    STATE_SUCCEEDED,
    STATE_UNKNOWN,
    CommandCompletion,
    CommandResult,
    CompletionState,
    Reason,
    State,
)
from tests.e2e.checker import Violation
from tests.e2e.listening import Listening
from tests.e2e.scripts import ANSWERS

# What is told with no event to go by, because none is owed: a stop of nothing, and what a stop kept from beginning.
_MAY_MISS: Final = frozenset({"playback_stop", "gather_stop", "playback_start", "speak"})


def completions(heard: Listening, transfers: Mapping[str, str]) -> Iterator[Violation]:
    """Every success has one completion, and it says what became of it."""
    recorded = {one.call_control_id for one in heard.results.values() if _has_begun_recording(one)}
    for command_id, result in heard.results.items():
        done = result if result.state == STATE_SUCCEEDED else heard.settled.get(command_id)
        if done is None or done.state != STATE_SUCCEEDED or done.reason != REASON_UNSPECIFIED:
            continue
        completion = heard.completed.get(command_id)
        if completion is None:
            yield Violation("never completed", f"{done.action} {command_id}", command_id)
            continue
        reason = Reason.Name(completion.reason)
        stops_nothing = done.action == "record_stop" and done.call_control_id not in recorded
        if reason == "REASON_NO_EVENT" and done.action not in _MAY_MISS and not stops_nothing:
            yield Violation("its event was missed", f"{done.action} {command_id}", command_id)
        if command_id in transfers:
            yield from _transferred(completion, transfers[command_id])
        if done.action == "dial":
            yield from _dialled(heard, done, completion)


def _has_begun_recording(result: CommandResult) -> bool:
    # Also where it is in doubt: then there may be an event.
    return result.action == "record_start" and result.state in (STATE_SUCCEEDED, STATE_UNKNOWN)


def _transferred(completion: CommandCompletion, to: str) -> Iterator[Violation]:
    wrong = COMPLETION_STATE_FAILED if to == ANSWERS else COMPLETION_STATE_COMPLETED
    if completion.state == wrong:
        state = CompletionState.Name(completion.state)
        yield Violation("a transfer told wrong", f"to {to}: {state}", completion.command_id)


def _dialled(heard: Listening, result: CommandResult, completion: CommandCompletion) -> Iterator[Violation]:
    answered = any("call.answered" in heard.types[leg.call_control_id] for leg in result.dialed)
    if answered != (completion.state == COMPLETION_STATE_COMPLETED):
        yield Violation("a dial told wrong", f"answered: {answered}", completion.command_id)


def ends(heard: Listening, at_the_sandbox: Mapping[str, bool], by_cordboard: Mapping[str, bool]) -> Iterator[Violation]:
    """`at_the_sandbox` and `by_cordboard` say of each call whether it has ended."""
    for call, ended in by_cordboard.items():
        if at_the_sandbox.get(call) != ended:
            yield Violation("a call's end", f"{call}: ended {at_the_sandbox.get(call)}, and Cordboard says {ended}")
    for call, types in heard.types.items():
        if types.count("call.hangup") > 1:
            yield Violation("ended twice", call)


def table(heard: Listening) -> list[str]:
    """What became of everything: how often each action had each result, and each completion."""
    results = Counter((one.action, State.Name(one.state), Reason.Name(one.reason)) for one in heard.results.values())
    told = Counter(
        (one.action, CompletionState.Name(one.state), Reason.Name(one.reason)) for one in heard.completed.values()
    )
    return [f"  {count:7} {' '.join(what)}" for what, count in sorted([*results.items(), *told.items()])]
