"""Where nothing is traced nothing is paid for, and where tracing is wanted and cannot be had, that is a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cordboard.log.port import Record
from cordboard.roles.tracing import TracingMissing, tracing
from cordboard.settings import EVERY_DUTY, Settings, Tracing
from cordboard.topics import Topics
from cordboard.tracing.port import Kind, is_sampled
from dispatcher.core.decision import Completed
from dispatcher.core.words import Completion, Reason
from dispatcher.observing import Lost, Said, Settled
from dispatcher.tracing import Spans

KEPT, UNKEPT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01", "00-" + "a" * 32 + "-" + "b" * 16 + "-00"
A_WHOLE_DESK = """
import asyncio, random, sys, tempfile
from pathlib import Path
from prometheus_client import CollectorRegistry
import cordboard.cli.app, cordboard.client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Grpc, Ingress, Log, Operations, Settings

async def main():
    places = {"grpc": Grpc(port=0), "ingress": Ingress(port=0), "operations": Operations(port=0)}
    settings = Settings(log=Log(path=Path(tempfile.mkdtemp()) / "log.sqlite3", partitions=1), **places)
    async with Desk(settings, SystemClock(), random.Random(1), CollectorRegistry()):
        print(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "cordboard.tracing.otel"))))

asyncio.run(main())
"""


def test_a_desk_that_does_not_trace_imports_nothing_for_it():
    """
    Neither the desk nor the client; the observers are not there at all.
    """
    ran = subprocess.run([sys.executable, "-c", A_WHOLE_DESK], capture_output=True, text=True, check=False)

    assert (ran.stdout, ran.returncode) == ("[]\n", 0), ran.stderr


async def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch):
    """
    With what to install.
    """
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "cordboard.tracing.otel", raising=False)
    settings = Settings(tracing=Tracing(endpoint="http://127.0.0.1:4317"))

    with pytest.raises(TracingMissing, match=r"tracing.endpoint is set.*install cordboard\[tracing\]"):
        async with tracing(settings, EVERY_DUTY):
            pass


class Telling:
    """A tracer that remembers the names of its spans."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.traceparent = KEPT

    def now_ns(self) -> int:
        return 0

    def begin(self, name: str, kind: Kind, parent: str, *_: object, **__: object) -> Telling:
        self.begun.append(name)
        return self

    def end(self, *_: object, **__: object) -> None:
        """It is over."""


def completed(traceparent: str) -> Said:
    output = Completed(
        command_id="c",
        page="p",
        call="p",
        account="a",
        action="speak",
        state=Completion.COMPLETED,
        reason=Reason.NONE,
        traceparent=traceparent,
    )
    return Said(output, 3, Record("cordboard.webhooks", 3, 7, 0, b"p", b"{}"))


@pytest.mark.parametrize(
    ("traceparent", "then", "begun"),
    [
        (KEPT, Settled(3, 1, 1, 1, 0.1), ["process cordboard.webhooks", "send cordboard.results"]),
        (KEPT, Settled(4, 1, 1, 1, 0.1), []),
        (KEPT, Lost(3, "fenced"), []),
        (UNKEPT, Settled(3, 1, 1, 1, 0.1), []),
        ("", Settled(3, 1, 1, 1, 0.1), []),
    ],
)
def test_only_what_is_settled_and_kept_is_told(traceparent: str, then: Settled | Lost, begun: list[str]):
    """
    What a fenced owner decided was never said; what nobody keeps is not even begun.
    """
    tracer = Telling()
    spans = Spans(tracer, Topics())
    spans(completed(traceparent))
    spans(then)

    assert tracer.begun == begun


def test_a_flag_says_whether_a_trace_is_kept():
    """
    The last bit of the last two digits; other flags are no business of ours.
    """
    assert [is_sampled(text) for text in (KEPT, UNKEPT, KEPT[:-2] + "03", KEPT[:-2] + "02", "")] == [
        True,
        False,
        True,
        False,
        False,
    ]
