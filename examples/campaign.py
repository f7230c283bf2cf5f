"""An outbound campaign: calls every number of a list once, plays a message, and says what became of each.

python examples/campaign.py NAME NUMBERS.txt [HOST:PORT]

Each dial's id is made of the campaign's name and the number. So whoever starts it again, after a crash or by mistake,
calls nobody twice: a number that was called already has its first result again, for a day.
"""

import asyncio
import sys
from collections import Counter
from pathlib import Path

from cordboard import Client, CommandFailed, CommandRefused, NotCompleted

MESSAGE = "This is a reminder of your appointment tomorrow at ten."
CALLER, CONNECTION = "+12025550199", "demo"
AT_ONCE = 50
RING_SECONDS = 30


async def call_one(cordboard: Client, campaign: str, number: str) -> str:
    """Call a number and play the message; what became of it in a word."""
    dial = await cordboard.dial(
        to=number,
        from_number=CALLER,
        connection_id=CONNECTION,
        timeout_secs=RING_SECONDS,
        command_id=f"{campaign}:{number.lstrip('+')}",
        group=campaign,
    )
    try:
        await dial.completed()
    except CommandFailed as failed:
        return "may have rung" if failed.may_have_happened else f"not called: {failed.reason}"
    except NotCompleted:
        return "not answered"
    call = await dial.call()
    name = f"{campaign}:{number.lstrip('+')}"
    try:
        message = await call.speak(payload=MESSAGE, voice="female", language="en-US", command_id=f"{name}:message")
        await message.completed()
        await call.hangup(command_id=f"{name}:hangup")
    except (CommandFailed, NotCompleted):
        return "hung up early"
    return "told"


async def main(campaign: str, numbers: list[str], target: str = "127.0.0.1:50051") -> Counter[str]:
    """Call all of them, some at once; how many had which fate."""
    room, fates = asyncio.Semaphore(AT_ONCE), Counter[str]()

    async def one(number: str) -> None:
        async with room:
            try:
                fate = await call_one(cordboard, campaign, number)
            except CommandRefused as refused:
                fate = f"refused: {refused.message}"
        fates[fate] += 1
        print(f"{number} {fate}")

    async with Client(target) as cordboard, asyncio.TaskGroup() as calls:
        for number in numbers:
            calls.create_task(one(number))
    return fates


if __name__ == "__main__":
    lines = Path(sys.argv[2]).read_text().split()
    print(dict(asyncio.run(main(sys.argv[1], lines, *sys.argv[3:]))))
