"""Telnyx's API over HTTP: keys, URLs, bodies, states, and what is ignored as a repeat."""

import base64
import random

import pytest

from sandbox.api import Api, Reply
from sandbox.core.bodies import SCHEMAS
from sandbox.settings import Settings
from sandbox.station import Station

DIAL = {"to": "+13125550200", "from": "+13125550100", "connection_id": "1"}


DIAL_BODY = b'{"to":"+13125559908","from":"+13125550100","connection_id":"1"}'


class TestDoor:
    async def test_a_key_is_needed(self, desk):
        """
        401 with 10009, whatever else is wrong.
        """
        for headers in ({"authorization": ""}, {"authorization": "Bearer "}, {"authorization": "Basic key"}):
            status, answer = await desk.ask("POST", "/v2/calls", {}, headers=headers)
            assert (status, answer["errors"][0]["code"]) == (401, "10009")

    async def test_only_known_keys_open_where_keys_are_set(self, desk):
        """
        The default takes any key that is not empty.
        """
        await desk.ask("PUT", "/sandbox/settings", {"api_keys": ["right"]})

        assert (await desk.ask("POST", "/v2/calls", DIAL))[0] == 401
        assert (await desk.ask("POST", "/v2/calls", DIAL, headers={"authorization": "Bearer right"}))[0] == 200

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("POST", "/v2/nowhere", 404),
            ("POST", "/v2", 404),
            ("POST", "/v2/calls/v3:x/actions/dance", 404),
            ("GET", "/v2/calls", 405),
            ("POST", "/v2/calls/v3:x", 405),
            ("PUT", "/v2/calls/v3:x/actions/speak", 405),
            ("POST", "/v2/calls/v3:x/actions/client_state_update", 405),
        ],
    )
    async def test_wrong_urls_and_verbs(self, desk, method, path, status):
        """
        404 and 405 in Telnyx's error format.
        """
        got, answer = await desk.ask(method, path, {})
        assert (got, answer["errors"][0]["code"]) == (status, "10005")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
    async def test_a_body_must_be_a_json_object(self, desk, body):
        """
        400 with 10028, also for no body at all.
        """
        async with desk.http.post(desk.server.base_url + "/calls", data=body) as answer:
            assert (answer.status, (await answer.json())["errors"][0]["code"]) == (400, "10028")

    async def test_an_error_names_the_field(self, desk):
        """
        `errors` with code, title, detail, source.pointer and meta.url.
        """
        _, answer = await desk.ask("POST", "/v2/calls", {**DIAL, "to": None})
        (error,) = answer["errors"]

        assert error["code"] == "10004"
        assert error["source"] == {"pointer": "/to"}
        assert set(error) == {"code", "title", "detail", "source", "meta"}

    async def test_an_unknown_application_cannot_dial(self, desk):
        """
        422 with 10015, where applications are configured.
        """
        await desk.ask("PUT", "/sandbox/settings", {"connection_ids": ["7"]})
        status, answer = await desk.ask("POST", "/v2/calls", DIAL)

        assert (status, answer["errors"][0]["code"]) == (422, "10015")

    async def test_an_id_may_be_percent_encoded(self, desk):
        """
        v3%3A... is v3:...
        """
        call = await desk.answered()
        status, code = await desk.do(call.replace(":", "%3A"), "send_dtmf", digits="1")

        assert (status, code) == (200, None)


