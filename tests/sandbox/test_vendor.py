"""The vendor's own client against the sandbox: what it sends is understood, what it gets is what it expects."""

from collections.abc import AsyncIterator

import pytest
from telnyx import AsyncTelnyx, AuthenticationError, UnprocessableEntityError


@pytest.fixture
async def telnyx(desk) -> AsyncIterator[AsyncTelnyx]:
    async with AsyncTelnyx(api_key="key", base_url=desk.server.base_url, max_retries=0) as client:
        yield client


async def test_a_call_from_dial_to_hangup(telnyx, desk, inbox):
    """
    Dialled, spoken to, asked, and ended by the official SDK.
    """
    dialled = await telnyx.calls.dial(connection_id="1", from_="+13125550100", to="+13125559908")
    call = dialled.data.call_control_id
    await inbox.until(2)
    await telnyx.calls.actions.speak(call, payload="hello", voice="female", language="en-US")
    await telnyx.calls.actions.gather(call, minimum_digits=1)
    status = await telnyx.calls.retrieve_status(call)
    ended = await telnyx.calls.actions.hangup(call)

    assert dialled.data.is_alive is False
    assert status.data.is_alive is True
    assert ended.data.result == "ok"
    assert [effect["action"] for effect in await desk.effects() if effect["happened"]] == [
        "dial",
        "speak",
        "gather",
        "hangup",
    ]


async def test_a_bridge_names_the_other_leg_in_its_body(telnyx, desk):
    """
    Path and body both have a call_control_id.
    """
    one, other = await desk.answered(), await desk.answered()
    await telnyx.calls.actions.bridge(one, call_control_id_to_bridge_with=other)

    _, shown = await desk.ask("GET", f"/sandbox/calls/{one}")
    assert shown["bridged_with"] == other


async def test_refusals_are_the_exceptions_that_it_knows(telnyx, desk):
    """
    422 with the code in the body; 401 without a good key.
    """
    call = await desk.answered()
    await telnyx.calls.actions.hangup(call)
    with pytest.raises(UnprocessableEntityError) as refused:
        await telnyx.calls.actions.hangup(call)
    assert refused.value.body["errors"][0]["code"] == "90018"

    await desk.ask("PUT", "/sandbox/settings", {"api_keys": ["other"]})
    with pytest.raises(AuthenticationError):
        await telnyx.calls.actions.hangup(call)
