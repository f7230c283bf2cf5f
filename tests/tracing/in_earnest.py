"""`make test-tracing`: every role a process of its own on a real Kafka, and OpenTelemetry's own collector, which says
what came. Not collected otherwise, because the collector takes minutes to build.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from cordboard.client import Client
from cordboard.v1 import WAIT_FOR_COMPLETION, Command, Dial
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.e2e.apart import Pieces, until
from tests.e2e.process import free_ports

COLLECTOR = Path(__file__).parents[2] / "build" / "otelcol" / "otelcol"
CONFIG = """
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: "127.0.0.1:{port}"}}}}}}}}
exporters: {{debug: {{verbosity: detailed}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}
"""
SENDER = TracerProvider().get_tracer("a sender")


@contextmanager
def collecting(folder: Path, port: int) -> Iterator[Path]:
    """The collector, until the block ends; gives the file into which it writes each span."""
    config, said = folder / "otelcol.yaml", folder / "otelcol.txt"
    config.write_text(CONFIG.format(port=port))
    with said.open("wb") as output:
        process = subprocess.Popen([COLLECTOR, f"--config={config}"], stdout=output, stderr=output)
        try:
            yield said
        finally:
            process.terminate()
            process.wait()


def names_in(said: Path, trace: str) -> list[str]:
    """The spans of a trace, as the collector writes them."""
    spans = said.read_text().split("\nSpan #")[1:]
    found = (re.search(r"Trace ID +: (\w+).*?Name +: ([^\n]+)", span, re.DOTALL) for span in spans)
    return [one[2] for one in found if one and one[1] == trace]


@pytest.mark.timeout(400)
async def test_one_trace_through_all_processes(tmp_path: Path, kafka_servers: str, kafka_prefix: str):
    """
    The sender's, the dispatcher's, the worker's and the ingress's spans are one trace, over Kafka's headers.
    """
    (port,) = free_ports(1)
    more = {"CORDBOARD_TRACING__ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    wanted = {
        "cordboard.v1.DispatcherService/Execute",
        f"send {kafka_prefix}.commands",
        f"process {kafka_prefix}.commands",
        f"process {kafka_prefix}.work.main.dial",
        "POST /calls",
        f"process {kafka_prefix}.outcomes",
        f"process {kafka_prefix}.webhooks",
        f"send {kafka_prefix}.results",
    }
    with collecting(tmp_path, port) as said:
        await until(lambda: "Everything is ready" in said.read_text(), "the collector")
        async with Server(SandboxSettings(port=0, speed=10.0)) as sandbox:
            names = ("dispatcher-1", "worker-1", "ingress")
            keys = (kafka_servers, kafka_prefix, sandbox.base_url, sandbox.public_key)
            async with Pieces(tmp_path, *keys, names, more=more) as pieces, Client(pieces.target) as door:
                sandbox.settings.webhook_url = pieces.webhook_url
                dial = Dial(to="+12025559908", from_number="+12025550199", connection_id="test")
                with SENDER.start_as_current_span("a campaign") as sender:
                    await door.execute(Command(command_id="d1", dial=dial), wait_for=WAIT_FOR_COMPLETION, timeout=60)
                trace = f"{sender.get_span_context().trace_id:032x}"
                await until(lambda: wanted <= set(names_in(said, trace)), "all spans of the trace")
        assert "ResourceSpans" in said.read_text()
        services = set(re.findall(r"service.name: Str\(([\w-]+)\)", said.read_text()))
        assert services == {"cordboard-dispatcher", "cordboard-worker", "cordboard-ingress"}
