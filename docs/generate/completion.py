"""What completes each command, taken from the contract: the options of the actions' messages, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cordboard.catalogue import CATALOGUE, GRACE_MS, Action, Completion, Match, TimeField
from cordboard.v1 import PLACEMENT_NEXT
from docs.generate.tables import code, table

_HEAD: Final = """\
# When a command is complete

Made by `make docs` from the contract (`protos/cordboard/v1`); `make check` fails where this page is stale.

**Completed means in effect.** Telnyx's `200` says that a command was accepted, not that it was done: that is its
*result*, SUCCEEDED, and it comes at once. What the command was for happens later, and is told by webhooks: the call
is answered, the text has been spoken to its end, the digits are there. Then the command is *complete*, and Cordboard
says so once, by a record of its own (`cordboard.command.completed.v1`). `Execute` with `WAIT_FOR_COMPLETION` waits
for it, and so does the next command of the call where it says `start_after: START_AFTER_PREVIOUS_COMPLETED`: speak,
then gather, without talking into each other.

- **COMPLETED**: it is in effect. How it went is in `status`, as Telnyx says it: a gather that timed out is complete.
- **FAILED**: it will not be: the file was not found, the refer was declined, nobody answered.
- **INCOMPLETE**: nobody will ever know, or it was cut off: `CALL_ENDED`, or no event came in time (`NO_EVENT`; where
  no webhook of the call was ever seen, `WEBHOOKS_ELSEWHERE`).

A command that did not succeed has no completion.

## Which event is whose

No webhook names its command. Each event that Cordboard hands on carries the command it belongs to (`ce_commandid`)
where that is known: what completes a command, what says that it has begun, and what else it causes. Where several
commands could be meant, what the event repeats of its command decides (the file that is played, the queue, whether it
is an overlay; below under *told by*), then the order in which they were sent, which is the one in which Telnyx plays
what waits on a call. An event of before a command was sent is never its own.

What is complete before it is over (an endless loop, a recording, a stream, a fork, a place in a queue) *goes on*: the
event that ends it is still its own, and completes nothing else but its stop.

A *stop* is complete by the event that ends what it stops, and completes that too. Where there is nothing to stop, no
event comes, and it ends as NO_EVENT. What Telnyx has queued and a stop takes away before it began is never told of by
Telnyx; it is given up (NO_EVENT) a few seconds after the stop has succeeded, so that what waits behind it goes on.

A `record_stop` is complete by the one recording that it ended: the latest that was being made when it was done, which
is known by when it began (`recording_started_at`) and ended. A second one, for which no recording was left, is not:
Telnyx accepts it (what it answers is not documented; the sandbox says 200), no event comes, and it ends as NO_EVENT. A
recording that no `record_start` of this call began (`record` of an answer, dial, bridge or transfer) belongs to the
stop that was done nearest to its end.

A gather with a prompt owns what is told of the prompt: `call.playback.*` of its own files completes no
`playback_start`. On a call that Cordboard dialled, what belongs to no other command belongs to the dial:
`call.initiated`, `call.answered`, what was found out about an answering machine, and the `call.hangup` that nobody
asked for. On a leg that a transfer made, what was found out about an answering machine is the transfer's.
"""
_AFTER: Final = """\
*At most* is how long the event is awaited after Telnyx has accepted the command; its `completion_timeout` takes the
place of that. A field stands for its value, or for what Telnyx takes where it is absent. What of a call's end completes
nothing leaves INCOMPLETE, CALL_ENDED behind.

