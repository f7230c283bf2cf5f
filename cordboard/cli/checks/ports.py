"""Our own ports: free, or served by a process of ours; and where the others are told to reach the gRPC door."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cordboard.cli.checks.findings import Finding, Looking, error, ok, warning
from cordboard.cli.checks.web import SECONDS_MAX, NoAnswer, ask, connect, web
from cordboard.roles.listening import address, advertised

_SECTIONS: Final = ("grpc", "rest", "ingress", "operations")
_SIGNS: Final = {"rest": ("GET", "/v2/calls/x"), "ingress": ("GET", "/"), "operations": ("GET", "/healthz")}
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


async def ports(looking: Looking) -> AsyncIterator[Finding]:
    """Each port of this machine, and the advertised address where there may be other dispatchers."""
    for section in _SECTIONS:
        chosen = getattr(looking.settings, section)
        yield await _port(section, chosen.host, chosen.port)
    if looking.settings.log.kind == "kafka":
        yield await _advertised(looking)


async def _port(section: str, host: str, port: int) -> Finding:
    subject, place = f"{section}.port", address(host, port)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as why:
        if why.errno == errno.EADDRINUSE:
            return await _taken(section, subject, _EVERYWHERE.get(host, host), port)
        if why.errno == errno.EACCES:
            return error(subject, f"{place} needs rights that this user has not", "choose a port above 1023")
        remedy = f"{section}.host must be an address of this machine, or 0.0.0.0"
        return error(subject, f"{place} cannot be listened on: {why.strerror or why}", remedy)
    return ok(subject, f"{place} is free")


async def _taken(section: str, subject: str, host: str, port: int) -> Finding:
    place = address(host, port)
    if await (_is_grpc(place) if section == "grpc" else _is_http(section, place)):
        return ok(subject, f"{place} is served by a process of Cordboard; a second one needs a port of its own")
    remedy = f"stop it, or choose another port (CORDBOARD_{section.upper()}__PORT)"
    if section == "grpc":
        return warning(
            subject, f"{place} is taken by what does not answer gRPC in the clear: TLS, or another program?", remedy
        )
    return error(subject, f"{place} is taken by another program", remedy)


async def _is_grpc(place: str) -> bool:
    async with grpc.aio.insecure_channel(place) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # Its types know the blocking one only.
        try:
            await stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS_MAX)
        except grpc.aio.AioRpcError:
            return False
    return True


async def _is_http(section: str, place: str) -> bool:
    """By an answer that only ours gives."""
    method, path = _SIGNS[section]
    try:
        async with web() as client:
            answer = await ask(client, method, f"http://{place}{path}")
        told = answer.json()
    except (NoAnswer, ValueError):
        return False
    signs = {"rest": "errors", "ingress": "result", "operations": "alive"}
    return isinstance(told, dict) and signs[section] in told


async def _advertised(looking: Looking) -> Finding:
    """Where other dispatchers come with their questions. Whether it is reached is seen where somebody listens."""
    chosen = looking.settings.grpc
    subject, place = "grpc.advertise", advertised(chosen, chosen.port)
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    remedy = "set grpc.advertise to host:port at which the other dispatchers reach this one"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return error(subject, f"others are told {place}, and nobody here knows that name", remedy)
    if all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_loopback for one in found):
        return warning(subject, f"others are told {place}, which they reach on this machine only", remedy)
    try:
        await connect(host, int(port), encrypted=False)
    except NoAnswer as why:
        return ok(subject, f"others are told {place}; not reached just now ({why}), as where no dispatcher runs")
    return ok(subject, f"others are told {place}, and somebody listens there")
