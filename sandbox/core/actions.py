"""What each command does to its call: one function per action, and the table of what a call must be for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.core import gather, legs
from sandbox.core.call import Call, State
from sandbox.core.destinations import BUSY, CANCELLED, NORMAL, REJECTED, End
from sandbox.core.media import playback, speech
from sandbox.core.newer import PERFORM as NEWER
from sandbox.core.newer import Perform
from sandbox.core.problems import no_media, not_answered, not_now

if TYPE_CHECKING:
    from sandbox.core.exchange import Exchange

Body = dict[str, Any]

# Everything else needs an answered call (90034).
ANY_TIME: Final = frozenset({"answer", "hangup", "reject", "client_state_update"})
_WHILE_RINGING: Final = frozenset({"refer"})  # "At any point in the duration of a call", if it is an outgoing one.


def perform(exchange: Exchange, call: Call, action: str, body: Body) -> Body | None:
    """Do a command on a live call; returns what its answer tells beside its result. Raises Refused: nothing changed."""
    if not _is_time_for(action, call.state):
        raise no_media() if action == "record_start" else not_answered()
    state_before, new_state = call.client_state, body.get("client_state")
    if new_state is not None:
        call.client_state = new_state  # Events that the command itself causes carry it already.
    exchange.life.cause = str(body.get("command_id") or "")
    try:
        return PERFORM[action](exchange, call, body)
    except BaseException:
        call.client_state = state_before
        raise
    finally:
        exchange.life.cause = ""


def _is_time_for(action: str, state: State) -> bool:
    return action in ANY_TIME or state is State.ANSWERED or (state is State.RINGING and action in _WHILE_RINGING)


def _answer(_: Exchange, call: Call, body: Body) -> None:
    if call.state is State.RINGING:
        raise not_answered()
    if call.state is State.PARKED:
        call.when_answered.append(lambda: call.taps.begin(body))
    call.direct(body)
    call.answer()


def _hangup(_: Exchange, call: Call, body: Body) -> None:
    if call.state is State.RINGING:
        call.end(CANCELLED)
    else:
        call.end(End(NORMAL, "callee" if call.incoming else "caller", "200"))


def _reject(_: Exchange, call: Call, body: Body) -> None:
    if call.state is not State.PARKED:
        raise not_now("Only an incoming call that is not answered can be rejected.")
    call.end(BUSY if body["cause"] == "USER_BUSY" else REJECTED)


def _speak(exchange: Exchange, call: Call, body: Body) -> None:
    if body.get("stop"):
        call.player.stop(body["stop"])
    call.player.add(speech(exchange.life.habits, body["payload"], loop=body.get("loop")))


def _playback_start(exchange: Exchange, call: Call, body: Body) -> None:
    media = playback(exchange.life.habits, body)
    playing = call.player.current
    if media.overlay and (playing is None or playing.kind != "playback"):
        raise not_now("An overlay needs a playback that is heard already.")
    if body.get("stop"):
        call.player.stop(body["stop"])
    call.player.add(media)


def _playback_stop(_: Exchange, call: Call, body: Body) -> None:
    if body.get("overlay"):
        call.player.stop_overlay()
    else:
        call.player.stop(body.get("stop", "all"))


def _gather(action: str) -> Perform:
    def perform(exchange: Exchange, call: Call, body: Body) -> None:
        # Two at once are not documented: the newer one takes the keys.
        if call.gathering:
            call.gathering.close("cancelled")
        gathering = gather.Gathering(exchange.life, call, gather.plan(action, body, exchange.life))
        call.gathering = gathering
        gathering.begin()

    return perform


def _gather_stop(_: Exchange, call: Call, body: Body) -> None:
    if call.gathering:
        call.gathering.close("cancelled")


def _send_dtmf(_: Exchange, call: Call, body: Body) -> None:
    """The other end hears them; Telnyx tells nobody."""


def _no_recording(call: Call) -> None:
    if not call.taps.recording:
        raise not_now("The call is not being recorded.")


def _record_hold(_: Exchange, call: Call, body: Body) -> None:
    _no_recording(call)


PERFORM: Final[Mapping[str, Perform]] = {
    "answer": _answer,
    "hangup": _hangup,
    "reject": _reject,
    "speak": _speak,
    "playback_start": _playback_start,
    "playback_stop": _playback_stop,
    "gather": _gather("gather"),
    "gather_using_audio": _gather("gather_using_audio"),
    "gather_using_speak": _gather("gather_using_speak"),
    "gather_stop": _gather_stop,
    "send_dtmf": _send_dtmf,
    "record_start": lambda _, call, body: call.taps.record(body),
    "record_stop": lambda _, call, __: call.taps.save_recording(),
    "record_pause": _record_hold,
    "record_resume": _record_hold,
    "streaming_start": lambda _, call, body: call.taps.stream(body),
    "streaming_stop": lambda _, call, __: call.taps.stop_stream(),
    "fork_start": lambda _, call, body: call.taps.fork(body.get("stream_type", "raw")),
    "fork_stop": lambda _, call, __: call.taps.stop_fork(),
    "transcription_start": lambda _, call, body: call.taps.transcribe(body),
    "transcription_stop": lambda _, call, __: call.taps.stop_transcription(),
    "bridge": legs.bridge,
    "transfer": legs.transfer,
    "refer": legs.refer,
    "enqueue": lambda exchange, call, body: exchange.queues.enter(call, body),
    "leave_queue": lambda exchange, call, __: exchange.queues.leave(call, "leave"),
    "client_state_update": lambda _, __, ___: None,  # `perform` has done it.
    **NEWER,
}