What *passes the line* goes before the other commands that wait, also past one that waits for a completion. Hangup and
reject with placement NOW pass even the command in flight.
"""
_NOTHING: Final = "-"


def page() -> str:
    """The page."""
    actions = sorted(CATALOGUE.values(), key=lambda action: action.name)
    completes = table(
        ("command", "complete by", "fails by", "at most", "the call's end", "passes the line"),
        ((code(one.name), _completes(one.completion), _fails(one.completion), *_limits(one)) for one in actions),
    )
    owns = table(
        ("command", "begins by", "more of its own", "goes on", "told by", "takes away"),
        ((code(one.name), *_owned(one.completion)) for one in actions if any(map(_is_said, _owned(one.completion)))),
    )
    return f"{_HEAD}\n## Completion\n\n{completes}\n\n{_AFTER}\n## Events and effects\n\n{owns}\n"


def _is_said(cell: str) -> bool:
    return cell != _NOTHING


def _codes(words: Iterable[str]) -> str:
    return code(*sorted(words)) or _NOTHING


def _completes(rule: Completion) -> str:
    if rule.at_acceptance:
        return "Telnyx's 2xx"
    said = _codes(rule.completed_by)
    if rule.ends_another:
        said += ", of the one that it stops" if rule.ends_one else ", of what it stops"
    if rule.endless:
        said += f"; with {code(rule.endless.wire_name)} {rule.endless.value}: {_codes(rule.started_by)}"
    return said


def _fails(rule: Completion) -> str:
    said = [code(event) for event in sorted(rule.failed_by)]
    said += [f"{code(event)} of the new leg" for event in sorted(rule.failed_by_new_leg)]
    if rule.failed_statuses:
        said.append(f"status {_codes(rule.failed_statuses)}")
    return ", ".join(said) or _NOTHING


def _limits(action: Action) -> tuple[str, str, str]:
    rule = action.completion
    if rule.ends_call:
        return _at_most(rule), "completes it", "with NEXT; with NOW also what is in flight"
    passes = "always" if action.placement == PLACEMENT_NEXT else "with NEXT or NOW"
    if rule.at_acceptance:
        return _NOTHING, _NOTHING, passes
    ended = "fails it, if it was the last leg" if "call.hangup" in rule.failed_by else "leaves it incomplete"
    return _at_most(rule), ended, passes


def _at_most(rule: Completion) -> str:
    fields = " + ".join(_field(field) for field in rule.time_fields)
    if not rule.times:
        return f"{rule.base_ms // 1000} s" + (f" + {fields}" if fields else "")
    times = f"{code(rule.times.wire_name)} ({rule.times.default_ms}) x"
    if not fields:
        return f"{GRACE_MS // 1000} s + {times} {(rule.base_ms - GRACE_MS) // 1000} s"
    return f"{rule.base_ms // 1000} s + {times} {fields}"


def _field(field: TimeField) -> str:
    return f"{code(field.wire_name)} ({field.default_ms // field.unit_ms})"


def _owned(rule: Completion) -> tuple[str, str, str, str, str]:
    of_new_leg = ", ".join(f"{code(event)} of the new leg" for event in sorted(rule.progress_of_new_leg))
    return (
        _codes(rule.started_by),
        of_new_leg or _codes(rule.progress),
        _goes_on(rule),
        _told_by(rule),
        _takes_away(rule),
    )


def _goes_on(rule: Completion) -> str:
    if rule.endless:
        return f"endless: until {_codes(rule.completed_by)}"
    if rule.goes_on is None:
        return _NOTHING
    where = f"with {code(rule.goes_on.where_set)}: " if rule.goes_on.where_set else ""
    if where and not rule.goes_on.until:
        return where.removesuffix(": ")
    return f"{where}until {_codes(rule.goes_on.until)}" if rule.goes_on.until else "until it is taken away"


def _told_by(rule: Completion) -> str:
    return "; ".join(_match(match) for match in rule.matches if match.wire_names) or _NOTHING


def _match(match: Match) -> str:
    return f"{code(*match.wire_names)} = {code(*match.payload)}"


def _takes_away(rule: Completion) -> str:
    if rule.clears is None:
        return _NOTHING
    if not rule.clears.wire_name:
        return f"{_codes(rule.clears.actions)} that goes on"
    default = " (the default)" if rule.clears.default == rule.clears.value else ""
    return f"{code(rule.clears.wire_name)} {rule.clears.value}{default}: queued {_codes(rule.clears.actions)}"
