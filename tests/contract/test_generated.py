"""The generated code is what the contract makes, and the rules are those that are checked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2
from protovalidate._gen.buf.validate import validate_pb

from buf.validate import validate_pb2
from cordboard import v1

ROOT = Path(__file__).parents[2]


def test_the_committed_code_is_current() -> None:
    """
    Nobody edits generated code, and nobody forgets to make it again.
    """
    done = subprocess.run(
        [sys.executable, ROOT / "protos" / "generate.py", "--check"], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_rules_descriptor_is_the_wheels() -> None:
    """
    protovalidate keeps the descriptor of its rules under a private name; should that move, this says so first.
    """
    ours, theirs = descriptor_pb2.FileDescriptorProto(), descriptor_pb2.FileDescriptorProto()
    validate_pb2.DESCRIPTOR.CopyToProto(ours)
    theirs.ParseFromString(validate_pb.desc().proto.to_binary())

    assert theirs.name == "buf/validate/validate.proto"
    assert ours == theirs


def test_one_import_has_the_whole_contract() -> None:
    """
    A sender need not know in which file a message is.
    """
    assert {"Command", "Speak", "CommandResult", "SubmitRequest", "STATE_SUCCEEDED", "PLACEMENT_NOW"} <= set(v1.__all__)
