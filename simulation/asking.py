"""The commands that simulated senders give: typed ones, with as little content as each action takes."""

from __future__ import annotations

import base64

from cordboard.v1 import command_pb2


def command_of(action: str, command_id: str, call: str, number: str) -> command_pb2.Command:
    """A command; `number` is where a dial goes to; several have commas between them."""
    command = command_pb2.Command(command_id=command_id, call_control_id=call)
    getattr(command, action).SetInParent()
    _fill(command, number)
    return command


def _fill(command: command_pb2.Command, number: str) -> None:
    """Set what its action cannot do without; most need nothing."""
    match command.WhichOneof("action"):
        case "dial":
            numbers = number.split(",")
            if len(numbers) > 1:
                command.dial.to_list.extend(numbers)
            else:
                command.dial.to = number
            command.dial.from_number, command.dial.connection_id = "+13125550199", "1"
            command.dial.timeout_secs = 20
        case "speak":
            command.speak.payload, command.speak.voice = f"Hello, this is {command.command_id}.", "female"
        case "playback_start":
            command.playback_start.audio_url = f"http://files.example/{command.command_id}-2s.mp3"
        case "record_start":
            command.record_start.format, command.record_start.channels = "mp3", "single"
        case "send_dtmf":
            command.send_dtmf.digits = "12"
        case "gather_using_speak":
            command.gather_using_speak.payload, command.gather_using_speak.voice = "Digits, please.", "female"
            command.gather_using_speak.timeout_millis = 5_000
        case "enqueue":
            command.enqueue.queue_name = "desk"
        case "transfer":
            command.transfer.to, command.transfer.from_number = number or "+13125550100", "+13125550199"
        case _:
            _fill_rare(command)


def _fill_rare(command: command_pb2.Command) -> None:
    match command.WhichOneof("action"):
        case "reject":
            command.reject.cause = "USER_BUSY"
        case "client_state_update":
            command.client_state = base64.b64encode(command.command_id.encode()).decode()
        case "gather":
            command.gather.timeout_millis = 3_000
        case "refer":
            command.refer.sip_address = "sip:0100@sip.example"
        case "streaming_start":
            command.streaming_start.stream_url = f"wss://streams.example/{command.command_id}"
        case "fork_start":
            command.fork_start.target = "udp:192.0.2.1:9000"


def altered(command: command_pb2.Command) -> command_pb2.Command:
    """Another command under the same id."""
    other = command_pb2.Command()
    other.CopyFrom(command)
    other.ClearField(command.WhichOneof("action") or "custom")
    other.speak.payload, other.speak.voice = f"Not what {command.command_id} said.", "male"
    return other
