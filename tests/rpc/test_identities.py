"""The gRPC door where senders prove who they are: who is let in, to what, and what is kept of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from cordboard.access import Access
from cordboard.log.port import NewRecord
from cordboard.v1 import (
    CancelCommandsRequest,
    CancelRequest,
    Command,
    ExecuteRequest,
    ExecuteStreamRequest,
    ForgetCallRequest,
    GetCallRequest,
    GetCommandRequest,
    GetDeadLetterRequest,
    ListCallsRequest,
    ListDeadLettersRequest,
    PauseAccountRequest,
    Reason,
    ReplayDeadLetterRequest,
    SubmitRequest,
    SubmitStreamRequest,
    WatchRequest,
)
from cordboard.v1 import operator_service_pb2_grpc as operator_stubs
from dispatcher.recorder.story import Story
from tests.rpc.door import CLOCK, TOPICS, Desk, Details, desk_at, dial, error_of, hangup, speak, until, webhook
from tests.rpc.identities import EVERY_RIGHT, access, bearer, digest, identity

WIDE = {"accounts": ("*",), "rights": EVERY_RIGHT}
KNOWN = {
    "ivr": identity("t-ivr", actions=("answer", "speak", "hangup")),
    "both": identity("t-both", ("main", "other"), rights=EVERY_RIGHT),
    "rest": identity("t-others", ("other",), rights=EVERY_RIGHT),
    "eyes": identity("t-eyes", rights=("read",)),
    "root": identity("t-root", **WIDE),
    "slow": identity("t-slow", commands_per_second=1),
    "narrow": identity("t-narrow", concurrent_max=1, **WIDE),
}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path, access=access(**KNOWN)) as running:
        yield running


async def submit(desk: Desk, command: Command, token: str) -> Any:
    return await desk.stub.Submit(SubmitRequest(command=command), timeout=20, metadata=bearer(token))


async def refused(desk: Desk, command: Command, token: str) -> Details:
    return await error_of(submit(desk, command, token))


def said(error: Details) -> tuple[str, str, dict[str, str]]:
    return error.code.name, error.info.reason, dict(error.info.metadata)


async def taken(desk: Desk, topic: str = TOPICS.commands) -> list[Command]:
    return [Command.FromString(record.value) for record in await desk.all_of(topic)]


class TestWhoIsLetIn:
    @pytest.mark.parametrize("shown", [(), bearer("t-nobody"), bearer(""), (("authorization", "Basic t-ivr"),)])
    async def test_nobody_without_a_token_that_is_known(self, desk: Desk, shown: Any):
        """
        UNAUTHENTICATED, with our ErrorInfo: nothing will happen.
        """
        error = await error_of(desk.stub.Submit(SubmitRequest(command=speak("c1")), timeout=20, metadata=shown))

        assert said(error) == ("UNAUTHENTICATED", "UNAUTHENTICATED", {})
        assert await desk.commands() == []

    async def test_the_source_is_who_sends(self, desk: Desk):
        """
        Whatever the sender says of itself; in the log, and to who waits.
        """
        command = hangup("c1", source="somebody-else")
        request = ExecuteRequest(command=command)
        answer = await desk.stub.Execute(request, timeout=20, metadata=bearer("t-ivr"))
        (kept,) = await taken(desk)

        assert (answer.result.source, kept.source, kept.account) == ("ivr", "ivr", "main")

    async def test_health_is_for_everybody_and_reflection_is_not(self, desk: Desk):
        """
        An orchestrator's probe has no token.
        """
        health = health_pb2_grpc.HealthStub(desk.channel)
        assert (await health.Check(health_pb2.HealthCheckRequest())).status

        stub = reflection_pb2_grpc.ServerReflectionStub(desk.channel)
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.ServerReflectionInfo(iter(asked)).read()
        assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
        answer = await stub.ServerReflectionInfo(iter(asked), metadata=bearer("t-eyes")).read()
        assert answer.list_services_response.service


class TestWhatItMayDo:
    async def test_an_action_that_it_may_not_send(self, desk: Desk):
        """
        Named, so that somebody can allow it.
        """
        error = await refused(desk, dial("d1"), "t-ivr")

        assert said(error) == ("PERMISSION_DENIED", "NOT_PERMITTED", {"identity": "ivr", "action": "dial"})

    async def test_an_account_that_it_may_not_use(self, desk: Desk):
        """
        Also one that does not exist: it learns nothing of others.
        """
        for account in ("other", "nowhere"):
            error = await refused(desk, speak("c1", account=account), "t-ivr")

            assert said(error) == ("PERMISSION_DENIED", "NOT_PERMITTED", {"identity": "ivr", "account": account})

    async def test_a_right_that_it_has_not(self, desk: Desk):
        """
        Who reads does not send, and who sends does not operate.
        """
        error = await refused(desk, speak("c1"), "t-eyes")
        assert said(error) == ("PERMISSION_DENIED", "NOT_PERMITTED", {"identity": "eyes", "right": "send"})

        pause = desk.stub.PauseAccount(PauseAccountRequest(account="main"), timeout=20, metadata=bearer("t-ivr"))
        assert said(await error_of(pause))[2] == {"identity": "ivr", "right": "operate"}

    async def test_of_several_accounts_one_must_be_named(self, desk: Desk):
        """
        But for a dial, where the default one is among them.
        """
        error = await refused(desk, speak("c1"), "t-both")
        assert (error.info.reason, error.fields) == ("INVALID_COMMAND", ["account"])

        await submit(desk, dial("d1"), "t-both")
        await submit(desk, speak("c2", account="other"), "t-both")
        assert [command.account for command in await taken(desk)] == ["main", "other"]

    async def test_a_call_of_another_account_is_not_to_be_had_by_naming_none(self, desk: Desk):
        """
        The sender's only account is meant; and the call's owner turns it away.
        """
        await submit(desk, speak("c1", "B", account="other"), "t-root")
        request = ExecuteRequest(command=hangup("h1", "B"))
        answer = await desk.stub.Execute(request, timeout=20, metadata=bearer("t-ivr"))

        assert answer.result.reason == Reason.REASON_ACCOUNT_MISMATCH

    async def test_each_item_of_a_stream_is_judged(self, desk: Desk):
        """
        What one may not do is no reason against the others.
        """
        items = [SubmitStreamRequest(command=one) for one in (dial("d1"), speak("c1"))]
        answers = {one.command_id: one async for one in desk.stub.SubmitStream(iter(items), metadata=bearer("t-ivr"))}

        assert answers["c1"].HasField("accepted")
        assert answers["d1"].refused.reason == Reason.REASON_NOT_PERMITTED
        assert dict(answers["d1"].refused.metadata) == {"identity": "ivr", "action": "dial"}


class TestWhatItSees:
    async def test_calls_and_commands_of_its_own_accounts_alone(self, desk: Desk):
        """
        Those of others are not known to it.
        """
        await submit(desk, speak("c1", "B", account="other"), "t-root")
        for token, reason in (("t-ivr", "CALL_NOT_FOUND"), ("t-both", ""), ("t-root", "")):
            call = desk.stub.GetCall(GetCallRequest(call_control_id="B"), timeout=20, metadata=bearer(token))
            assert (said(await error_of(call))[1] if reason else (await call).call.call_control_id) == (reason or "B")
        command = GetCommandRequest(command_id="c1", call_control_id="B")
        error = await error_of(desk.stub.GetCommand(command, timeout=20, metadata=bearer("t-ivr")))
        assert error.info.reason == "COMMAND_NOT_FOUND"

    async def test_a_watch_tells_of_its_own_accounts_alone(self, desk: Desk):
        """
        Results and events; to who may use all of them, all.
        """
        watches = {token: desk.stub.Watch(WatchRequest(), metadata=bearer(token)) for token in ("t-ivr", "t-root")}
        for watch in watches.values():
            await watch.read()
        await desk.log.append([webhook("call.initiated", "B", account="other")])
        await submit(desk, speak("c2", "A", account="main"), "t-root")

        assert (await watches["t-ivr"].read()).result.command_id == "c2"
        heard = {(await watches["t-root"].read()).WhichOneof("item") for _ in range(2)}
        assert heard == {"event", "result"}

    async def test_to_watch_an_account_of_others_is_refused(self, desk: Desk):
        """
        Rather than served with silence.
        """
        error = await error_of(desk.stub.Watch(WatchRequest(account="other"), metadata=bearer("t-ivr")).read())

        assert said(error)[1] == "NOT_PERMITTED"

    async def test_what_waits_in_calls_of_others_is_not_cancelled(self, desk: Desk):
        """
        An owner does as it is told: so the door looks first.
        """
        desk.hands.respond = lambda work: None
        await submit(desk, speak("c1", "B", account="other"), "t-root")
        await submit(desk, speak("c2", "B", account="other"), "t-root")
        request = CancelCommandsRequest(call_control_id="B")
        error = await error_of(desk.stub.CancelCommands(request, timeout=20, metadata=bearer("t-ivr")))
        assert error.info.reason == "CALL_NOT_FOUND"

        answer = await desk.stub.CancelCommands(request, timeout=20, metadata=bearer("t-others"))
        assert list(answer.report.cancelled_command_ids) == ["c2"]

    async def test_a_search_names_its_account(self, desk: Desk):
        """
        The only one stands in for none; of several one is named. (There is no recorder here: so far it comes.)
        """
        stub = operator_stubs.OperatorServiceStub(desk.channel)
        for token, reason in (("t-ivr", "NO_RECORDER"), ("t-both", "INVALID_COMMAND"), ("t-root", "NO_RECORDER")):
            error = await error_of(stub.ListCalls(ListCallsRequest(), timeout=20, metadata=bearer(token)))
            assert error.info.reason == reason


class TestItsLimits:
    async def test_commands_a_second(self, desk: Desk):
        """
        Then RESOURCE_EXHAUSTED, with when to come again. Hangups go through, and urgent commands have their own share.
        """
        await submit(desk, speak("c1"), "t-slow")
        error = await refused(desk, speak("c2"), "t-slow")

        facts = {"identity": "slow", "limit": "commands_per_second"}
        assert (said(error), error.has_retry) == (("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", facts), True)
        answer = Command(command_id="a1", call_control_id="A")
        answer.answer.SetInParent()
        await submit(desk, answer, "t-slow")
        for number in range(20):
            await submit(desk, hangup(f"h{number}"), "t-slow")
        await submit(desk, speak("c3"), "t-ivr")

    async def test_requests_at_once(self, desk: Desk):
        """
        Of each share so many: who waits for a speak can still hang up.
        """
        desk.hands.respond = lambda work: None
        waiting = asyncio.ensure_future(
            desk.stub.Execute(ExecuteRequest(command=speak("c1")), metadata=bearer("t-narrow"))
        )
        await until(lambda: desk.server.waiting == 1)

        error = await refused(desk, speak("c2"), "t-narrow")
        facts = {"identity": "narrow", "limit": "concurrent_max"}
        assert (said(error), error.has_retry) == (("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", facts), True)
        await submit(desk, hangup("h1"), "t-narrow")
        waiting.cancel()


class TestOperators:
    async def test_orders_keep_who_gave_them(self, desk: Desk):
        """
        On the control topic, with the request to cancel, and on the receipt of a dead letter that was written back.
        """
        show = {"timeout": 20, "metadata": bearer("t-root")}
        await desk.stub.PauseAccount(PauseAccountRequest(account="main", comment="odd"), **show)
        await desk.stub.CancelCommands(CancelCommandsRequest(account="main", group="spring"), **show)
        await desk.stub.CancelCommands(CancelCommandsRequest(call_control_id="A"), **show)
        said = {record.key: record.value for record in await desk.all_of(TOPICS.control)}
        assert json.loads(said[b"pause/main"]) | {"given_ms": 0} == {
            "paused": True,
            "comment": "odd",
            "source": "root",
            "given_ms": 0,
        }
        assert said[b"cancel/main/spring"] == b'{"source":"root"}'
        (wanted,) = await desk.all_of(TOPICS.commands)
        assert dict(wanted.headers)["ce_source"] == b"/cordboard/root"
        assert CancelRequest.FromString(wanted.value).source == "root"

        why = (("dlq.errors.topic", TOPICS.commands.encode()), ("dlq.errors.reason", b"odd"))
        await desk.log.append([NewRecord(TOPICS.dead_letters, b"A", speak("c9").SerializeToString(), why)])
        operator = operator_stubs.OperatorServiceStub(desk.channel)
        await operator.ReplayDeadLetter(ReplayDeadLetterRequest(letter_id="0"), **show)
        receipt = (await desk.all_of(TOPICS.dead_letters))[-1]
        assert dict(receipt.headers)["cordboard-replayed-by"] == b"root"

    async def test_dead_letters_are_for_who_may_use_all_accounts(self, desk: Desk):
        """
        Of many nobody can tell whose they are.
        """
        operator = operator_stubs.OperatorServiceStub(desk.channel)
        for ask in (
            lambda show: operator.ListDeadLetters(ListDeadLettersRequest(), **show),
            lambda show: operator.GetDeadLetter(GetDeadLetterRequest(letter_id="0"), **show),
            lambda show: operator.ReplayDeadLetter(ReplayDeadLetterRequest(letter_id="0"), **show),
        ):
            error = await error_of(ask({"timeout": 20, "metadata": bearer("t-both")}))
            assert said(error)[1:] == ("NOT_PERMITTED", {"identity": "both", "account": "*"})

    async def test_an_account_is_paused_by_who_may_use_it(self, desk: Desk):
        """
        Named or meant.
        """
        for account in ("main", ""):
            request = PauseAccountRequest(account=account)
            answer = desk.stub.PauseAccount(request, timeout=20, metadata=bearer("t-others"))
            if account:
                assert said(await error_of(answer))[1] == "NOT_PERMITTED"
            else:
                assert (await answer).account == "other"

    async def test_a_call_of_others_is_not_forgotten(self, tmp_path: Path):
        """
        Nor told that it was there.
        """
        forgotten: list[str] = []

        class Recorded:
            async def story(self, call: str) -> Any:
                return Story(call=call, account="other", first_ms=1, last_ms=1), []

            async def forget(self, call: str) -> int:
                forgotten.append(call)
                return 1

        known = access(here=identity("t-here", rights=EVERY_RIGHT), there=KNOWN["rest"])
        async with desk_at(tmp_path, access=known, archive=Recorded()) as desk:
            operator = operator_stubs.OperatorServiceStub(desk.channel)
            ask = partial(operator.ForgetCall, ForgetCallRequest(call_control_id="B"), timeout=20)
            assert said(await error_of(ask(metadata=bearer("t-here"))))[1] == "CALL_NOT_FOUND"
            assert forgotten == []
            assert (await ask(metadata=bearer("t-others"))).entries == 1
            assert forgotten == ["B"]


class TestChanges:
    def written(self, tmp_path: Path, **tokens: str) -> Path:
        file = tmp_path / "identities.toml"
        tables = [
            f'[identities.{name}]\naccounts = ["*"]\ntoken_sha256 = ["{digest(token)}"]\n'
            for name, token in tokens.items()
        ]
        file.write_text("".join(tables))
        return file

    async def test_who_is_taken_away_is_out_of_open_streams(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """
        A watch ends at the next thing that it would tell; an item is refused, and the stream's other words still come.
        """
        monkeypatch.setattr("cordboard.access.access._LOOK_MS", 0)
        file = self.written(tmp_path, old="t-old", new="t-new")
        async with desk_at(tmp_path, access=Access(CLOCK, {}, file)) as desk:
            watch = desk.stub.Watch(WatchRequest(), metadata=bearer("t-old"))
            await watch.read()
            stream = desk.stub.ExecuteStream(metadata=bearer("t-old"))
            await stream.write(ExecuteStreamRequest(command=hangup("h1")))
            assert (await stream.read()).executed.result.source == "old"
            assert (await watch.read()).result.command_id == "h1"

            self.written(tmp_path, new="t-new")
            await stream.write(ExecuteStreamRequest(command=hangup("h2")))
            assert (await stream.read()).refused.reason == Reason.REASON_UNAUTHENTICATED
            await submit(desk, hangup("h3"), "t-new")
            assert said(await error_of(watch.read()))[1] == "UNAUTHENTICATED"
            stream.cancel()
