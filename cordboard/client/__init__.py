"""The Python client: sends commands, waits for what becomes of them, watches calls. Needs nothing of the server's.

async with Client("localhost:50051") as cordboard:
    command = Command(command_id=str(uuid4()), call_control_id=call, hangup=Hangup())
    answer = await cordboard.execute(command)
"""

from cordboard.client.client import Client
from cordboard.client.errors import CommandRefused
from cordboard.client.watch import Watch

__all__ = ["Client", "CommandRefused", "Watch"]
