"""What is kept of a run that broke a promise: its faults, all records, the whole story of each offending command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from cordboard.cloudevents import rfc3339
from cordboard.v1 import Command, CommandResult, State
from cordboard.work import decode_outcome, decode_work
from tests.e2e.checker import Evidence
from tests.e2e.records import Line, Records
from tests.e2e.trial import Summary


def keep(folder: Path, summary: Summary, faults: Sequence[object], records: Records, evidence: Evidence) -> None:
    """Write it beside the logs of the processes."""
    violations = [f"{one.kind}: {one.detail}" for one in summary.violations]
    told = [str(summary), *violations, "", "Faults:", *(f"  {fault}" for fault in faults)]
    for command_id in dict.fromkeys(one.command_id for one in summary.violations if one.command_id):
        told += ["", f"The story of {command_id}:", *story(command_id, records, evidence)]
    (folder / "verdict.txt").write_text("\n".join(told) + "\n")
    keep_records(folder, records)
    (folder / "sandbox.json").write_bytes(
        orjson.dumps({"effects": evidence.effects, "deliveries": evidence.deliveries}, default=str)
    )


def keep_records(folder: Path, records: Records) -> None:
    """Write every record that was read, for a run that came to no verdict as well."""
    lines = (line for name in records.names for line in records.by_topic[name])
    (folder / "records.jsonl").write_bytes(b"".join(orjson.dumps(_plain(line)) + b"\n" for line in lines))


def story(command_id: str, records: Records, evidence: Evidence) -> list[str]:
    """What all sources say of a command, and of its call's other commands at the sandbox, by time."""
    call = next((sent.call for sent in evidence.sent if sent.command_id == command_id), "")
    told = [*_of_the_log(command_id, records), *_of_the_sandbox(command_id, call, evidence)]
    return [f"  {rfc3339(time_ms)}  {what}" for time_ms, what in sorted(told)]


def _of_the_log(command_id: str, records: Records) -> Iterator[tuple[int, str]]:
    for name in records.names:
        for line in records.by_topic[name]:
            if command_id.encode() in line.value or line.headers.get("ce_commandid") == command_id:
                yield line.time_ms, f"{line.topic}/{line.partition}/{line.offset}: {said(line)}"


def _of_the_sandbox(command_id: str, call: str, evidence: Evidence) -> Iterator[tuple[int, str]]:
    for one in evidence.effects:
        if one["command_id"] == command_id or (call and one["call_control_id"] == call):
            what = f"{one['action']} {one['command_id']}, answered {one['status']}"
            how = "happened" if one["happened"] else "did not happen"
            yield round(one["time"] * 1000), f"sandbox, request {one['n']}: {what}, {how}; fault: {one['fault']}"
    for one in evidence.deliveries:
        if call and one["call_control_id"] == call:
            what = f"{one['event_type']} {one['event_id']}"
            yield round(one["time"] * 1000), f"sandbox, webhook {one['n']}: {what}, answered {one['status']}"


def said(line: Line) -> str:
    """A record in a few words."""
    topic = line.topic.partition(".")[2]
    if topic in ("commands", "now"):
        command = Command.FromString(line.value)
        return f"{command.WhichOneof('action')} {command.command_id} {line.headers.get('cordboard-first-address', '')}"
    if topic.startswith("work."):
        work = decode_work(line.value)
        return f"attempt {work.attempt} of {work.action} {work.command_id}"
    if topic == "outcomes":
        outcome = decode_outcome(line.value)
        return f"attempt {outcome.attempt}: {outcome.verdict} {outcome.http_status} {outcome.message}"
    if topic == "results" and ".result." in line.headers["ce_type"]:
        result = CommandResult.FromString(line.value)
        return f"{line.headers['ce_type']} {State.Name(result.state)} {result.message}"
    return line.headers.get("ce_type", "")


def _plain(line: Line) -> dict[str, Any]:
    return {
        "topic": line.topic,
        "partition": line.partition,
        "offset": line.offset,
        "time_ms": line.time_ms,
        "key": line.key.decode(errors="replace"),
        "headers": line.headers,
        "value": line.value.hex(),
    }
