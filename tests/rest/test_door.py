"""The REST door over real connections: what it answers, what it sends on, and what happens when something breaks."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cordboard.http_server import HttpServer
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import AppendUncertain
from cordboard.log.store import Store
from cordboard.settings import Rest
from dispatcher.rest import door
from tests.promises.stage import ANSWERS_AT_ONCE, OWN_NUMBER, Stage, command, no_room, until

SPEAK = {"payload": "hello", "voice": "female"}
DIAL = {"to": ANSWERS_AT_ONCE, "from": OWN_NUMBER, "connection_id": "c"}
NOBODY = "/v2/calls/v3:nobody/actions/speak"
RETRY = "x-stainless-retry-count"


def told(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, and code and reason of the first error."""
    error = answer.json()["errors"][0]
    assert answer.headers["content-type"].startswith("application/json")
    assert error["title"]
    assert error["detail"]
    return answer.status_code, error["code"], error["meta"]["reason"]


def state(answer: httpx.Response) -> str:
    return answer.headers.get("x-cordboard-state", "")


def action(call: str, name: str = "speak") -> str:
    return f"/v2/calls/{call}/actions/{name}"


class TestCommands:
    async def test_a_command_is_answered_as_telnyx_answers_it(self, stage: Stage, http: httpx.AsyncClient):
        """
        With its id and state in headers, and the id that Telnyx was sent.
        """
        call = await stage.call()
        answer = await http.post(action(call), json=SPEAK)

        assert (answer.status_code, answer.json()) == (200, {"data": {"result": "ok"}})
        (effect,) = stage.effects()
        assert effect.body == {**SPEAK, "command_id": answer.headers["x-cordboard-command-id"]}
        assert (state(answer), answer.headers["x-should-retry"]) == ("SUCCEEDED", "false")
        await stage.ended(answer.headers["x-cordboard-command-id"])

    async def test_a_dial_names_its_call(self, stage: Stage, http: httpx.AsyncClient):
        """
        As Telnyx does; the same again under the same id is the same call, which is named again.
        """
        first = await http.post("/v2/calls", json={**DIAL, "command_id": "d1"})
        again = await http.post("/v2/calls", json={**DIAL, "command_id": "d1"})

        assert first.json()["data"]["record_type"] == "call"
        assert first.json()["data"]["call_control_id"] == again.json()["data"]["call_control_id"]
        assert first.headers["x-cordboard-command-id"] == "d1"
        assert again.headers["x-cordboard-replayed"] == "true"
        assert len(stage.effects()) == 1

    async def test_both_doors_know_one_command(self, stage: Stage, http: httpx.AsyncClient):
        """
        By its id, whichever it came through: the first one's result again.
        """
        call = await stage.call()
        body = {"payload": "hello", "voice": "female", "client_state": "Yg=="}
        answer = await http.post(action(call), json={**body, "command_id": "both"})
        made = command("both", call)
        made.client_state = "Yg=="
        executed = await stage.client.execute(made)

        assert answer.status_code == 200
        assert executed.result.replayed
        assert len(stage.effects()) == 1

    async def test_a_key_for_idempotency_is_honoured(self, stage: Stage, http: httpx.AsyncClient):
        """
        The same again is the same; another content under it is refused, as Telnyx refuses it elsewhere.
        """
        headers = {"Idempotency-Key": "campaign 7/customer 9"}
        first, again = [await http.post("/v2/calls", json=DIAL, headers=headers) for _ in range(2)]
        other = await http.post("/v2/calls", json={**DIAL, "timeout_secs": 5}, headers=headers)

        assert first.json()["data"]["call_control_id"] == again.json()["data"]["call_control_id"]
        assert told(other) == (422, "99011", "COMMAND_ID_REUSED")
        assert len(stage.effects()) == 1

    async def test_unknown_fields_and_newer_commands_pass(self, stage: Stage, http: httpx.AsyncClient):
        """
        What Telnyx adds tomorrow is usable today.
        """
        call = await stage.call()
        novel = {"novel": {"deep": [1, "x"]}}
        assert (await http.post(action(call), json={**SPEAK, **novel})).status_code == 200
        assert (await http.post(action(call, "suppression_start"), json={"direction": "both"})).status_code == 200

        speak, newer = stage.effects()
        assert speak.body["novel"] == novel["novel"]
        assert newer.path.endswith("/actions/suppression_start")

    async def test_telnyxs_refusal_is_passed_on(self, stage: Stage, http: httpx.AsyncClient):
        """
        In its own words and with its own status.
        """
        assert told(await http.post(NOBODY, json=SPEAK)) == (422, "90015", "CALL_NOT_FOUND")
        ringing = await stage.call(answered=False)
        assert told(await http.post(action(ringing), json=SPEAK)) == (422, "90034", "CALL_NOT_ANSWERED")

    async def test_what_is_over_is_over(self, stage: Stage, http: httpx.AsyncClient):
        """
        A command is refused as Telnyx refuses it, without a request; a second hangup succeeds.
        """
        call = await stage.call()
        assert (await http.post(action(call, "hangup"), json={})).status_code == 200
        assert await until(lambda: stage.heard.has("call.hangup", call))

        assert told(await http.post(action(call), json=SPEAK)) == (422, "90018", "CALL_ENDED")
        assert (await http.post(action(call, "hangup"), json={})).status_code == 200
        assert len(stage.effects()) == 1

    async def test_what_was_sent_and_never_answered_is_504(self, stage: Stage, http: httpx.AsyncClient):
        """
        And an SDK is kept from dialling again.
        """
        stage.faults({"match": {"action": "dial"}, "status": 500, "happens": True})
        answer = await http.post("/v2/calls", json=DIAL)

        assert told(answer) == (504, "99061", "TELNYX_ERROR")
        assert (state(answer), answer.headers["x-should-retry"]) == ("UNKNOWN", "false")
        assert len(stage.effects()) == 1


