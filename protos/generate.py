"""Makes Python from the contract: messages, stubs and types, and the descriptor image that buf checks.

`buf/validate/validate.proto`, which the contract imports, has no source here: its descriptor is taken from the
protovalidate wheel, so that the rules as written and the rules as checked are always of one version.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

# A private name of the wheel's, hence its narrow version in pyproject.toml; tests/contract holds it in place.
from protovalidate._gen.buf.validate import validate_pb

from protos.commands import write_commands

ROOT: Final = Path(__file__).resolve().parent.parent
VALIDATE: Final = "buf/validate/validate.proto"
SERVICES: Final = ("dispatcher_service", "operator_service")
GOOGLE: Final = Path(grpc_tools.__file__).parent / "_proto"


def validate_descriptor() -> descriptor_pb2.FileDescriptorSet:
    """The rules' own file."""
    files = descriptor_pb2.FileDescriptorSet()
    files.file.add().MergeFromString(validate_pb.desc().proto.to_binary())
    return files


def contract(protos: Path) -> list[str]:
    """The contract's files, as protoc names them."""
    return sorted(str(path.relative_to(protos)) for path in protos.glob("cordboard/**/*.proto"))


def run_protoc(protos: Path, arguments: Sequence[str]) -> None:
    """Run protoc with the rules' descriptor at hand. Raises SystemExit where it finds fault."""
    with tempfile.TemporaryDirectory() as scratch:
        rules = Path(scratch, "validate.binpb")
        rules.write_bytes(validate_descriptor().SerializeToString())
        command = [
            "protoc",
            f"--descriptor_set_in={rules}",
            f"--proto_path={protos}",
            f"--proto_path={GOOGLE}",
            *arguments,
        ]
        if code := protoc.main(command):
            raise SystemExit(code)


def exports(files: descriptor_pb2.FileDescriptorSet) -> Iterator[tuple[str, str]]:
    """The messages, enums and enum values of the contract, each with the module that it is in."""
    for file in files.file:
        module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        for message in file.message_type:
            yield module, message.name
        for enum in file.enum_type:
            yield module, enum.name
            yield from ((module, value.name) for value in enum.value)


def write_package(protos: Path, init: Path) -> None:
    """Write the package's own module, by which `from cordboard.v1 import Command` works whatever file it is in."""
    image = init.with_suffix(".binpb")
    run_protoc(protos, [f"--descriptor_set_out={image}", *contract(protos)])
    found = sorted(exports(descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())))
    image.unlink()
    lines = [
        '"""The contract as Python, made from protos/cordboard/v1 by `make proto`."""',
        "",
        "# ruff: noqa: I001, RUF022 (generated: in the order of the files)",
        *(f"from {module} import {name}" for module, name in found),
        "",
        "__all__ = [",
        *(f'    "{name}",' for _, name in found),
        "]",
        "",
    ]
    init.write_text("\n".join(lines))


def write_code(out: Path) -> None:
    """Write messages, stubs and their types below `out`, each in its package's directory."""
    protos = ROOT / "protos"
    messages = [f"--python_out={out}", f"--mypy_out=quiet:{out}"]
    run_protoc(protos, [*messages, VALIDATE, *contract(protos)])
    run_protoc(
        protos,
        [
            f"--grpc_python_out={out}",
            f"--mypy_grpc_out=quiet:{out}",
            *(f"cordboard/v1/{name}.proto" for name in SERVICES),
        ],
    )
    write_package(protos, out / "cordboard/v1/__init__.py")
    image = out / "contract.binpb"
    write_image(protos, image)
    write_commands(descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes()), out / "cordboard/v1/commands.py")
    image.unlink()


def write_image(protos: Path, image: Path) -> None:
    """Write the contract in these protos as one descriptor set, comments and imports included."""
    image.parent.mkdir(parents=True, exist_ok=True)
    run_protoc(
        protos, ["--include_imports", "--include_source_info", f"--descriptor_set_out={image}", *contract(protos)]
    )


def stale_files() -> list[str]:
    """The generated files that are not what the contract makes today, and those that it no longer makes."""
    with tempfile.TemporaryDirectory() as scratch:
        write_code(Path(scratch))
        fresh = {path.relative_to(scratch) for path in Path(scratch).rglob("*.py*")}
        kept = {
            path.relative_to(ROOT)
            for package in ("cordboard/v1", "buf")
            for path in (ROOT / package).rglob("*.py*")
            if "__pycache__" not in path.parts
        }
        same = {name for name in fresh & kept if filecmp.cmp(ROOT / name, Path(scratch, name), shallow=False)}
        return sorted(str(name) for name in (fresh | kept) - same)


def main() -> None:
    """Generate; or, with --check, say what is stale; or, with --image, write the image of the protos in --protos."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--image", type=Path)
    parser.add_argument("--protos", type=Path, default=ROOT / "protos")
    options = parser.parse_args()
    if options.image:
        write_image(options.protos.resolve(), options.image)
    elif not options.check:
        write_code(ROOT)
    elif stale := stale_files():
        sys.exit("stale, run `make proto`: " + ", ".join(stale))


if __name__ == "__main__":
    main()
