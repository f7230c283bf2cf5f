"""`cordboard send`: one command, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from google.protobuf import json_format
from google.protobuf.message import Message
from rich.text import Text

from cordboard.cli.choices import Wait
from cordboard.cli.connection import dispatcher
from cordboard.cli.durations import milliseconds
from cordboard.cli.exits import Failure, Status
from cordboard.cli.fields import action_named, fill
from cordboard.cli.progress import working
from cordboard.cli.screen import Screen, plain, style_of
from cordboard.cli.target import Target
from cordboard.clock import Clock
from cordboard.masking import shown
from cordboard.v1 import COMPLETION_STATE_COMPLETED as COMPLETED
from cordboard.v1 import (
    PLACEMENT_NEXT,
    PLACEMENT_NOW,
    REASON_ALREADY_ENDED,
    START_AFTER_PREVIOUS_COMPLETED,
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    WAIT_FOR_RESULT,
    Command,
    CommandCompletion,
    CommandResult,
    CompletionState,
    ExecuteResponse,
    Reason,
    State,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What was typed. `words` are those after the action: the call, unless it is a dial, and --field value."""

    action: str
    words: tuple[str, ...] = ()
    body: str | None = None
    command_id: str | None = None
    account: str = ""
    group: str = ""
    expire: str | None = None
    now: bool = False
    next: bool = False
    sequence: int = 0
    after_completion: bool = False
    requires: str = ""
    client_state: str = ""
    sensitive: bool = False


def command_of(order: Order, clock: Clock, rng: Random) -> Command:
    """The command that was typed, with an id of its own where none was given. Raises Failure."""
    if order.now and order.next:
        raise Failure("--now and --next exclude each other", Status.USAGE)
    action = action_named(order.action)
    call, words = _split(action, order.words)
    command = Command(
        command_id=order.command_id or str(UUID(int=rng.getrandbits(128), version=4)),
        call_control_id=call,
        account=order.account,
        group=order.group,
        sequence=order.sequence,
        requires_command_id=order.requires,
        client_state=order.client_state,
        sensitive=order.sensitive,
    )
    if order.now or order.next:
        command.placement = PLACEMENT_NOW if order.now else PLACEMENT_NEXT
    if order.after_completion:
        command.start_after = START_AFTER_PREVIOUS_COMPLETED
    if order.expire is not None:
        command.expire_time.FromMilliseconds(clock.now_ms() + milliseconds(order.expire, "--expire"))
    fill(command, action, words, order.body)
    return command


def _split(action: str, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The call, and the words about fields."""
    named = bool(words) and not words[0].startswith("--")
    if action == "dial":
        if named:
            raise Failure(f"a dial makes its own call, so {words[0]!r} has no place here", Status.USAGE)
        return "", words
    if not named:
        raise Failure(f"{action} needs its call: cordboard send {action} CALL ...", Status.USAGE)
    return words[0], words[1:]


async def send(command: Command, target: Target, wait: Wait, wait_ms: int, screen: Screen) -> Status:
    """Send it, wait as asked, and show what is known then. OK only where all that was waited for came out right."""
    if not screen.json:
        screen.show(_echo(command))
    async with dispatcher(target) as client:
        if wait is Wait.NONE:
            accepted = await client.submit(command)
            _show_accepted(screen, accepted)
            return Status.OK
        wait_for = WAIT_FOR_COMPLETION if wait is Wait.COMPLETION else WAIT_FOR_RESULT
        with working(f"waiting for the {wait.value}"):
            answer = await client.execute(command, wait_for=wait_for, timeout=wait_ms / 1000)
    _show_answer(screen, command, answer, wait)
    return _judged(answer, wait)


def _judged(answer: ExecuteResponse, wait: Wait) -> Status:
    right = answer.HasField("result") and answer.result.state == STATE_SUCCEEDED
    if wait is Wait.COMPLETION and answer.result.reason != REASON_ALREADY_ENDED:  # Then there was nothing to start.
        right = right and answer.completion.state == COMPLETED
    return Status.OK if right else Status.FAILED


def _echo(command: Command) -> Text:
    action = command.WhichOneof("action") or ""
    fields = shown(getattr(command, action), sensitive=command.sensitive)
    return Text.assemble(
        (action, "bold"),
        *(f" {name}={value!r}" for name, value in fields.items()),
        (f"  id {command.command_id}", "dim"),
    )


def _show_accepted(screen: Screen, accepted: Message) -> None:
    if screen.json:
        screen.record({"accepted": plain_json(accepted)})
    else:
        screen.show(Text.assemble(("accepted", "green"), ": durable from now on, whatever stops or breaks"))


def _show_answer(screen: Screen, command: Command, answer: ExecuteResponse, wait: Wait) -> None:
    if screen.json:
        screen.record({"command_id": command.command_id, **plain_json(answer)})
    elif answer.HasField("result"):
        screen.show(_headline(answer.result))
        for label, text in [*_facts(answer.result), *_completion(answer, wait)]:
            screen.line((f"  {label}", 12, "dim"), (text, 0, ""))
    else:
        screen.show(Text("still open: accepted, and no result yet; the same command again waits on", "yellow"))


def _headline(result: CommandResult) -> Text:
    state, reason = plain(State.Name(result.state), "STATE_"), plain(Reason.Name(result.reason), "REASON_")
    text = Text.assemble((state, f"bold {style_of(state)}"), f" {reason}" if reason else "")
    if result.replayed:
        text.append("  (the same command came before; this is its result)", "dim")
    return text


def _facts(result: CommandResult) -> list[tuple[str, str]]:
    facts = [("call", dialed.call_control_id) for dialed in result.dialed]
    if not facts and result.call_control_id:
        facts.append(("call", result.call_control_id))
    facts += [("Telnyx", " ".join(filter(None, (error.code, error.title, error.detail)))) for error in result.errors]
    # Where Telnyx gave errors, the message says no more than they do.
    facts += [("why", result.message)] if result.message and not result.errors else []
    facts += [(one.field, one.description) for one in result.violations]
    facts += [("because of", result.related_command_id)] if result.related_command_id else []
    return [*facts, ("took", _took(result))] if result.attempts else facts


def _took(result: CommandResult) -> str:
    taken_ms = result.finish_time.ToMilliseconds() - result.accept_time.ToMilliseconds()
    took = [f"{taken_ms} ms", f"{result.attempts} attempt{'' if result.attempts == 1 else 's'}"]
    return ", ".join([*took, f"HTTP {result.http_status}"] if result.http_status else took)


def _completion(answer: ExecuteResponse, wait: Wait) -> list[tuple[str, str]]:
    if not answer.HasField("completion"):
        late = wait is Wait.COMPLETION and answer.result.state == STATE_SUCCEEDED
        return [("then", "no completion yet")] if late and answer.result.reason != REASON_ALREADY_ENDED else []
    completion: CommandCompletion = answer.completion
    words = (
        plain(CompletionState.Name(completion.state), "COMPLETION_STATE_"),
        plain(Reason.Name(completion.reason), "REASON_"),
        f"by {completion.event_type}" if completion.event_type else "",
        f"({completion.status})" if completion.status else "",
    )
    return [("completed" if completion.state == COMPLETED else "then", " ".join(filter(None, words)))]


def plain_json(message: Message) -> dict[str, Any]:
    """A message as plain values, by the contract's own field names."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
