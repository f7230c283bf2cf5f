"""What a watch has told: results in words, completions and events."""

from __future__ import annotations

from dataclasses import dataclass, field

from cordboard.v1 import CallEvent, CommandCompletion, CommandResult, Reason, State, WatchResponse


@dataclass(frozen=True, slots=True)
class Told:
    """A result as somebody heard it: `kind` is result, replayed, refused or settled."""

    kind: str
    command_id: str
    state: str
    reason: str
    result: CommandResult

    def __str__(self) -> str:
        return self.state if self.reason == "unspecified" else f"{self.state} {self.reason}"


def told(kind: str, result: CommandResult) -> Told:
    """A result in words."""
    state, reason = State.Name(result.state), Reason.Name(result.reason)
    return Told(kind, result.command_id, state.removeprefix("STATE_"), reason.removeprefix("REASON_").lower(), result)


@dataclass(slots=True)
class Heard:
    """What the watch has told."""

    told: list[Told] = field(default_factory=list)
    completions: list[CommandCompletion] = field(default_factory=list)
    events: list[CallEvent] = field(default_factory=list)

    def take(self, response: WatchResponse) -> None:
        """Keep one response."""
        kind = response.WhichOneof("item")
        if kind == "result":
            self.told.append(told(response.type.split(".")[-2], response.result))
        elif kind == "completion":
            self.completions.append(response.completion)
        else:
            self.events.append(response.event)

    def of(self, command_id: str, *kinds: str) -> list[Told]:
        """What was told of a command; results only, unless other kinds are named."""
        return [one for one in self.told if one.command_id == command_id and one.kind in (kinds or ("result",))]

    def has(self, event_type: str, call: str) -> bool:
        """Whether such an event of the call was handed on."""
        return any(one.event_type == event_type and one.call_control_id == call for one in self.events)
