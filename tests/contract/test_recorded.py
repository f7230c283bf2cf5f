"""What an older version made of a command, this one makes of it too, byte for byte.

`recorded.jsonl` was written by the code of the 28 commands as Telnyx documented them in 2023, before any newer field
had a type: commands as they stand on the wire, with the request and the fingerprint that came of each. It is never
written anew: commands that are in flight while a release goes out, and those sent again after it, depend on it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from cordboard import v1
from cordboard.catalogue import CATALOGUE
from cordboard.identity import fingerprint
from cordboard.request import build
from cordboard.validation import violations
from tests.contract.samples import UUID

RECORDED: list[dict[str, Any]] = [
    json.loads(line) for line in Path(__file__).with_name("recorded.jsonl").read_text().splitlines()
]


def command(recorded: dict[str, Any]) -> v1.Command:
    return v1.Command.FromString(base64.b64decode(recorded["command"]))


def untyped(old: v1.Command) -> bool:
    """Whether it has fields whose order protobuf itself does not keep."""
    return old.HasField("extra") or old.HasField("custom")


@pytest.mark.parametrize("action", CATALOGUE)
def test_an_old_command_is_the_same_request(action: str) -> None:
    """
    Verb, path and every byte of the body; of fields without a type, which have no order, every value.
    """
    found = [(one, command(one)) for one in RECORDED if command(one).WhichOneof("action") == action]

    assert found
    for recorded, old in found:
        request = build(old, UUID)
        assert (request.method, request.path) == (recorded["method"], recorded["path"])
        assert json.loads(request.body) == json.loads(recorded["body"])
        assert untyped(old) or request.body == recorded["body"].encode()


def test_an_old_command_keeps_its_fingerprint() -> None:
    """
    Sent again after an upgrade it is known again, not refused as COMMAND_ID_REUSED.
    """
    changed = [one for one in RECORDED if fingerprint(command(one), "main").hex() != one["fingerprint"]]

    assert changed == []


def test_what_was_valid_stays_valid() -> None:
    """
    No newer rule refuses what was taken, also where `extra` holds a field that has a type since.
    """
    refused = [(one["body"], found) for one in RECORDED if one["valid"] and (found := violations(command(one), 0))]

    assert refused == []
