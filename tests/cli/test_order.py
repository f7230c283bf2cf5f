"""What a line of `cordboard send` asks for."""

from __future__ import annotations

from random import Random

import pytest

from cordboard.cli.exits import Failure
from cordboard.cli.send import Order, command_of
from cordboard.v1 import PLACEMENT_NEXT, PLACEMENT_NOW, START_AFTER_PREVIOUS_COMPLETED, Command


class NoonClock:
    def now_ms(self) -> int:
        return 1_800_000_000_000


def ordered(**order: object) -> Command:
    return command_of(Order(**order), NoonClock(), Random(7))  # type: ignore[arg-type]  # as typed


class TestCommandOf:
    def test_everything_but_the_action(self) -> None:
        """
        Options set what a command has beside its action.
        """
        command = ordered(
            action="hangup",
            words=("v3:call",),
            command_id="one",
            expire="30s",
            now=True,
            sequence=4,
            after_completion=True,
            requires="zero",
            group="campaign",
            account="main",
        )

        assert (
            command.command_id,
            command.call_control_id,
            command.account,
            command.group,
        ) == ("one", "v3:call", "main", "campaign")
        assert command.expire_time.ToMilliseconds() == 1_800_000_030_000
        assert (command.placement, command.sequence, command.requires_command_id) == (PLACEMENT_NOW, 4, "zero")
        assert command.start_after == START_AFTER_PREVIOUS_COMPLETED

    def test_an_id_of_its_own(self) -> None:
        """
        Without an id it gets a new one, a UUID; without options nothing else is set.
        """
        command = ordered(action="hangup", words=("v3:call",))

        assert len(command.command_id) == 36
        assert {"command_id", "call_control_id", "hangup"} == {field.name for field, _ in command.ListFields()}
        assert ordered(action="hangup", words=("v3:call",), next=True).placement == PLACEMENT_NEXT

    @pytest.mark.parametrize(
        ("order", "said"),
        [
            ({"action": "speak", "words": ("--payload=x",)}, "speak needs its call"),
            ({"action": "dial", "words": ("v3:call",)}, "a dial makes its own call"),
            ({"action": "hangup", "words": ("v3:call",), "now": True, "next": True}, "exclude each other"),
        ],
    )
    def test_what_makes_no_sense(self, order: dict[str, object], said: str) -> None:
        """
        A call where there is none to name, none where there must be one, two placements.
        """
        with pytest.raises(Failure, match=said):
            ordered(**order)
