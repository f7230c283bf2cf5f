"""Faults on demand, each as a client really meets it over a socket."""

import asyncio

import aiohttp
import orjson
import pytest

from sandbox.app import App, ConnectionCut
from sandbox.faults import Faults
from sandbox.settings import Settings
from sandbox.station import Station

DIAL = {"to": "+13125559905", "from": "+13125550100", "connection_id": "1", "command_id": "a"}


class TestRules:
    def strikes(self, faults: Faults, count: int = 6) -> list[bool]:
        return [faults.for_request("POST", "dial", None, None) is not None for _ in range(count)]

    def test_a_rule_may_wait_and_end(self):
        """
        `skip` lets some pass, `times` ends it, and `applied` counts.
        """
        faults = Faults()
        faults.set([{"skip": 2, "times": 3, "status": 500}])

        assert self.strikes(faults) == [False, False, True, True, True, False]
        assert faults.as_json()[0]["applied"] == 3

    def test_chance_repeats_with_its_seed(self):
        """
        The same seed strikes the same requests.
        """
        rule = {"probability": 0.5, "seed": 4, "latency_ms": 1}
        faults, again = Faults(), Faults()
        faults.set([rule])
        again.set([rule])
        strikes = self.strikes(faults, 50)

        assert strikes == self.strikes(again, 50)
        assert {True, False} == set(strikes)

    @pytest.mark.parametrize(
        ("match", "fits"),
        [
            ({}, True),
            ({"action": "speak"}, True),
            ({"action": "s*"}, True),
            ({"action": "gather*"}, False),
            ({"method": "PUT"}, False),
            ({"call": "v3:a", "command_id": "c"}, True),
            ({"call": "v3:b"}, False),
            ({"command_id": "d"}, False),
        ],
    )
    def test_a_rule_fits_what_it_names(self, match, fits):
        """
        Everything that is set must agree.
        """
        faults = Faults()
        faults.set([{"match": match, "status": 500}])

        assert (faults.for_request("POST", "speak", "v3:a", "c") is not None) is fits

    @pytest.mark.parametrize("rule", [{"sttaus": 500}, {"cut": "sideways"}, {"on": "moon"}, "cut", {"match": {"x": 1}}])
    def test_what_is_not_a_rule_is_refused(self, rule):
        """
        A misspelt fault would look like a system without faults.
        """
        with pytest.raises(ValueError, match=r"unknown|Invalid|Expected"):
            Faults().set([rule])


class TestCut:
    @pytest.mark.parametrize(("when", "happened"), [("before", False), ("after", True)])
    async def test_sent_then_dropped(self, desk, when, happened):
        """
        The client sees its connection closed without an answer, and only the truth knows whether the call exists.
        """
        await desk.faults({"match": {"action": "dial"}, "cut": when, "times": 1})

        with pytest.raises(aiohttp.ServerDisconnectedError):
            await desk.ask("POST", "/v2/calls", DIAL)
        (effect,) = await desk.effects()
        assert (effect["happened"], effect["status"], effect["fault"]) == (happened, None, f"cut {when}")
        _, calls = await desk.ask("GET", "/sandbox/calls")
        assert len(calls["calls"]) == happened

    async def test_not_a_byte_comes_back(self, desk):
        """
        As seen by a bare socket: the end of the stream, and nothing before it.
        """
        await desk.faults({"cut": "after"})
        host, port = desk.server.root_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = orjson.dumps(DIAL)
        head = f"POST /v2/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)

        assert await reader.read() == b""
        writer.close()

    async def test_a_repeat_after_the_cut_is_ignored(self, desk):
        """
        The dial happened; sent again it answers with the ids that the client never saw.
        """
        await desk.faults({"cut": "after", "times": 1})
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await desk.ask("POST", "/v2/calls", DIAL)
        status, answer = await desk.ask("POST", "/v2/calls", DIAL)

        first, repeat = await desk.effects()
        assert status == 200
        assert answer["data"]["call_control_id"] == first["call_control_id"]
        assert repeat["ignored_as_repeat"]

    async def test_the_server_goes_on(self, desk):
        """
        Other connections are not touched.
        """
        await desk.faults({"cut": "before", "times": 1})
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await desk.ask("POST", "/v2/calls", DIAL)

        assert (await desk.ask("POST", "/v2/calls", DIAL))[0] == 200

    async def test_without_a_connection_it_raises(self):
        """
        Under a test transport nothing can be closed: the application raises ConnectionCut.
        """
        station = Station(Settings(quiet=True))
        station.faults.set([{"cut": "after"}])
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v2/calls",
            "raw_path": b"/v2/calls",
            "headers": [(b"authorization", b"Bearer k")],
        }

        async def receive():
            return {"type": "http.request", "body": orjson.dumps(DIAL)}

        async def send(message):
            raise AssertionError(message)

        with pytest.raises(ConnectionCut):
            await App(station)(scope, receive, send)
        assert len(station.exchange.calls) == 1
        await station.close()