class TestState:
    def needs(self) -> dict[str, dict[str, str]]:
        return {
            "playback_start": {"media_name": "m"},
            "speak": {"payload": "x", "voice": "female"},
            "gather_using_speak": {"payload": "x", "voice": "female"},
            "send_dtmf": {"digits": "1"},
            "record_start": {"format": "mp3", "channels": "dual"},
            "streaming_start": {"stream_url": "wss://x"},
            "fork_start": {"target": "udp:1.2.3.4:5"},
            "bridge": {"queue": "q"},
            "transfer": {"to": "+13125550300"},
            "refer": {"sip_address": "sip:a@b"},
            "enqueue": {"queue_name": "q"},
            "reject": {"cause": "USER_BUSY"},
            "client_state_update": {"client_state": "YQ=="},
        }

    async def test_legality_before_during_and_after(self, desk):
        """
        All 27 actions: unknown call 90015, not answered 90034 (but for five; 90020 for a recording), ended 90018.
        """
        ringing = await desk.dial("+13125559905")
        ended = await desk.dial("+13125559905")
        await desk.do(ended, "hangup")
        early = {"answer", "hangup", "reject", "client_state_update", "refer"}
        for action in sorted(set(SCHEMAS) - {"dial"}):
            body = self.needs().get(action, {})
            assert await desk.do("v3:nobody", action, **body) == (422, "90015"), action
            assert await desk.do(ended, action, **body) == (422, "90018"), action
            if action not in early:
                code = "90020" if action == "record_start" else "90034"
                assert await desk.do(ringing, action, **body) == (422, code), action

    async def test_wrong_fields_come_before_an_unknown_call(self, desk):
        """
        The body is checked first.
        """
        assert await desk.do("v3:nobody", "speak") == (422, "10004")

    async def test_a_call_can_be_asked_for(self, desk):
        """
        GET /calls/{id}: alive while answered; unknown 404.
        """
        call = await desk.answered(client_state="YQ==")
        _, answer = await desk.ask("GET", f"/v2/calls/{call}")
        assert answer["data"]["is_alive"] is True
        assert answer["data"]["client_state"] == "YQ=="

        await desk.do(call, "hangup")
        _, answer = await desk.ask("GET", f"/v2/calls/{call}")
        assert answer["data"]["is_alive"] is False
        assert "end_time" in answer["data"]
        assert (await desk.ask("GET", "/v2/calls/v3:nobody"))[0] == 404

    async def test_newer_commands_are_taken(self, desk):
        """
        What Telnyx added since 2023 is recorded, with the checks of body and state; its answer may name what began.
        """
        call = await desk.answered()
        assert await desk.do(call, "suppression_start", direction="inbound") == (200, None)
        assert await desk.do(call, "suppression_start", direction="up") == (422, "10032")
        _, answer = await desk.ask("POST", f"/v2/calls/{call}/actions/ai_assistant_start", {"command_id": "a"})
        again = await desk.ask("POST", f"/v2/calls/{call}/actions/ai_assistant_start", {"command_id": "a"})

        effect, _ = await desk.effects(action="suppression_start")
        assert effect["body"] == {"direction": "inbound"}
        assert answer["data"]["conversation_id"]
        assert again == (200, answer)

    async def test_newer_commands_are_posted(self, desk):
        """
        Also switch_supervisor_role, which has neither command_id nor client_state: POST in the document and the client.
        """
        call = await desk.answered(supervise_call_control_id="v3:other")

        assert await desk.do(call, "switch_supervisor_role", role="whisper") == (200, None)

    async def test_what_has_no_command_id_happens_every_time(self, desk):
        """
        siprec_start: the same body twice is two sessions.
        """
        call = await desk.answered()
        for _ in range(2):
            assert await desk.do(call, "siprec_start", command_id="a") == (200, None)

        assert [effect["happened"] for effect in await desk.effects(action="siprec_start")] == [True, True]


