"""The Python client: commands as methods, what becomes of them, what happens on calls. Needs nothing of the server's.

async with Client("localhost:50051") as cordboard:
    dial = await cordboard.dial(to="+12025550100", from_number="+12025550199", connection_id="...")
    await dial.completed()
    call = await dial.call()
    speech = await call.speak(payload="Good morning.", voice="female")
    await speech.completed()
"""

from cordboard.client.action import Action
from cordboard.client.call import Call, DialAction
from cordboard.client.client import Client
from cordboard.client.credentials import Tls
from cordboard.client.errors import CommandFailed, CommandRefused, NotCompleted, Unanswered
from cordboard.client.feed import Feed
from cordboard.client.told import Event, Told
from cordboard.client.watch import Watch

__all__ = [
    "Action",
    "Call",
    "Client",
    "CommandFailed",
    "CommandRefused",
    "DialAction",
    "Event",
    "Feed",
    "NotCompleted",
    "Tls",
    "Told",
    "Unanswered",
    "Watch",
]
