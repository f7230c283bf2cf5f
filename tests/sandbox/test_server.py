"""The sandbox as a server: in the same loop, and as a process of its own."""

import asyncio
import signal
import sys

import aiohttp
import pytest

from sandbox.server import Server
from sandbox.settings import Settings


async def test_it_starts_and_stops_inside_a_loop():
    """
    On any free port; afterwards nobody listens there.
    """
    server = Server(Settings(port=0))
    with pytest.raises(RuntimeError):
        _ = server.base_url
    base_url = await server.start()
    assert base_url == server.base_url
    assert base_url.endswith("/v2")
    async with aiohttp.ClientSession() as http:
        async with http.get(server.root_url + "/sandbox/public-key") as answer:
            assert (await answer.json())["public_key"] == server.public_key
        await server.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(base_url)


async def test_a_taken_port_is_an_error():
    """
    OSError, and nothing is left behind.
    """
    async with Server(Settings(port=0)) as first:
        port = int(first.root_url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"):
            await Server(Settings(port=port)).start()


async def test_requests_in_flight_do_not_keep_it():
    """
    A request that a fault holds for a minute does not hold the stop.
    """
    async with Server(Settings(port=0)) as server, aiohttp.ClientSession() as http:
        server.station.faults.set([{"latency_ms": 60_000}])
        held = asyncio.ensure_future(http.post(server.base_url + "/calls", json={}))
        while not server.station.faults.as_json()[0]["applied"]:  # noqa: ASYNC110 - nothing tells but asking.
            await asyncio.sleep(0.01)
        async with asyncio.timeout(20):
            await server.stop()
        await asyncio.gather(held, return_exceptions=True)


async def test_it_is_a_command():
    """
    python -m sandbox says where it is, and leaves on SIGINT with status 0.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--port", "0", "--speed", "9", "--seed", "1", "--quiet"),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # Who runs us in the background ignores it.
    )
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    root_url = said.split("routes at ")[1].split("/sandbox")[0]
    async with aiohttp.ClientSession() as http, http.get(root_url + "/sandbox/settings") as answer:
        settings = await answer.json()
    process.send_signal(signal.SIGINT)

    assert await process.wait() == 0
    assert (settings["speed"], settings["quiet"], settings["seed"]) == (9, True, 1)


async def test_wrong_arguments_are_said():
    """
    A speed of nothing is no speed: status 2.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--speed", "0"), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()

    assert process.returncode == 2
    assert b"speed" in said
