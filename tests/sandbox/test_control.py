"""The sandbox's own routes: the other end, the truth, settings, and beginning anew."""

import pytest


class TestTheOtherEnd:
    async def test_somebody_calls(self, desk, inbox):
        """
        An incoming call rings until it is answered by command.
        """
        status, call = await desk.ask("POST", "/sandbox/calls", {"from": "+13125550200", "to": "+13125550100"})
        assert (status, call["state"], call["direction"]) == (201, "parked", "incoming")
        await inbox.until(1)
        assert inbox.events()[0]["data"]["payload"]["direction"] == "incoming"

        assert await desk.do(call["call_control_id"], "answer") == (200, None)
        assert await inbox.until(2) == ["call.initiated", "call.answered"]

    async def test_keys_are_pressed(self, desk, inbox):
        """
        A gather hears them.
        """
        call = await desk.answered()
        await desk.do(call, "gather", timeout_millis=600_000)
        assert (await desk.ask("POST", f"/sandbox/calls/{call}/dtmf", {"digits": "1#"}))[0] == 200
        await inbox.until(5)

        assert inbox.events()[-1]["data"]["payload"]["digits"] == "1"

    @pytest.mark.parametrize(
        ("cause", "told"), [(None, "call_rejected"), ("CALL_REJECTED", "call_rejected"), ("USER_BUSY", "user_busy")]
    )
    async def test_a_ringing_call_is_rejected(self, desk, inbox, cause, told):
        """
        With the cause that is asked for.
        """
        call = await desk.dial("+13125559905")
        await desk.ask("POST", f"/sandbox/calls/{call}/reject", {"cause": cause} if cause else None)
        await inbox.until(2)

        assert inbox.events()[-1]["data"]["payload"]["hangup_cause"] == told

    async def test_what_cannot_be_done_is_said(self, desk):
        """
        404 for an unknown call, 409 for a wrong moment, 400 for what says nothing.
        """
        call = await desk.answered()
        await desk.ask("POST", f"/sandbox/calls/{call}/hangup")

        assert (await desk.ask("POST", "/sandbox/calls/v3:x/hangup"))[0] == 404
        assert (await desk.ask("GET", "/sandbox/calls/v3:x"))[0] == 404
        assert (await desk.ask("POST", f"/sandbox/calls/{call}/hangup"))[0] == 409
        assert (await desk.ask("POST", f"/sandbox/calls/{call}/answer"))[0] == 409
        assert (await desk.ask("POST", f"/sandbox/calls/{call}/dtmf", {"digits": "1"}))[0] == 409
        assert (await desk.ask("POST", f"/sandbox/calls/{call}/dtmf", {"digits": 1}))[0] == 400
        assert (await desk.ask("POST", "/sandbox/calls", {}))[0] == 400
        assert (await desk.ask("POST", "/sandbox/calls", []))[0] == 400
        assert (await desk.ask("PUT", "/sandbox/faults", {"rules": "all"}))[0] == 400
        assert (await desk.ask("PUT", "/sandbox/faults", [{"oops": 1}]))[0] == 400


class TestTruth:
    async def test_effects_are_in_order_and_can_be_chosen(self, desk):
        """
        By call, action, command_id, and from a number on.
        """
        call, other = await desk.answered(command_id="d"), await desk.answered()
        await desk.do(call, "send_dtmf", digits="1", command_id="x")
        await desk.do(other, "send_dtmf", digits="2")

        effects = await desk.effects()
        assert [effect["n"] for effect in effects] == [1, 2, 3, 4]
        assert [effect["action"] for effect in await desk.effects(call=call)] == ["dial", "send_dtmf"]
        assert [effect["body"]["digits"] for effect in await desk.effects(command_id="x")] == ["1"]
        assert [effect["n"] for effect in await desk.effects(since="3")] == [4]

    async def test_calls_are_shown(self, desk):
        """
        With their state, parties and ids.
        """
        call = await desk.answered()
        _, answer = await desk.ask("GET", f"/sandbox/calls/{call}")
        assert (answer["state"], answer["direction"]) == ("answered", "outgoing")
        _, everything = await desk.ask("GET", "/sandbox/calls")
        assert [shown["call_control_id"] for shown in everything["calls"]] == [call]

    async def test_reset_begins_anew(self, desk, inbox):
        """
        No calls, no truth, no faults, no memory of command_ids; keys and settings stay.
        """
        _, before = await desk.ask("GET", "/sandbox/public-key")
        call = await desk.dial("+13125559902", command_id="a")
        await desk.faults({"status": 500})
        await desk.ask("POST", "/sandbox/reset")

        assert await desk.effects() == []
        assert await desk.do(call, "hangup") == (422, "90015")
        assert await desk.dial("+13125559905", command_id="a") != call
        _, rules = await desk.ask("GET", "/sandbox/faults")
        assert rules == {"rules": []}
        assert (await desk.ask("GET", "/sandbox/public-key"))[1] == before


class TestSettings:
    async def test_time_can_be_made_faster_for_calls_that_ring_already(self, desk, inbox):
        """
        A speed set later counts for what is under way.
        """
        await desk.ask("PUT", "/sandbox/settings", {"speed": 0.001})
        await desk.dial("+13125550200")
        await desk.ask("PUT", "/sandbox/settings", {"speed": 1000})

        assert await inbox.until(2) == ["call.initiated", "call.answered"]

    async def test_settings_are_shown_and_checked(self, desk):
        """
        Unknown, wrong and fixed ones are refused by name, and change nothing; the signing key is not shown.
        """
        for patch, word in (
            ({"sped": 1}, "sped"),
            ({"speed": 0}, "speed"),
            ({"speed": "x"}, "speed"),
            ({"port": 1}, "port"),
            ({"dials_per_second": 0}, "dials_per_second"),
        ):
            status, answer = await desk.ask("PUT", "/sandbox/settings", patch)
            assert status == 400
            assert word in answer["error"]
        _, settings = await desk.ask("GET", "/sandbox/settings")
        assert settings["speed"] == 20
        assert "signing_key" not in settings
