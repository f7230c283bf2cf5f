"""A call as its handle: a method for each command, and what happens on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cordboard.client.action import Action
from cordboard.client.commands import command_of
from cordboard.client.feed import Feed, events_of
from cordboard.client.streams import Item
from cordboard.client.told import Event
from cordboard.v1 import CallView, CancelReport
from cordboard.v1.commands import CallCommands, CommandOptions

if TYPE_CHECKING:
    from cordboard.client.client import Client


class Call(CallCommands[Action]):
    """One call. Nothing is asked of anybody to make a handle: any `call_control_id` will do."""

    def __init__(self, client: Client, call_control_id: str, account: str = "") -> None:
        self._client = client
        self.id = call_control_id
        self.account = account

    def __repr__(self) -> str:
        return f"<Call {self.id}>"

    async def _send(self, action: str, fields: Mapping[str, Any], options: CommandOptions) -> Action:
        return await self._client.send(command_of(action, fields, options, call=self.id, account=self.account))

    def events(self, *types: str, cursor: str = "") -> Feed[Event]:
        """What happens on it, from a cursor or from now on; only these types, such as call.gather.ended, if any."""
        watch = self._client.watch(call_control_id=self.id, account=self.account, cursor=cursor)
        return events_of(watch, types)

    async def view(self) -> CallView:
        """What is known of it: its state, its line, what is open. Raises CommandRefused, as CALL_NOT_FOUND."""
        return await self._client.get_call(self.id, self.account)

    async def cancel(self, *actions: Action, group: str = "") -> CancelReport:
        """Take back what waits: these, those of a group, or all."""
        ids = [action.command_id for action in actions]
        return (await self._client.cancel(self.id, ids, group=group, account=self.account)).report


class DialAction(Action):
    """A dial that was accepted."""

    def __init__(self, item: Item, client: Client) -> None:
        super().__init__(item)
        self._client = client

    async def call(self, timeout: float | None = None) -> Call:
        """The call that was made: of several, the first. It rings, or is about to. Raises as `result` does."""
        result = await self.result(timeout)
        return Call(self._client, result.dialed[0].call_control_id, self.command.account)