class StillTime:
    """Time that the test moves: sandbox time and real time alike."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    elapsed = now
    unix = now

    def unix_at(self, moment: float) -> float:
        return moment

    def wake_at(self, moment, wake):
        return self

    def cancel(self) -> None:
        pass

    def set_speed(self, speed: float) -> None:
        pass


class Client:
    """The API without a transport, in time that the test moves."""

    def __init__(self, **settings) -> None:
        self.time = StillTime()
        self.station = Station(Settings(quiet=True, **settings), scheduler=self.time, rng=random.Random(3))
        self.api = Api(self.station)

    async def reply(self, path: str, body: bytes) -> Reply:
        return await self.api.handle("POST", f"/v2/calls{path}", "Bearer key", body)

    async def send(self, path: str, body: bytes) -> tuple[int, bytes]:
        reply = await self.reply(path, body)
        return reply.status, reply.body

    async def dial(self, command_id: str = "") -> tuple[int, bytes]:
        return await self.send(
            "",
            b'{"to":"+13125559908","from":"+13125550100","connection_id":"1","command_id":"%s"}' % command_id.encode(),
        )

    def effects(self) -> list[tuple[str, bool, bool]]:
        return [(e.action, e.happened, e.ignored_as_repeat) for e in self.station.truth.effects]


class TestCommandId:
    async def test_a_repeated_dial_is_the_first_one(self):
        """
        The same ids within 60 s, by command_id alone; after that another call.
        """
        client = Client()
        first = await client.dial("a")
        client.time.seconds = 59.9
        assert await client.dial("a") == first
        assert await client.dial("b") != first

        client.time.seconds = 60
        assert await client.dial("a") != first
        assert client.effects() == [
            ("dial", True, False),
            ("dial", False, True),
            ("dial", True, False),
            ("dial", True, False),
        ]
        assert len({effect.call_control_id for effect in client.station.truth.effects}) == 3

    async def test_a_repeated_action_does_nothing_within_a_minute(self):
        """
        Per call, from the first one on, and not prolonged by repeats.
        """
        client = Client()
        await client.dial()
        await client.dial()
        one, other = client.station.exchange.calls
        client.time.seconds = 1
        dtmf = b'{"digits":"1","command_id":"x"}'
        for seconds, call in ((1, one), (1, other), (60.9, one), (61, one)):
            client.time.seconds = seconds
            assert (await client.send(f"/{call}/actions/send_dtmf", dtmf)) == (200, b'{"data":{"result":"ok"}}')

        assert [repeat for _, _, repeat in client.effects()[2:]] == [False, False, True, False]

    async def test_without_an_id_everything_happens_twice(self):
        """
        Empty and absent ids are none.
        """
        client = Client()
        assert await client.dial() != await client.dial()

    async def test_a_repeated_hangup_is_answered_like_the_first(self):
        """
        Though the call has ended since; a new id meets 90018.
        """
        client = Client()
        await client.dial()
        (call,) = client.station.exchange.calls
        assert (await client.send(f"/{call}/actions/hangup", b'{"command_id":"x"}'))[0] == 200
        assert (await client.send(f"/{call}/actions/hangup", b'{"command_id":"x"}'))[0] == 200
        assert (await client.send(f"/{call}/actions/hangup", b'{"command_id":"y"}'))[0] == 422

    async def test_a_refused_command_does_not_use_its_id_up(self):
        """
        The same id may come again, corrected.
        """
        client = Client()
        await client.dial()
        (call,) = client.station.exchange.calls
        client.time.seconds = 1
        assert (await client.send(f"/{call}/actions/fork_stop", b'{"command_id":"x"}'))[0] == 422
        fork = b'{"command_id":"x","target":"udp:1.2.3.4:5"}'
        assert (await client.send(f"/{call}/actions/fork_start", fork))[0] == 200
        assert client.effects()[-1] == ("fork_start", True, False)

    async def test_a_client_state_update_has_none(self):
        """
        The one command without a command_id: the last one counts, whatever it carries.
        """
        client = Client()
        await client.dial()
        (call,) = client.station.exchange.calls.values()
        path = f"/v2/calls/{call.id}/actions/client_state_update"
        for state in (b"YQ==", b"Yg=="):
            body = b'{"client_state":"%s","command_id":"x"}' % state
            assert (await client.api.handle("PUT", path, "Bearer key", body)).status == 200

        assert call.client_state == "Yg=="


async def test_dials_can_be_limited_as_telnyx_does():
    """
    Counted over five rolling seconds; beyond them 429 with 90103.
    """
    client = Client(dials_per_second=1, refused_dials_count=False)
    for _ in range(5):
        assert (await client.dial())[0] == 200
    client.time.seconds = 2
    reply = await client.reply("", DIAL_BODY)
    assert reply.status == 429
    assert b"90103" in reply.body
    assert reply.headers["x-ratelimit-limit"] == "1"
    assert reply.headers["x-ratelimit-reset"] == "3"

    client.time.seconds = 5
    assert (await client.dial())[0] == 200


async def test_a_dial_that_the_limit_refused_counts_towards_it():
    """
    Who dials on in spite of it waits until the refused ones have left the window as well.
    """
    client = Client(dials_per_second=1)
    for _ in range(5):
        assert (await client.dial())[0] == 200
    client.time.seconds = 2
    reply = await client.reply("", DIAL_BODY)
    assert (reply.status, reply.headers["x-ratelimit-reset"]) == (429, "3")

    client.time.seconds = 4
    reply = await client.reply("", DIAL_BODY)
    assert (reply.status, reply.headers["x-ratelimit-reset"]) == (429, "1")

    client.time.seconds = 5
    assert [(await client.dial())[0] for _ in range(4)] == [200, 200, 200, 429]


async def test_requests_can_be_limited():
    """
    So many in a second, whatever they are; beyond them 429 with 10011, and no effect.
    """
    client = Client(requests_per_second=2)
    assert [(await client.dial())[0] for _ in range(3)] == [200, 200, 429]
    assert [effect.refused for effect in client.station.truth.effects] == [None, None, "10011"]

    client.time.seconds = 1
    assert (await client.dial())[0] == 200


async def test_every_answer_says_what_is_left_of_a_limit():
    """
    x-ratelimit-* come with refusals of other kinds, too; without a limit there are none.
    """
    client = Client(requests_per_second=3)
    replies = [await client.reply("", body) for body in (DIAL_BODY, b"{}", DIAL_BODY, DIAL_BODY)]
    assert [reply.status for reply in replies] == [200, 422, 200, 429]
    assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == ["2", "1", "0", "0"]
    assert {reply.headers["x-ratelimit-limit"] for reply in replies} == {"3"}

    assert "x-ratelimit-limit" not in (await Client().reply("", DIAL_BODY)).headers


async def test_the_truth_is_bounded():
    """
    The oldest effects are forgotten, and their number shows it.
    """
    client = Client(effects_max=2)
    for _ in range(3):
        await client.dial()

    assert [effect.n for effect in client.station.truth.effects] == [2, 3]


async def test_the_truth_says_what_was_refused(desk):
    """
    Refused commands are in the list, flagged with their code and the status answered.
    """
    call = await desk.answered()
    await desk.do(call, "speak")
    await desk.do(call, "speak", payload="x", voice="female", command_id="c")

    refused, done = await desk.effects(call=call, action="speak")
    assert (refused["happened"], refused["refused"], refused["status"]) == (False, "10004", 422)
    assert (done["happened"], done["refused"], done["status"], done["command_id"]) == (True, None, 200, "c")


async def test_what_is_in_the_middle_of_an_id_does_not_matter():
    """
    Call ids are URL-safe Base64, so a path segment needs no encoding.
    """
    client = Client()
    await client.dial()
    (call,) = client.station.exchange.calls
    assert len(base64.urlsafe_b64decode(call.removeprefix("v3:") + "==")) == 40
