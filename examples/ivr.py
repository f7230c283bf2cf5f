"""An IVR: answers every incoming call, asks for a key, then tells the hours or connects to the desk.

python examples/ivr.py [HOST:PORT] [DESK'S NUMBER]
"""

import asyncio
import sys

from cordboard import Call, Client, CommandFailed, NotCompleted

PROMPT = "For our hours, press one. To talk to somebody, press two."
HOURS = "We are here from nine to five. Goodbye."
SORRY = "We did not understand. Goodbye."
DESK, OURS = "+12025550100", "+12025550199"


async def ask(call: Call, text: str) -> str:
    """Say something and return the key that was pressed; "" for none, or if the caller is gone."""
    async with call.events("call.gather.ended", "call.hangup") as endings:
        gather = await call.gather_using_speak(payload=text, voice="female", language="en-US", maximum_digits=1)
        await gather.result()
        async for ending in endings:
            if ending.type == "call.hangup" or ending.command_id == gather.command_id:
                return str(ending.payload.get("digits") or "")
    return ""


async def say(call: Call, text: str) -> None:
    """Say something to its end."""
    speech = await call.speak(payload=text, voice="female", language="en-US")
    await speech.completed()


async def serve(call: Call, desk: str) -> None:
    """Lead one call from ringing to its end. Each command waits for the one before, in the call's line."""
    try:
        await call.answer()
        key = await ask(call, PROMPT)
        if key == "2":
            transfer = await call.transfer(to=desk, from_number=OURS)
            await transfer.completed()
            return
        await say(call, HOURS if key == "1" else SORRY)
        await call.hangup()
    except (CommandFailed, NotCompleted) as error:
        print(f"{call.id}: {error}")  # Mostly: the caller has hung up.


async def main(target: str = "127.0.0.1:50051", desk: str = DESK) -> None:
    """Serve until stopped."""
    async with Client(target) as cordboard, cordboard.events("call.initiated") as calls, asyncio.TaskGroup() as tasks:
        async for event in calls:
            if event.payload.get("direction") == "incoming":
                tasks.create_task(serve(cordboard.call(event.call_control_id), desk))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
