"""Commands as methods, and what becomes of them, against a real door with a stand-in for the workers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

import cordboard
from cordboard import Client, CommandFailed, CommandRefused, NotCompleted, Unanswered
from cordboard.client import streams
from cordboard.client.commands import command_of
from cordboard.log.port import AppendUncertain, LogUnavailable
from cordboard.v1 import (
    COMPLETION_STATE_COMPLETED,
    PLACEMENT_NOW,
    START_AFTER_PREVIOUS_COMPLETED,
    STATE_SUCCEEDED,
    Command,
    CommandResult,
    CustomHeader,
)
from cordboard.v1.commands import CallCommands, DialCommands
from cordboard.work import Verdict
from dispatcher.acceptance import execute
from tests.rpc.door import SETTINGS, BrokenLog, Desk, desk_at, make_door, outcome_of, speak, until, webhook

CONTRACT = {field.name: field for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as running:
        yield running


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    async with Client(desk.target) as client:
        yield client


def methods() -> dict[str, Any]:
    found = {name: getattr(CallCommands, name) for name in CONTRACT if name != "dial"}
    return {**found, "dial": DialCommands.dial}


class TestMethods:
    @pytest.mark.parametrize("action", sorted(CONTRACT))
    def test_a_method_takes_all_that_its_action_has(self, action: str):
        """
        By the contract's names, and nothing else but the options of every command; what is needed must be given.
        """
        parameters = dict(inspect.signature(methods()[action]).parameters)
        del parameters["self"], parameters["options"]
        message = CONTRACT[action].message_type

        assert message is not None
        assert set(parameters) == {field.name for field in message.fields}
        assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in parameters.values())

    def test_what_is_needed_has_no_default(self):
        """
        An editor asks for it.
        """
        needed = {
            name: [one.name for one in inspect.signature(method).parameters.values() if one.default is one.empty]
            for name, method in methods().items()
        }

        assert needed["speak"] == ["self", "payload", "voice", "options"]
        assert needed["dial"] == ["self", "from_number", "connection_id", "options"]
        assert needed["hangup"] == ["self", "options"]


class TestCommands:
    def test_an_id_and_an_expiry_from_before_the_first_try(self):
        """
        Absolute, and the action's own.
        """
        before = datetime.now(UTC)
        first, other = (command_of("speak", {"payload": "a", "voice": "b"}, {}, call="A") for _ in range(2))
        dial = command_of("dial", {"to": "+1"}, {})

        assert len(first.command_id) == 36
        assert first.command_id != other.command_id
        ahead = first.expire_time.ToDatetime(UTC) - before
        assert timedelta(seconds=29) < ahead < timedelta(seconds=40)
        assert dial.expire_time.ToDatetime(UTC) - before > timedelta(seconds=59)

    @pytest.mark.parametrize("action", ["hangup", "reject"])
    def test_what_never_expires_has_no_expiry(self, action: str):
        """
        It is worth sending for as long as the call may live.
        """
        assert not command_of(action, {}, {}, call="A").HasField("expire_time")

    def test_behind_a_gate_the_expiry_is_the_dispatchers(self):
        """
        It counts from the gate's opening.
        """
        command = command_of("speak", {"payload": "a", "voice": "b"}, {"after_completed": True}, call="A")

        assert command.start_after == START_AFTER_PREVIOUS_COMPLETED
        assert not command.HasField("expire_time")

    def test_every_option_has_its_place(self):
        """
        In the command, as the contract names it.
        """
        at = datetime(2030, 1, 1, tzinfo=UTC)
        command = command_of(
            "speak",
            {"payload": "a", "voice": "b", "voice_settings": {"type": "x", "rate": 2}, "language": None},
            {
                "command_id": "mine",
                "expire_time": at,
                "requires": "other",
                "placement": PLACEMENT_NOW,
                "group": "g",
                "completion_timeout": 1.5,
                "sensitive": True,
                "client_state": "YQ==",
                "extra": {"novel": [1]},
            },
            call="A",
            account="main",
        )

        assert (command.command_id, command.call_control_id, command.account, command.group) == (
            "mine",
            "A",
            "main",
            "g",
        )
        assert command.expire_time.ToDatetime(UTC) == at
        assert (command.requires_command_id, command.placement, command.sensitive) == ("other", PLACEMENT_NOW, True)
        assert (command.completion_timeout.ToMilliseconds(), command.client_state) == (1500, "YQ==")
        assert dict(command.extra)["novel"][0] == 1
        assert command.speak.voice_settings["rate"] == 2
        assert not command.speak.HasField("language")

    def test_messages_lists_and_maps_are_taken(self):
        """
        As their types say.
        """
        fields = {"custom_headers": [CustomHeader(name="a", value="b")], "webhook_retries_policies": {}}

        assert command_of("answer", fields, {}, call="A").answer.custom_headers[0].value == "b"

    def test_a_value_of_another_type_is_an_error_at_once(self):
        """
        Nothing is sent.
        """
        with pytest.raises(TypeError):
            command_of("speak", {"payload": 3}, {}, call="A")
        deep: Any = 1
        for _ in range(60):
            deep = {"a": deep}
        with pytest.raises(TypeError, match="nested too deeply"):
            command_of("speak", {"voice_settings": deep}, {}, call="A")
        with pytest.raises(TypeError, match="extra must hold what JSON has"):
            command_of("speak", {}, {"extra": {"novel": {1}}}, call="A")


class TestActions:
    async def test_from_acceptance_to_completion(self, desk: Desk, client: Client):
        """
        Accepted when the method returns; the result with all that Telnyx said; the completion with its event.
        """
        desk.hands.respond = lambda work: outcome_of(work, response=b'{"data":{"result":"ok","more":1}}')
        action = await client.call("A").speak(payload="hello", voice="female")
        assert await desk.commands() == [action.command_id]

        result = await action.result(20)
        assert (result.state, result.replayed, dict(result.response)) == (
            STATE_SUCCEEDED,
            False,
            {"result": "ok", "more": 1},
        )
        await desk.log.append([webhook("call.speak.ended", "A", status="completed")])
        completion = await action.completed(20)
        assert (completion.state, completion.event_type) == (COMPLETION_STATE_COMPLETED, "call.speak.ended")
        assert await action.result() is result

    async def test_one_append_for_all_of_it(self, desk: Desk, client: Client):
        """
        Whoever asks for result and completion sends nothing a second time.
        """
        action = await client.call("A").send_dtmf(digits="1")
        await action.completed(20)

        assert await desk.commands() == [action.command_id]

    async def test_a_dial_gives_its_call(self, client: Client):
        """
        A handle on which the next command can be sent.
        """
        dial = await client.dial(to="+15550100001", from_number="+15550100000", connection_id="c")
        call = await dial.call(20)

        assert call.id == "new-call"
        await (await call.speak(payload="hello", voice="female")).result(20)

    async def test_a_failure_says_why(self, desk: Desk, client: Client):
        """
        In an exception that has the result; `outcome` gives it without one.
        """
        desk.hands.respond = lambda work: outcome_of(work, Verdict.NO_ANSWER)
        dial = await client.dial(to="+15550100001", from_number="+15550100000", connection_id="c")
        with pytest.raises(CommandFailed, match="dial UNKNOWN, NO_ANSWER: It was sent") as caught:
            await dial.completed(20)

        assert caught.value.may_have_happened
        assert (await dial.outcome()) is caught.value.result

    async def test_what_is_refused_raises_at_once(self, client: Client):
        """
        With every field that is wrong.
        """
        with pytest.raises(CommandRefused) as caught:
            await client.call("A").speak(payload="", voice="")

        assert caught.value.reason == "INVALID_COMMAND"
        assert sorted(one.field for one in caught.value.violations) == ["speak.payload", "speak.voice"]

    async def test_a_completion_that_failed(self, desk: Desk, client: Client):
        """
        NotCompleted, with what is known of it.
        """
        action = await client.call("A").speak(payload="hello", voice="female")
        await action.result(20)
        await desk.log.append([webhook("call.hangup", "A")])

        with pytest.raises(NotCompleted, match="CALL_ENDED") as caught:
            await action.completed(20)
        assert caught.value.completion is not None

    async def test_a_hangup_of_what_is_over_is_complete(self, desk: Desk, client: Client):
        """
        Nothing follows it, and what was asked for is so.
        """
        call = client.call("A")
        await (await call.speak(payload="hello", voice="female")).result(20)
        await desk.log.append([webhook("call.hangup", "A")])
        await (await call.hangup()).completed(20)

        assert (await (await call.hangup()).completed(20)).state == COMPLETION_STATE_COMPLETED

    async def test_a_wait_that_is_over_is_only_that(self, desk: Desk, client: Client):
        """
        The command goes on, and can be asked for again.
        """
        desk.hands.respond = lambda work: None
        action = await client.call("A").speak(payload="hello", voice="female")
        with pytest.raises(TimeoutError):
            await action.result(0.01)
        await until(lambda: desk.hands.works)
        await desk.hands.report(outcome_of(desk.hands.works[0]))

        assert (await action.result(20)).state == STATE_SUCCEEDED

    async def test_a_call_tells_and_takes_back(self, desk: Desk, client: Client):
        """
        Its view, and what waits in its line.
        """
        desk.hands.respond = lambda work: None
        call = client.call("A")
        first, second = [await call.speak(payload=text, voice="female") for text in "ab"]
        await until(lambda: desk.hands.works)

        assert [one.command_id for one in (await call.view()).line] == [second.command_id]
        report = await call.cancel(first, second)
        assert list(report.cancelled_command_ids) == [second.command_id]
        with pytest.raises(CommandFailed, match="CANCEL_REQUESTED"):
            await second.result(20)

    async def test_feeds_are_typed(self, desk: Desk, client: Client):
        """
        Events with their payload, results with their kind; of one call, of some types, from a cursor.
        """
        call = client.call("A")
        async with call.events("call.answered") as events, client.results() as results, asyncio.timeout(30):
            action = await call.speak(payload="hello", voice="female")
            told = await anext(results)
            await desk.log.append([webhook(kind, "A", extra="1") for kind in ("call.initiated", "call.answered")])
            event = await anext(events)
            kept = results.cursor

        assert (told.kind, told.result.command_id) == ("result", action.command_id)
        assert (event.type, event.call_control_id, event.account, event.payload["extra"]) == (
            "call.answered",
            "A",
            "main",
            "1",
        )
        second = await call.speak(payload="again", voice="female")
        async with client.results(cursor=kept) as results, asyncio.timeout(30):
            assert (await anext(results)).result.command_id == second.command_id


class TestTrouble:
    async def test_a_log_that_is_away_for_a_while(self, tmp_path: Path):
        """
        Certain or not: the same command again, until it is taken.
        """
        made: list[BrokenLog] = []

        def wrap(log: Any) -> BrokenLog:
            made.append(BrokenLog(log))
            return made[0]

        async with desk_at(tmp_path, wrap=wrap) as desk, Client(desk.target) as client:
            for failure in (AppendUncertain("no acknowledgement"), LogUnavailable("away")):
                made[0].failure = failure
                sending = asyncio.create_task(client.call("A").speak(payload="hello", voice="female"))
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_later(0.1, setattr, made[0], "failure", None)
                assert (await (await sending).result(20)).state == STATE_SUCCEEDED
            assert len(desk.hands.works) == 2

    @pytest.mark.parametrize(("depth", "text", "reason"), [(0, 200_000, "TOO_LARGE"), (60, 1, "INVALID_COMMAND")])
    async def test_what_would_break_a_stream_off_is_not_sent(
        self, desk: Desk, client: Client, depth: int, text: int, reason: str
    ):
        """
        Nor are those that are on it with it.
        """
        value: Any = "x" * text
        for _ in range(depth):
            value = {"a": value}
        command = speak("c1")
        command.speak.voice_settings["novel"] = value
        with pytest.raises(CommandRefused) as caught:
            await client.send(command)

        assert caught.value.reason.endswith(reason)
        assert desk.hands.works == []

    async def test_an_error_that_does_not_pass_is_told_at_once(self):
        """
        Somebody else's port: nothing that trying again would mend.
        """
        server = grpc.aio.server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with Client(f"127.0.0.1:{port}") as client:
            with pytest.raises(grpc.aio.AioRpcError, match="UNIMPLEMENTED"):
                await client.send(speak("c1"))
        await server.stop(0)

    async def test_nobody_there(self):
        """
        Unanswered, with the command: the same again is right.
        """
        async with Client("127.0.0.1:1") as client:
            with pytest.raises(Unanswered) as caught:
                await client.send(speak("c1"), timeout=0.2)

        assert caught.value.command.command_id == "c1"

    async def test_a_dispatcher_that_restarts(self, desk: Desk, client: Client):
        """
        What was accepted is asked for again, and what is new waits: nothing is done twice, and nothing is lost.
        """
        desk.hands.respond = lambda work: None
        call = client.call("A")
        waiting = await call.speak(payload="hello", voice="female")
        await until(lambda: desk.hands.works)
        await desk.server.stop(0.1)
        sending = asyncio.create_task(client.call("B").send_dtmf(digits="1"))
        port = int(desk.target.rpartition(":")[2])
        door = make_door(desk.log, desk.dispatcher, settings=SETTINGS.model_copy(update={"port": port}))
        await door.start()
        desk.hands.respond = outcome_of
        await desk.hands.report(outcome_of(desk.hands.works[0]))

        assert (await waiting.result(30)).state == STATE_SUCCEEDED
        await (await sending).completed(30)
        await door.stop(0.1)
        assert len(desk.hands.works) == 2

    async def test_a_wait_outlives_a_restart(self, desk: Desk, client: Client):
        """
        Also where nothing new is sent that would open the next stream.
        """
        desk.hands.respond = lambda work: None
        waiting = await client.call("A").speak(payload="hello", voice="female")
        await until(lambda: desk.hands.works)
        await desk.server.stop(0.1)
        port = int(desk.target.rpartition(":")[2])
        door = make_door(desk.log, desk.dispatcher, settings=SETTINGS.model_copy(update={"port": port}))
        await door.start()
        await desk.hands.report(outcome_of(desk.hands.works[0]))

        assert (await waiting.result(30)).state == STATE_SUCCEEDED
        await door.stop(0.1)

    async def test_more_than_one_stream_holds(self, desk: Desk, client: Client):
        """
        As many as there are items for; each has its own result.
        """
        desk.hands.respond = lambda work: None
        many = 2 * streams.ROOM + 10
        actions = await asyncio.gather(
            *(client.call(f"call-{number}").speak(payload="hello", voice="female") for number in range(many))
        )
        await until(lambda: len(desk.hands.works) == many)
        for work in desk.hands.works:
            await desk.hands.report(outcome_of(work))
        results: list[CommandResult] = await asyncio.gather(*(action.result(60) for action in actions))

        assert sorted(one.call_control_id for one in results) == sorted(f"call-{number}" for number in range(many))

    async def test_one_id_in_two_calls(self, client: Client):
        """
        Each has its own answer, though answers name the id only.
        """
        both = [await client.send(speak("same", call=call)) for call in "AB"]

        assert [(await one.result(20)).call_control_id for one in both] == ["A", "B"]

    async def test_a_patience_of_the_dispatchers_that_ends(
        self, desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
    ):
        """
        The wait goes on; a completion that came before it was asked for again is told all the same.
        """
        monkeypatch.setattr(execute, "WAIT_SECONDS_MAX", 0.2)
        action = await client.call("A").speak(payload="hello", voice="female")
        await action.result(20)
        completing = asyncio.create_task(action.completed(60))
        await asyncio.sleep(0.5)  # Beyond that patience: nothing is concluded from how long it takes.
        await desk.log.append([webhook("call.speak.ended", "A", status="completed")])

        assert (await completing).state == COMPLETION_STATE_COMPLETED
        assert len(desk.hands.works) == 1

    async def test_a_client_that_is_closed_tells_who_waits(self, desk: Desk):
        """
        The command goes on.
        """
        desk.hands.respond = lambda work: None
        async with Client(desk.target) as client:
            action = await client.call("A").speak(payload="hello", voice="female")
            waiting = asyncio.create_task(action.result())
            await asyncio.sleep(0)

        with pytest.raises(ConnectionError):
            await waiting


def test_the_package_gives_the_clients_names():
    """
    `from cordboard import Client`, and no other word.
    """
    assert cordboard.Client is Client
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = cordboard.Nonsense


async def test_a_misspelt_argument_is_refused(tmp_path: Path) -> None:
    """
    Else a text would be kept in plain, or a gate be none, without a word.
    """
    async with desk_at(tmp_path) as desk, Client(desk.target) as client:
        with pytest.raises(TypeError, match="speak takes no argument sensitve"):
            await client.call("A").speak(payload="4111", voice="female", sensitve=True)  # type: ignore[call-arg] # that is the point