class TestBadInput:
    @pytest.mark.parametrize("key", ["", "Bearer", "Bearer nobody's", "Basic key", "key"])
    async def test_nobody_is_let_in_without_a_key(self, http: httpx.AsyncClient, key: str):
        """
        Whatever the path; the answer does not repeat it.
        """
        for path in (NOBODY, "/v2/anything", "/v2/calls"):
            answer = await http.post(path, json=SPEAK, headers={"authorization": key})
            assert told(answer) == (401, "10009", "KEY_UNKNOWN")
            assert "nobody's" not in answer.text

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff", b'"text"', b"[" * 100_000])
    async def test_no_json(self, http: httpx.AsyncClient, body: bytes):
        """
        400, and nothing was accepted.
        """
        assert told(await http.post(NOBODY, content=body)) == (400, "10028", "BODY_NOT_JSON")

    @pytest.mark.parametrize("path", ["/", "/v1/calls", "/calls", "/v2", "/metrics", "/v22/calls"])
    async def test_no_such_path(self, http: httpx.AsyncClient, path: str):
        """
        Beside Telnyx's API there is nothing.
        """
        assert told(await http.post(path, json={})) == (404, "10005", "NOWHERE")

    async def test_another_method(self, http: httpx.AsyncClient):
        """
        405, and which one would be right.
        """
        answer = await http.put(NOBODY, json=SPEAK)

        assert told(answer) == (405, "10005", "WRONG_METHOD")
        assert answer.headers["allow"] == "POST"

    async def test_too_large(self, http: httpx.AsyncClient):
        """
        A body that is not even read, and a command that is larger than any.
        """
        for size in (8 * 1024 * 1024, 600 * 1024, 200 * 1024):
            answer = await http.post(NOBODY, json={**SPEAK, "novel": "x" * size})
            assert told(answer) == (413, "99081", "COMMAND_TOO_LARGE")

    async def test_wrong_fields(self, http: httpx.AsyncClient):
        """
        All at once, by their places.
        """
        answer = await http.post(NOBODY, json={"service_level": "x"})

        assert told(answer) == (422, "10004", "INVALID_COMMAND")
        assert sorted(one["source"]["pointer"] for one in answer.json()["errors"]) == [
            "/payload",
            "/service_level",
            "/voice",
        ]

    @pytest.mark.parametrize("call", ["%20", "a%20b", "dial:x", "x" * 600])
    async def test_no_name_of_a_call(self, http: httpx.AsyncClient, call: str):
        """
        As Telnyx says of one that it never gave.
        """
        answer = await http.post(f"/v2/calls/{call}/actions/speak", json=SPEAK)

        assert told(answer) == (422, "90015", "INVALID_COMMAND")
        assert answer.json()["errors"][0]["source"]["pointer"] == "/call_control_id"

    async def test_what_came_to_nothing_may_be_sent_again(self, http: httpx.AsyncClient):
        """
        Only after acceptance it may not.
        """
        assert "x-should-retry" not in (await http.post(NOBODY, content=b"{")).headers


class TestTrouble:
    async def test_a_body_that_does_not_come(self, stage: Stage, monkeypatch: pytest.MonkeyPatch):
        """
        408, and who waits is not kept for ever.
        """
        monkeypatch.setattr(stage.rest._door, "_settings", Rest(port=0, body_seconds_max=0.05))
        host, port = stage.rest_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {NOBODY} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer key\r\ncontent-length: 9\r\n\r\n"
        writer.write(head.encode() + b"{")

        assert b"408" in await reader.readline()
        assert b"BODY_TOO_SLOW" in await reader.readuntil(b"}]}")
        writer.close()

    async def test_a_fault_of_our_own(self, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
        """
        500; and as nobody knows how far it came, it is not sent again.
        """
        monkeypatch.setattr(door, "command_of", no_room)
        answer = await http.post(NOBODY, json=SPEAK)

        assert told(answer) == (500, "10007", "BROKEN")
        assert answer.headers["x-should-retry"] == "false"

    async def test_a_log_that_cannot_be_written(self, stage: Stage, http: httpx.AsyncClient):
        """
        503, and nothing was accepted: to be sent again.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "commit", no_room)
            answer = await http.post(NOBODY, json=SPEAK)

        assert told(answer) == (503, "10007", "LOG_UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"
        assert "x-should-retry" not in answer.headers

    async def test_a_log_that_does_not_say_is_given_the_same_again(
        self, stage: Stage, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ):
        """
        The record is there, its acknowledgement was lost: one call, and one answer.
        """
        lost = Lost(monkeypatch, times=2)
        answer = await http.post("/v2/calls", json=DIAL)

        assert answer.status_code == 200
        assert lost.times == 0
        assert len(stage.effects()) == 1

    @pytest.mark.parametrize("own", [{}, {"command_id": "mine"}])
    async def test_a_log_that_never_says(
        self, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, own: dict[str, str]
    ):
        """
        504; who gave no id must not send it again, for nobody else could know it.
        """
        Lost(monkeypatch, times=1_000)
        answer = await http.post("/v2/calls", json={**DIAL, **own}, headers={"x-stainless-read-timeout": "1.2"})

        assert told(answer) == (504, "99089", "ACCEPTANCE_UNKNOWN")
        assert state(answer) == "OPEN"
        assert ("x-should-retry" in answer.headers) == (not own)

    async def test_a_wait_that_is_over(self, stage: Stage, http: httpx.AsyncClient):
        """
        Before the caller's own patience ends, it is told that it is still open; what comes of it does come.
        """
        call = await stage.call()
        stage.door.hold("slow")
        body = {**SPEAK, "command_id": "slow", "client_state": "c2xvdw=="}
        answer = await http.post(action(call), json=body, headers={"x-stainless-read-timeout": "1"})

        assert told(answer) == (504, "10008", "OPEN")
        assert (state(answer), answer.headers["x-should-retry"]) == ("OPEN", "false")
        stage.door.let_go("slow")
        assert await stage.ended("slow") == []

    async def test_a_caller_that_goes_away_changes_nothing(self, stage: Stage, http: httpx.AsyncClient):
        """
        And its SDK's retry, which carries no id, is the same command: one call, and the first one's answer.
        """
        stage.faults({"match": {"action": "dial"}, "answer_latency_ms": 1_500, "times": 1})
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/v2/calls", json=DIAL, headers={RETRY: "0"}, timeout=0.5)
        answer = await http.post("/v2/calls", json=DIAL, headers={RETRY: "1"})

        assert answer.status_code == 200
        assert len([one for one in stage.effects() if one.happened]) == 1
        assert answer.json()["data"]["call_control_id"] == stage.effects()[0].call_control_id

    async def test_a_retry_of_what_may_have_been_accepted_is_never_told_that_nothing_was(
        self, stage: Stage, http: httpx.AsyncClient
    ):
        """
        The log is away by then: that nothing of this try was accepted says nothing about the first one.
        """
        stage.faults({"match": {"action": "dial"}, "answer_latency_ms": 3_000, "times": 1})
        with pytest.raises(httpx.ReadTimeout):
            await http.post("/v2/calls", json=DIAL, headers={RETRY: "0"}, timeout=0.5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "commit", no_room)
            again = {RETRY: "1", "x-stainless-read-timeout": "1"}
            answer = await http.post("/v2/calls", json=DIAL, headers=again)

        assert told(answer) == (504, "99089", "ACCEPTANCE_UNKNOWN")
        assert answer.headers["x-should-retry"] == "false"

    async def test_a_retry_is_not_sent_elsewhere_by_who_knows_it(
        self, stage: Stage, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ):
        """
        A door that has too much to do, or that is being closed, turns away what is new, and not what it has accepted.
        """
        monkeypatch.setattr(stage.rest._door, "_settings", Rest(port=0, concurrent_max=1))
        call = await stage.call()
        stage.door.hold("slow")
        body = {**SPEAK, "client_state": "c2xvdw=="}
        with pytest.raises(httpx.ReadTimeout):
            await http.post(action(call), json=body, headers={RETRY: "0"}, timeout=0.5)
        assert await until(lambda: stage.door.inside("slow") and not stage.rest._door._in_hand)
        other = asyncio.create_task(http.post(action(call), json=SPEAK))
        assert await until(lambda: stage.rest._door._in_hand == 1)
        assert told(await http.post(NOBODY, json=SPEAK, headers={RETRY: "1"}))[2] == "OVERLOADED"
        again = asyncio.create_task(http.post(action(call), json=body, headers={RETRY: "1"}))
        assert await until(lambda: stage.rest._door._in_hand == 2)
        stage.door.let_go("slow")

        assert [one.status_code for one in await asyncio.gather(again, other)] == [200, 200]
        assert len(stage.effects()) == 2

    async def test_what_does_not_say_that_it_is_a_retry_is_a_new_command(self, stage: Stage, http: httpx.AsyncClient):
        """
        Two equal requests are two calls.
        """
        for _ in range(2):
            await http.post("/v2/calls", json=DIAL, headers={RETRY: "0"})

        assert len(stage.effects()) == 2

    async def test_too_many_at_once(self, stage: Stage, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
        """
        429 with the limit's headers; who was let in is served.
        """
        monkeypatch.setattr(stage.rest._door, "_settings", Rest(port=0, concurrent_max=1))
        stage.door.hold("slow")
        call = await stage.call()
        first = asyncio.create_task(
            http.post(action(call), json={**SPEAK, "command_id": "slow", "client_state": "c2xvdw=="})
        )
        assert await until(lambda: stage.door.inside("slow"))
        answer = await http.post(NOBODY, json=SPEAK)
        stage.door.let_go("slow")

        assert told(answer) == (429, "10011", "OVERLOADED")
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert {"x-ratelimit-limit", "x-ratelimit-reset", "retry-after"} <= set(answer.headers)
        assert (await first).status_code == 200

    async def test_a_restart_forgets_first_tries_and_no_ids(self, stage: Stage):
        """
        A retry without an id is a new command then; under an id it is the same one, as before.
        """
        keyed = {"authorization": "Bearer key", "idempotency-key": "k1", RETRY: "0"}
        bare = {"authorization": "Bearer key", RETRY: "0"}
        for headers in (keyed, bare):
            await _dial(stage, headers)
        await stage.close()
        await stage.open()
        answers = [await _dial(stage, headers | {RETRY: "1"}) for headers in (keyed, bare)]

        assert [one.headers.get("x-cordboard-replayed") for one in answers] == ["true", None]
        assert len(stage.effects()) == 3

    async def test_a_stop_answers_who_waits(self, stage: Stage, http: httpx.AsyncClient):
        """
        That it is still open; and what was accepted survives.
        """
        call = await stage.call()
        stage.door.hold("slow")
        body = {**SPEAK, "command_id": "slow", "client_state": "c2xvdw=="}
        waiting = asyncio.create_task(http.post(action(call), json=body))
        assert await until(lambda: stage.door.inside("slow"))
        await stage.close()

        assert told(await waiting) == (504, "10008", "OPEN")
        stage.door.let_go("slow")
        await stage.open()
        assert await stage.ended("slow") == []


async def _dial(stage: Stage, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stage.rest_url, headers=headers, timeout=30, trust_env=False) as http:
        return await http.post("/v2/calls", json=DIAL)


class Lost:
    """An embedded log that appends commands, and so many times does not say so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.times = times
        append = EmbeddedLog.append

        async def silent(log: EmbeddedLog, records: Any) -> Any:
            appended = await append(log, records)
            if self.times and any(record.topic == "cordboard.commands" for record in records):
                self.times -= 1
                raise AppendUncertain("no acknowledgement")
            return appended

        monkeypatch.setattr(EmbeddedLog, "append", silent)


class TestPassing:
    async def test_a_call_can_be_asked_for(self, stage: Stage, http: httpx.AsyncClient):
        """
        Telnyx answers: it is the one who knows.
        """
        call = await stage.call()
        answer = await http.get(f"/v2/calls/{call}")

        assert answer.json()["data"]["call_control_id"] == call
        assert answer.json()["data"]["is_alive"] is True

    async def test_everything_else_goes_on_as_it_is(self, tmp_path: Path):
        """
        Verb, path as encoded, query, headers and body; and back: status, headers and body, packed or not.
        """
        headers = {"x-mine": "1", "connection": "x-hop, keep-alive", "x-hop": "1"}
        content, url = _chunks(b"ab", b"c" * 100_000), "/v2/conferences/a%2Fb/x?q=%20a&q=b"
        async with upstream() as (seen, base_url), behind(tmp_path, base_url=base_url) as http:
            answer = await http.patch(url, headers=headers, content=content)

        assert (answer.status_code, answer.headers["x-theirs"], answer.content) == (418, "2", b"packed")
        (request,) = seen
        assert request["line"] == "PATCH /v2/conferences/a%2Fb/x?q=%20a&q=b"
        assert request["body"] == b"ab" + b"c" * 100_000
        assert request["headers"]["x-mine"] == "1"
        assert request["headers"]["authorization"] == "Bearer key"
        assert "x-hop" not in request["headers"]
        assert request["headers"]["host"] == base_url.split("/")[2]

    async def test_a_key_of_ours_is_changed_into_telnyxs(self, tmp_path: Path):
        """
        A service that holds only a key of ours never sees the account's.
        """
        ours = hashlib.sha256(b"ours").hexdigest()
        async with (
            upstream() as (seen, base_url),
            behind(tmp_path, base_url=base_url, door_key_sha256=ours) as http,
        ):
            await http.get("/v2/phone_numbers", headers={"authorization": "Bearer ours"})

        assert seen[0]["headers"]["authorization"] == "Bearer key"

    async def test_a_key_of_ours_goes_nowhere_else(self, tmp_path: Path):
        """
        A process that has no key of the account sends nothing; Telnyx never sees ours.
        """
        ours = hashlib.sha256(b"ours").hexdigest()
        async with (
            upstream() as (seen, base_url),
            behind(tmp_path, base_url=base_url, door_key_sha256=ours, api_key=None) as http,
        ):
            answer = await http.get("/v2/phone_numbers", headers={"authorization": "Bearer ours"})

        assert told(answer) == (502, "10007", "PASSED_UNSENT")
        assert seen == []

    async def test_telnyx_that_cannot_be_reached(self, tmp_path: Path):
        """
        502: nothing was sent.
        """
        async with behind(tmp_path, base_url="http://127.0.0.1:1/v2") as http:
            answer = await http.get("/v2/phone_numbers")

        assert told(answer) == (502, "10007", "PASSED_UNSENT")

    @pytest.mark.parametrize(("method", "forbidden"), [("GET", False), ("POST", True)])
    async def test_telnyx_that_does_not_answer(self, tmp_path: Path, method: str, forbidden: bool):
        """
        504: and what may have had an effect is not sent again by itself.
        """
        async with hanging_up() as base_url, behind(tmp_path, base_url=base_url) as http:
            answer = await http.request(method, "/v2/phone_numbers")

        assert told(answer) == (504, "10008", "PASSED_UNANSWERED")
        assert ("x-should-retry" in answer.headers) == forbidden


async def _chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@asynccontextmanager
async def behind(directory: Path, **account: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a Cordboard whose account is set up in a way of its own."""
    headers = {"authorization": "Bearer key"}
    async with (
        Stage(directory, **account) as stage,
        httpx.AsyncClient(base_url=stage.rest_url, headers=headers, timeout=30, trust_env=False) as http,
    ):
        yield http


@asynccontextmanager
async def hanging_up() -> AsyncIterator[str]:
    """Somebody in Telnyx's place who listens, and hangs up."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2"


@asynccontextmanager
async def upstream() -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
    """A server in Telnyx's place that keeps what it was sent, and answers something packed."""
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        line = f"{scope['method']} {scope['raw_path'].decode()}{query}"
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen.append({"line": line, "headers": headers, "body": body})
        sent = [(b"x-theirs", b"2"), (b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 418, "headers": sent})
        await send({"type": "http.response.body", "body": gzip.compress(b"packed")})

    async with HttpServer(app, "127.0.0.1", 0, drain_seconds=0.1) as server:
        yield seen, f"{server.url}/v2"
