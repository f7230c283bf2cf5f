"""A card's number is taken: no recording hears it, and Cordboard masks it wherever people look (docs/pci.md)."""

from __future__ import annotations

from cordboard.client import Call

PROMPT = "Please enter the number of your card, and then the pound key."


async def take_card(call: Call) -> str:
    """The number that the caller keys in; "" for none, or if the caller is gone. A recording must be on."""
    pause = await call.record_pause()
    await pause.result()  # Raises where it does not succeed: then nothing is asked.
    try:
        return await _asked(call)
    finally:
        await call.record_resume()


async def _asked(call: Call) -> str:
    async with call.events("call.gather.ended", "call.hangup") as endings:
        gather = await call.gather_using_speak(
            payload=PROMPT,
            voice="female",
            language="en-US",
            minimum_digits=12,
            maximum_digits=19,
            terminating_digit="#",
            sensitive=True,
        )
        await gather.result()
        async for ending in endings:
            if ending.type == "call.hangup" or ending.command_id == gather.command_id:
                return str(ending.payload.get("digits") or "")
    return ""
