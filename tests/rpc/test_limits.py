"""The bounds of the gRPC port, each met by somebody on a real socket who means no good."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from cordboard.settings import Grpc
from cordboard.v1 import GetCallRequest, WatchRequest
from dispatcher.rpc.listeners import COUNT
from tests.rpc.door import SETTINGS, Desk, desk_at

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
PING = b"\0\0\10\6\0\0\0\0\0" + b"p" * 8


def bounds(**more: Any) -> Grpc:
    return SETTINGS.model_copy(update=more)


async def connect(desk: Desk, said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = desk.target.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(said)
    return reader, writer


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection is closed, however that is done."""
    read = b""
    try:
        while part := await reader.read(4096):
            read += part
    except ConnectionResetError:
        pass
    return read


@pytest.mark.parametrize("beginning", [b"", PREFACE[:10], PREFACE[:24]])
async def test_a_connection_that_does_not_begin_is_closed(tmp_path: Path, beginning: bytes):
    """
    Silence, half a preface, or a preface without settings.
    """
    async with desk_at(tmp_path, settings=bounds(handshake_seconds_max=0.2)) as desk:
        reader, _ = await connect(desk, beginning)

        await all_of(reader)


async def test_metadata_has_a_size(tmp_path: Path):
    """
    More is refused before anything is read; what fits passes.
    """
    async with desk_at(tmp_path, settings=bounds(metadata_bytes_max=4096)) as desk:
        with pytest.raises(grpc.aio.AioRpcError) as fits:
            await desk.stub.GetCall(GetCallRequest(call_control_id="x"), metadata=(("x-a", "b" * 2000),))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.stub.GetCall(GetCallRequest(call_control_id="x"), metadata=(("x-a", "b" * 6000),))

    assert fits.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_one_connection_carries_so_many_calls_at_once(tmp_path: Path):
    """
    The next one waits at its sender until another ends, and is not refused.
    """
    async with desk_at(tmp_path, settings=bounds(streams_max=1)) as desk:
        await desk.channel.channel_ready()
        with pytest.raises(grpc.aio.AioRpcError):  # By its answer the sender knows the bound.
            await desk.stub.GetCall(GetCallRequest(call_control_id="x"))
        watch = desk.stub.Watch(WatchRequest())
        await watch.initial_metadata()
        with pytest.raises(grpc.aio.AioRpcError) as waited:
            await desk.stub.GetCall(GetCallRequest(call_control_id="x"), timeout=0.1)
        watch.cancel()
        with pytest.raises(grpc.aio.AioRpcError) as served:
            await desk.stub.GetCall(GetCallRequest(call_control_id="x"), timeout=10)

    assert waited.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert served.value.code() is grpc.StatusCode.NOT_FOUND


async def test_there_are_so_many_connections_and_no_more(tmp_path: Path):
    """
    The others are closed at once; each of the servers behind the port has its share.
    """
    async with desk_at(tmp_path, settings=bounds(connections_max=COUNT)) as desk:
        opened = [await connect(desk, PREFACE) for _ in range(4 * COUNT)]
        ends = [asyncio.ensure_future(all_of(reader)) for reader, _ in opened]
        while sum(end.done() for end in ends) < 3 * COUNT:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED, timeout=0.1)
        for end in ends:
            end.cancel()
        for _, writer in opened:
            writer.close()

    assert sum(end.done() and not end.cancelled() for end in ends) >= 3 * COUNT


async def test_who_pings_without_end_is_sent_away(desk: Desk):
    """
    gRPC's own word for it says why.
    """
    reader, _ = await connect(desk, PREFACE + PING * 20)

    assert b"too_many_pings" in await all_of(reader)


async def test_a_connection_may_rest_and_not_for_ever(tmp_path: Path):
    """
    Without a call it is closed in the end; a client opens another with its next one.
    """
    async with desk_at(tmp_path, settings=bounds(idle_seconds_max=1)) as desk:
        reader, _ = await connect(desk, PREFACE)

        await all_of(reader)
        with pytest.raises(grpc.aio.AioRpcError) as served:
            await desk.stub.GetCall(GetCallRequest(call_control_id="x"))
    assert served.value.code() is grpc.StatusCode.NOT_FOUND