class TestAnswers:
    async def test_a_status_comes_in_place_of_the_effect(self, desk):
        """
        By default nothing happens; the body is Telnyx's 10007.
        """
        await desk.faults({"status": 503})
        status, answer = await desk.ask("POST", "/v2/calls", DIAL)

        assert (status, answer["errors"][0]["code"]) == (503, "10007")
        assert [effect["happened"] for effect in await desk.effects()] == [False]

    async def test_a_status_may_lie(self, desk):
        """
        `happens`: the call is there, though the answer is a 500, with a body and headers of choice.
        """
        await desk.faults({"status": 500, "happens": True, "error": "oops", "headers": {"x-odd": "1"}})
        async with desk.http.post(desk.server.base_url + "/calls", json=DIAL) as answer:
            assert (answer.status, await answer.text(), answer.headers["x-odd"]) == (500, "oops", "1")

        (effect,) = await desk.effects()
        assert (effect["happened"], effect["status"]) == (True, 500)

    async def test_a_rate_limit_says_when_to_come_back(self, desk):
        """
        429 with the three headers, and no effect.
        """
        await desk.faults({"rate_limit": {"limit": 10, "reset": 2, "code": "90103"}})
        async with desk.http.post(desk.server.base_url + "/calls", json=DIAL) as answer:
            assert answer.status == 429
            assert answer.headers["x-ratelimit-limit"] == "10"
            assert answer.headers["x-ratelimit-remaining"] == "0"
            assert answer.headers["x-ratelimit-reset"] == "2"
            assert (await answer.json())["errors"][0]["code"] == "90103"
        assert not (await desk.effects())[0]["happened"]

    async def test_half_an_answer(self, desk):
        """
        The body ends before its length.
        """
        await desk.faults({"answer": "truncated", "times": 1})
        with pytest.raises(aiohttp.ClientPayloadError):
            await desk.ask("POST", "/v2/calls", DIAL)
        assert (await desk.effects())[0]["happened"]

    @pytest.mark.parametrize(("answer", "body"), [("html", b"<html>"), ("empty", b""), ("giant", b'{"data"')])
    async def test_an_answer_that_nobody_expects(self, desk, answer, body):
        """
        200, and no JSON, nothing, or far too much; the command has happened.
        """
        await desk.faults({"answer": answer, "giant_bytes": 1_000_000})
        async with desk.http.post(desk.server.base_url + "/calls", json=DIAL) as got:
            content = await got.read()
        assert (got.status, content[:7].startswith(body[:7])) == (200, True)
        assert (len(content) > 1_000_000) == (answer == "giant")
        assert (await desk.effects())[0]["happened"]

    async def test_slowness_before_and_after_the_effect(self, desk):
        """
        A client that gives up has, or has not, called somebody.
        """
        call = await desk.answered()
        await desk.faults({"match": {"action": "send_dtmf"}, "latency_ms": 60_000})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(desk.do(call, "send_dtmf", digits="1"), 0.1)
        assert await desk.effects(action="send_dtmf") == []

        await desk.faults({"match": {"action": "send_dtmf"}, "answer_latency_ms": 60_000})
        asked = asyncio.ensure_future(desk.do(call, "send_dtmf", digits="1"))
        assert [effect["happened"] for effect in await desk.effects_until(1, action="send_dtmf")] == [True]
        assert not asked.done()
        asked.cancel()

    async def test_the_webhook_may_come_first(self, desk, inbox):
        """
        before_answer: call.initiated has arrived when the dial is answered.
        """
        await desk.faults({"match": {"action": "dial"}, "before_answer": True})
        await desk.dial("+13125559905")

        assert inbox.types() == ["call.initiated"]
