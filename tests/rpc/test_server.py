"""The door's life: health, reflection, metrics, and a stop that breaks nothing off."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from cordboard.v1 import (
    STATE_SUCCEEDED,
    ExecuteRequest,
    ExecuteStreamRequest,
    GetCallRequest,
    SubmitRequest,
    SubmitStreamRequest,
    WatchRequest,
)
from tests.rpc.door import Desk, desk_at, error_of, hangup, make_door, outcome_of, speak, until

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "cordboard.v1.DispatcherService"


def _health(desk: Desk) -> Any:
    return health_pb2_grpc.HealthStub(desk.channel)


async def _status(desk: Desk, name: str) -> Any:
    return (await _health(desk).Check(health_pb2.HealthCheckRequest(service=name))).status


async def test_health_has_a_name_for_each_question(desk: Desk) -> None:
    """The process, the service, liveness and readiness are served; another name is not known."""
    for name in ("", SERVICE, "liveness", "readiness"):
        assert await _status(desk, name) == SERVING
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await _status(desk, "else")
    assert error.value.code() is grpc.StatusCode.NOT_FOUND


async def test_readiness_follows_what_the_process_says(tmp_path: Path) -> None:
    """Not ready is said under its own name only; liveness goes on."""
    said = {"ready": False}

    async def ready() -> bool:
        return said["ready"]

    async with desk_at(tmp_path, ready=ready) as desk:
        watch = _health(desk).Watch(health_pb2.HealthCheckRequest(service="readiness"))
        assert (await watch.read()).status == NOT_SERVING
        assert await _status(desk, "liveness") == SERVING
        said["ready"] = True
        assert (await watch.read()).status == SERVING
        watch.cancel()


async def test_clients_may_ask_for_the_contract(desk: Desk) -> None:
    """Reflection lists the service."""
    stub = reflection_pb2_grpc.ServerReflectionStub(desk.channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    answer = await call.read()
    names = {service.name for service in answer.list_services_response.service}
    assert {SERVICE, "grpc.health.v1.Health"} <= names
    call.cancel()


async def test_reflection_names_fields_as_json_does(desk: Desk) -> None:
    """Tools ask for the file of a method, and take and show fields by their JSON names."""
    stub = reflection_pb2_grpc.ServerReflectionStub(desk.channel)
    asked = reflection_pb2.ServerReflectionRequest(file_containing_symbol="cordboard.v1.DispatcherService.Submit")
    (answer,) = [one async for one in stub.ServerReflectionInfo(iter([asked]))]

    files = [FileDescriptorProto.FromString(one) for one in answer.file_descriptor_response.file_descriptor_proto]
    (command,) = [one for file in files for one in file.message_type if one.name == "Command"]

    assert {"command_id": "commandId", "expire_time": "expireTime"}.items() <= {
        field.name: field.json_name for field in command.field
    }.items()


async def test_calls_are_counted_under_the_usual_names(tmp_path: Path) -> None:
    """Started, handled by code, and how long; refusals by reason; who waits."""
    registry = CollectorRegistry()
    async with desk_at(tmp_path, registry=registry) as desk:
        await desk.stub.Submit(SubmitRequest(command=speak("c1")), timeout=20)
        await error_of(desk.stub.Submit(SubmitRequest(command=hangup("")), timeout=20))
        labels = {"grpc_type": "unary", "grpc_service": SERVICE, "grpc_method": "Submit"}
        assert registry.get_sample_value("grpc_server_started_total", labels) == 2
        for code in ("OK", "InvalidArgument"):
            told = {**labels, "grpc_code": code}
            # It is counted when it is over, and its caller may have heard before.
            await until(lambda told=told: registry.get_sample_value("grpc_server_handled_total", told) == 1)
        assert registry.get_sample_value("grpc_server_handling_seconds_count", labels) == 2
        refused = {"grpc_method": "Submit", "reason": "INVALID_COMMAND"}
        assert registry.get_sample_value("cordboard_grpc_refused_total", refused) == 1
        assert registry.get_sample_value("cordboard_execute_waiting") == 0


async def test_the_stop_lets_who_waits_end(desk: Desk) -> None:
    """While the grace lasts: health says so, new calls are refused, and an Execute still gets its result."""
    desk.hands.respond = lambda work: None
    waiting = asyncio.ensure_future(desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=30))
    await until(lambda: desk.hands.works)
    stopping = asyncio.create_task(desk.server.stop(30))
    await until(lambda: desk.server.stopping)
    assert await _status(desk, SERVICE) == NOT_SERVING
    assert await _status(desk, "liveness") == SERVING
    error = await error_of(desk.stub.Submit(SubmitRequest(command=speak("c2")), timeout=20))
    assert (error.code, error.info.reason, error.has_retry) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN", True)
    await desk.hands.report(outcome_of(desk.hands.works[0]))
    assert (await waiting).result.state == STATE_SUCCEEDED
    await stopping


async def test_when_the_grace_is_over_what_is_open_is_said_to_be_open(desk: Desk) -> None:
    """Nobody is cut off without a word: the answer has no result, and the command goes on."""
    desk.hands.respond = lambda work: None
    waiting = asyncio.ensure_future(desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=30))
    await until(lambda: desk.hands.works)
    await desk.server.stop(0.05)
    assert not (await waiting).HasField("result")


async def test_the_stop_ends_streams_after_their_answers(desk: Desk) -> None:
    """What a stream has sent is answered; then it is told to go elsewhere."""
    desk.hands.respond = lambda work: None
    call = desk.stub.ExecuteStream()
    await call.write(ExecuteStreamRequest(command=speak("c1")))
    await until(lambda: desk.hands.works)
    stopping = asyncio.create_task(desk.server.stop(30))
    await until(lambda: desk.server.stopping)
    await desk.hands.report(outcome_of(desk.hands.works[0]))
    assert (await call.read()).executed.result.state == STATE_SUCCEEDED
    assert (await error_of(call.read())).info.reason == "SHUTTING_DOWN"
    await stopping


async def test_the_stop_ends_idle_streams_and_watches(desk: Desk) -> None:
    """Who only listens is told at once, and may go on elsewhere with its cursor."""
    submits, watch = desk.stub.SubmitStream(), desk.stub.Watch(WatchRequest())
    await submits.write(SubmitStreamRequest(command=speak("c1")))
    assert (await submits.read()).HasField("accepted")
    assert (await watch.read()).cursor
    await desk.server.stop(30)
    for call in (submits, watch):
        error = await error_of(_drained(call))
        assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")


async def _drained(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_a_port_that_is_taken_is_said(desk: Desk) -> None:
    """A second door on the same address is a mistake that shows at the start."""
    from tests.rpc.door import SETTINGS

    port = int(desk.target.rpartition(":")[2])
    door = make_door(desk.log, desk.dispatcher, settings=SETTINGS.model_copy(update={"port": port}))
    with pytest.raises(OSError, match="in use"):
        await door.start()
    await door.stop(0)


async def test_an_execute_is_heard_from_the_first_moment(tmp_path: Path) -> None:
    """The tail is in its place before the door opens: a result that comes at once is not missed."""
    for _ in range(5):
        async with desk_at(tmp_path) as desk:
            answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
            assert answer.result.state == STATE_SUCCEEDED
            await desk.stub.GetCall(GetCallRequest(call_control_id="A"), timeout=20)
