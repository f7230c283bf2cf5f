"""Planted bugs of what is told: noes without a cause, results that say what is not so, completions that never come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cordboard.catalogue import CATALOGUE
from dispatcher import rendering
from dispatcher.core import admission, completion, ending, line
from dispatcher.core.commands import DIAL
from dispatcher.core.turn import Ending, Turn
from dispatcher.core.words import Reason, State
from dispatcher.rpc import filtering
from simulation.mutation import Change, Mutation, instead, mutation, nothing


def _refused_by_telnyx(original: Callable[..., None]) -> Callable[..., None]:
    def give_result(turn: Turn, ask: Any, ending: Ending, **more: Any) -> None:
        refused = replace(ending, state=State.FAILED, reason=Reason.TELNYX_REFUSED)
        original(turn, ask, refused if ending.reason is Reason.IN_LINE else ending, **more)

    return give_result


def _cancelled_on_request(original: Callable[..., None]) -> Callable[..., None]:
    def give_result(turn: Turn, ask: Any, ending: Ending, **more: Any) -> None:
        is_superseded = ending.reason is Reason.SUPERSEDED
        original(turn, ask, replace(ending, reason=Reason.CANCEL_REQUESTED) if is_superseded else ending, **more)

    return give_result


def _without_group(original: Callable[..., Any]) -> Callable[..., Any]:
    def result_message(*given: Any) -> Any:
        message = original(*given)
        message.group = ""
        return message

    return result_message


def _always_200(original: Callable[..., Any]) -> Callable[..., Any]:
    def result_message(*given: Any) -> Any:
        message = original(*given)
        message.http_status = 200
        return message

    return result_message


def _without_legs(original: Callable[..., Any]) -> Callable[..., Any]:
    def result_message(*given: Any) -> Any:
        message = original(*given)
        del message.dialed[:]
        return message

    return result_message


def _all_but_completions(original: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda event_type: None if event_type == rendering.COMPLETED_TYPE else original(event_type)


def _whatever_became_of_the_call() -> Any:
    blind = dict(CATALOGUE)
    rule = blind[DIAL].completion
    ends = replace(rule, failed_by=frozenset(), completed_by=rule.completed_by | rule.failed_by)
    blind[DIAL] = replace(blind[DIAL], completion=ends)
    return blind


def _is_crowded(turn: Turn, ask: Any) -> bool:
    return len(turn.page.line) > 1 and not ask.ends_call


EVERY: Final[tuple[Mutation, ...]] = (
    mutation("narrow-line", "two commands fill a line", instead(admission, "_is_full", _is_crowded)),
    mutation(
        "never-enough",
        "what is required has never succeeded",
        instead(line, "_has_succeeded", lambda page, name: False),
    ),
    mutation(
        "nobody-asked",
        "what a NOW supersedes is said to be cancelled on request",
        Change(admission, "give_result", _cancelled_on_request),
    ),
    mutation(
        "unsent-is-refused",
        "what expires in its line is said to be refused by Telnyx",
        Change(line, "give_result", _refused_by_telnyx),
    ),
    mutation("no-groups", "results do not name the group", Change(rendering, "result_message", _without_group)),
    mutation(
        "nameless-legs", "a dial does not say what it dialled", Change(rendering, "result_message", _without_legs)
    ),
    mutation("always-200", "every result has the status 200", Change(rendering, "result_message", _always_200)),
    mutation(
        "silent-completions",
        "what is awaited is never said to be complete",
        *(instead(module, "complete", nothing) for module in (completion, ending)),
    ),
    mutation(
        "rung-is-answered",
        "a dial is complete when its call is over",
        instead(completion, "CATALOGUE", _whatever_became_of_the_call()),
    ),
    mutation(
        "unwatched-completions",
        "watches do not show completions",
        Change(filtering, "_kind", _all_but_completions),
    ),
    mutation("open-gates", "a gate holds nothing", instead(line, "_opens", lambda turn, held: True)),
)
