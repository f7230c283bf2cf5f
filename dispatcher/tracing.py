"""The dispatcher's spans: what each record led to, told once it is settled; nothing of a settle that failed.

All spans of a command hang beneath the record by which it was accepted, whose traceparent goes with it everywhere. So a
record that says something of several commands (an outcome that lets the next one go) has a span in each of their
traces. A webhook has a trace of its own, from the ingress; what it completes is told in the command's, with a link.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cordboard.cloudevents import header, trace_of
from cordboard.log.port import Record
from cordboard.topics import Topics
from cordboard.tracing import conventions as names
from cordboard.tracing.port import Kind, Tracer, Value, is_sampled
from dispatcher.core.decision import Completed, HandOn, HangUp, Output, Release, Result, Tell
from dispatcher.finding import group_of
from dispatcher.observing import Decided, Lost, Observed, Said, Settled

_NS: Final = 1_000_000_000


@dataclass(slots=True)
class _Process:
    """What a record, or a time that had come, led to in one trace."""

    traceparent: str
    source: Record | None
    began_ns: int
    outputs: list[Output] = field(default_factory=list)


class Spans:
    """An observer that tells a tracer what it sees."""

    def __init__(self, tracer: Tracer, topics: Topics) -> None:
        self._tracer = tracer
        self._topics = topics
        self._group = group_of(topics)
        self._open: dict[int, dict[tuple[str, str, int], _Process]] = {}  # By partition, until it is settled.

    def __call__(self, seen: Observed) -> None:
        """Take in one event."""
        match seen:
            case Decided(source=Record() as source):
                if is_sampled(trace := _trace_of(source)):
                    self._at(source.partition, source, trace)
            case Said(output, partition, source):
                if is_sampled(trace := _trace_of_output(output, source)):
                    self._at(partition, source, trace).outputs.append(output)
            case Settled(partition):
                for process in self._open.pop(partition, {}).values():
                    self._tell(process, round(seen.seconds * _NS))
            case Lost(partition):
                self._open.pop(partition, None)

    def _at(self, partition: int, source: Record | None, traceparent: str) -> _Process:
        place = (source.topic, source.offset) if source is not None else ("", 0)
        found = self._open.setdefault(partition, {})
        return found.setdefault((traceparent, *place), _Process(traceparent, source, self._tracer.now_ns()))

    def _tell(self, process: _Process, settle_ns: int) -> None:
        source, ended_ns = process.source, self._tracer.now_ns()
        if source is None:
            span = self._tracer.begin(names.DECIDE, Kind.INTERNAL, process.traceparent, {}, at_ns=process.began_ns)
        else:
            link = own if (own := _trace_of(source)) != process.traceparent else ""
            attributes = names.processing(source, self._group)
            name, parent = names.process(source.topic), process.traceparent
            span = self._tracer.begin(name, Kind.CONSUMER, parent, attributes, at_ns=process.began_ns, link=link)
        began_ns = max(ended_ns - settle_ns, process.began_ns)
        for topic, said in map(self._said, process.outputs):
            sent = self._tracer.begin(
                names.send(topic), Kind.PRODUCER, span.traceparent, names.sending(topic) | said, at_ns=began_ns
            )
            sent.end(at_ns=ended_ns)
        span.end(dict(_about(process)), at_ns=ended_ns)

    def _said(self, output: Output) -> tuple[str, dict[str, Value]]:
        """Where an output is written, and what of it may be told."""
        match output:
            case Result() | Completed():
                return self._topics.results, {names.STATE: output.state.value, names.REASON: output.reason.value}
            case Release(work=work):
                return self._topics.work(work.account, work.lane), {names.ATTEMPT: work.attempt}
            case HangUp():
                return self._topics.commands, {names.MESSAGE_ID: output.command_id}
            case HandOn():
                return self._topics.events, {names.EVENT: output.heard.event_type}
        return self._topics.webhooks, {}


def _about(process: _Process) -> Iterator[tuple[str, Value]]:
    """Of which command the trace is, as far as the outputs say."""
    for output in process.outputs:
        match output:
            case Result() | Completed():
                yield names.COMMAND, output.command_id
                yield names.ACTION, output.action
                yield names.ACCOUNT, output.account
                yield names.CALL, output.call
            case Release(work=work):
                yield names.COMMAND, work.command_id
                yield names.ACTION, work.action
                yield names.ACCOUNT, work.account
                yield names.CALL, work.key


def _trace_of(record: Record) -> str:
    return trace_of(header(record.headers, "traceparent"))


def _trace_of_output(output: Output, source: Record | None) -> str:
    match output:
        case Result() | Completed() | Tell() | HangUp():
            return output.traceparent
        case Release(work=work):
            return work.traceparent
        case HandOn() if source is not None:
            return _trace_of(source)
    return ""
