"""The client: one channel, and a method for each thing that can be asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

import grpc
import grpc.aio

from cordboard.client.action import Action
from cordboard.client.call import Call, DialAction
from cordboard.client.commands import command_of
from cordboard.client.context import context
from cordboard.client.credentials import Tls, credentials_of, tls_of
from cordboard.client.errors import Unanswered, refusing
from cordboard.client.feed import Feed, events_of, results_of
from cordboard.client.refusing import check
from cordboard.client.streams import Item, Streams
from cordboard.client.tokens import Showing, Token, check_in_clear, token_of
from cordboard.client.told import Event, Told
from cordboard.client.watch import Watch
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.v1 import operator_service_pb2 as operator_service
from cordboard.v1 import operator_service_pb2_grpc as operator_stubs
from cordboard.v1 import status_pb2 as status
from cordboard.v1.command_pb2 import Command
from cordboard.v1.commands import CommandOptions, DialCommands
from cordboard.v1.view_pb2 import CallView, CommandView

TIMEOUT_SECONDS: Final = 30.0
_SERVICE: Final = service.DESCRIPTOR.services_by_name["DispatcherService"].full_name

# Only what certainly was not served, or may be asked again without harm, is asked again: and every command may be,
# because the repeat has the same command_id.
_SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.enable_retries", 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),  # A dispatcher that restarts is back soon.
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


class Client(DialCommands[DialAction]):
    """Asks a dispatcher. `target` is gRPC's, such as localhost:50051 or dns:///dispatcher:50051; use as a context.

    Methods raise CommandRefused where the dispatcher says why. Any other error is gRPC's own (grpc.aio.AioRpcError)
    and says nothing about what will happen: send the same command again under the same command_id, which is never
    done twice. Timeouts are in seconds.
    """

    def __init__(  # noqa: PLR0913 - each is an option
        self,
        target: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, Any]] = (),
        tls: Tls | bool = False,
        ca_file: Path | str | None = None,
        token: Token | None = None,
        token_file: Path | str | None = None,
        token_in_clear: bool = False,
        account: str = "",
        stub: stubs.DispatcherServiceAsyncStub | None = None,
    ) -> None:
        """`tls`, or a `ca_file` of one's own authorities, encrypts. `token` is shown with each call, and needs that.

        What more there is to TLS, such as a certificate of one's own, is said by `Tls`. The token may be what gives it,
        or stand in `token_file`: it is asked for, or read, with each call. On this machine it needs no TLS, and
        elsewhere not where `token_in_clear` says that something else encrypts. `account` is that of calls and dials
        that name none. `stub` is asked instead of a `target`, where somebody has one: a test, a simulation. Raises
        ValueError for a token that would travel in the clear, OSError for files.
        """
        self.account = account
        # For what has no method here it is there for all.
        self._channel: grpc.aio.Channel | None = None
        self.stub: stubs.DispatcherServiceAsyncStub
        if stub is not None:
            self.stub = stub
            self._streams = Streams(stub)
            return
        encrypted = tls_of(tls, ca_file)
        every = (*_OPTIONS, *(encrypted.options if encrypted else ()), *options)
        showing = token_of(token, token_file)
        if credentials is None and encrypted is not None:
            credentials = credentials_of(encrypted)
        if credentials is None and showing is not None and not token_in_clear:
            check_in_clear(target)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, every)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, every)
        channel: Any = self._channel if showing is None else Showing(self._channel, showing)
        self.stub = stubs.DispatcherServiceStub(channel)
        self._streams = Streams(self.stub)
        self.operator: operator_stubs.OperatorServiceAsyncStub = operator_stubs.OperatorServiceStub(channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up. Whoever still waits for a result is told so; the commands go on."""
        await self._streams.close()
        if self._channel is not None:
            await self._channel.close()

    def call(self, call_control_id: str, account: str = "") -> Call:
        """A handle for a call."""
        return Call(self, call_control_id, account or self.account)

    async def send(self, command: Command, *, timeout: float = TIMEOUT_SECONDS) -> Action:
        """Send a command; it is durable when this returns. Tries again under its id, through restarts of dispatchers.

        Raises CommandRefused: nothing will happen; or Unanswered: nobody knows, and it is no longer tried.
        """
        return Action(await self._taken(command, timeout))

    async def _send(self, action: str, fields: Mapping[str, Any], options: CommandOptions) -> DialAction:
        command = command_of(action, fields, options, account=self.account)
        return DialAction(await self._taken(command, TIMEOUT_SECONDS), self)

    async def _taken(self, command: Command, timeout: float) -> Item:
        check(command)
        item = self._streams.send(command)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(item.accepted)
        except TimeoutError:
            self._streams.let_go(item)
            raise Unanswered(command, timeout) from None
        return item

    @refusing
    async def submit(self, command: Command, *, timeout: float = TIMEOUT_SECONDS) -> service.SubmitResponse:
        """Send a command; it is durable when this returns. What becomes of it is not waited for."""
        return await self.stub.Submit(service.SubmitRequest(command=command), timeout=timeout, metadata=context())

    @refusing
    async def execute(
        self,
        command: Command,
        *,
        wait_for: service.WaitFor.ValueType = service.WAIT_FOR_RESULT,
        timeout: float = TIMEOUT_SECONDS,
    ) -> service.ExecuteResponse:
        """Send a command and wait for what becomes of it; `result` is unset where that is still open at the end."""
        request = service.ExecuteRequest(command=command, wait_for=wait_for)
        return await self.stub.Execute(request, timeout=timeout, metadata=context())

    @refusing
    async def get_command(
        self, command_id: str, call_control_id: str = "", account: str = "", *, timeout: float = TIMEOUT_SECONDS
    ) -> CommandView:
        """How far a command has come; a dial has no call."""
        request = service.GetCommandRequest(command_id=command_id, call_control_id=call_control_id, account=account)
        return (await self.stub.GetCommand(request, timeout=timeout)).command

    @refusing
    async def get_call(self, call_control_id: str, account: str = "", *, timeout: float = TIMEOUT_SECONDS) -> CallView:
        """How far a call has come."""
        request = service.GetCallRequest(call_control_id=call_control_id, account=account)
        return (await self.stub.GetCall(request, timeout=timeout)).call

    @refusing
    async def get_timeline(
        self, call_control_id: str, account: str = "", *, timeout: float = TIMEOUT_SECONDS
    ) -> service.GetCallResponse:
        """A call and its story, also of one that is over for long, where it was recorded."""
        request = service.GetCallRequest(call_control_id=call_control_id, account=account, timeline=True)
        return await self.stub.GetCall(request, timeout=timeout)

    @refusing
    async def get_status(self, *, timeout: float = TIMEOUT_SECONDS) -> status.GetStatusResponse:
        """How all processes are, who owns which partitions, what waits; what could not be found out is said."""
        return await self.operator.GetStatus(status.GetStatusRequest(), timeout=timeout)

    @refusing
    async def list_calls(
        self, request: operator_service.ListCallsRequest, *, timeout: float = TIMEOUT_SECONDS
    ) -> operator_service.ListCallsResponse:
        """Calls that were recorded, the latest first."""
        return await self.operator.ListCalls(request, timeout=timeout)

    @refusing
    async def forget_call(self, call_control_id: str, *, timeout: float = TIMEOUT_SECONDS) -> int:
        """Remove what was recorded of a call, but that it was; how many entries had contents."""
        request = operator_service.ForgetCallRequest(call_control_id=call_control_id)
        return (await self.operator.ForgetCall(request, timeout=timeout)).entries

    @refusing
    async def list_dead_letters(
        self, count: int = 0, page_token: str = "", *, timeout: float = TIMEOUT_SECONDS
    ) -> operator_service.ListDeadLettersResponse:
        """Dead letters, the latest first."""
        request = operator_service.ListDeadLettersRequest(page_size=count, page_token=page_token)
        return await self.operator.ListDeadLetters(request, timeout=timeout)

    @refusing
    async def get_dead_letter(self, letter_id: str, *, timeout: float = TIMEOUT_SECONDS) -> operator_service.DeadLetter:
        """One of them, with what can be read of it."""
        request = operator_service.GetDeadLetterRequest(letter_id=letter_id)
        return (await self.operator.GetDeadLetter(request, timeout=timeout)).letter

    @refusing
    async def replay_dead_letter(
        self, letter_id: str, *, timeout: float = TIMEOUT_SECONDS
    ) -> operator_service.ReplayDeadLetterResponse:
        """Write one back to where it came from."""
        request = operator_service.ReplayDeadLetterRequest(letter_id=letter_id)
        return await self.operator.ReplayDeadLetter(request, timeout=timeout)

    @refusing
    async def cancel(
        self,
        call_control_id: str = "",
        command_ids: Iterable[str] = (),
        *,
        group: str = "",
        account: str = "",
        timeout: float = TIMEOUT_SECONDS,
    ) -> service.CancelCommandsResponse:
        """Take back what waits: of a call all, those named, or those of a group; one dial by its id alone; or a group.

        A group alone is cancelled in all its calls, and not reported: the commands' results tell.
        """
        request = service.CancelCommandsRequest(
            account=account, call_control_id=call_control_id, command_ids=command_ids, group=group
        )
        return await self.stub.CancelCommands(request, timeout=timeout)

    def events(self, *types: str, account: str = "", call_control_id: str = "", cursor: str = "") -> Feed[Event]:
        """Events of all calls, or of one, from a cursor or from now on; only these types, if any are named."""
        kinds = [service.WATCH_KIND_EVENTS]
        return events_of(
            self.watch(account=account, call_control_id=call_control_id, kinds=kinds, cursor=cursor), types
        )

    def results(self, *, account: str = "", call_control_id: str = "", cursor: str = "") -> Feed[Told]:
        """Results of all commands, whoever sent them, from a cursor or from now on."""
        kinds = [service.WATCH_KIND_RESULTS]
        return results_of(self.watch(account=account, call_control_id=call_control_id, kinds=kinds, cursor=cursor))

    @refusing
    async def pause(
        self, account: str = "", *, comment: str = "", timeout: float = TIMEOUT_SECONDS
    ) -> service.PauseAccountResponse:
        """Have nothing sent for an account but hangups and rejects; what is sent meanwhile is taken and kept."""
        request = service.PauseAccountRequest(account=account, comment=comment)
        return await self.stub.PauseAccount(request, timeout=timeout)

    @refusing
    async def resume(
        self, account: str = "", *, comment: str = "", timeout: float = TIMEOUT_SECONDS
    ) -> service.ResumeAccountResponse:
        """Have an account's commands sent again."""
        request = service.ResumeAccountRequest(account=account, comment=comment)
        return await self.stub.ResumeAccount(request, timeout=timeout)

    def watch(
        self,
        *,
        account: str = "",
        call_control_id: str = "",
        kinds: Iterable[service.WatchKind.ValueType] = (),
        cursor: str = "",
    ) -> Watch:
        """Results, completions and events as they happen: from a cursor, or from when it is `positioned`."""
        request = service.WatchRequest(account=account, call_control_id=call_control_id, kinds=kinds, cursor=cursor)
        return Watch(self.stub, request)
