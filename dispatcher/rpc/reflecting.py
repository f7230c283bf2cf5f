"""What the server tells of itself to tools such as grpcurl: its files, as the tools need them.

Python's own descriptors leave out what those go by: the JSON names of fields, without which `commandId` is refused and
answers have other names than the documents; and methods, which are no symbols of its pool.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from dispatcher.acceptance.refusals import Refused
from dispatcher.rpc.callers import Callers


class _Files:
    """A pool in which methods are found, too. (Protobuf's own class cannot be derived from.)"""

    def __init__(self) -> None:
        self._pool = descriptor_pool.DescriptorPool()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 (the pool's own name)
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return self._pool.FindFileContainingSymbol(symbol.rpartition(".")[0])


def reflect(server: grpc.aio.Server, services: Iterable[str], callers: Callers) -> None:
    """Let a server tell of these services, and of reflection itself, to whoever is known."""
    names = [*services, reflection.SERVICE_NAME]
    servicer: Any = _Reflection(names, callers)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)  # type: ignore[no-untyped-call] # generated


class _Reflection:
    """Reflection for callers who are known."""

    def __init__(self, names: list[str], callers: Callers) -> None:
        self._told: Any = reflection.aio.ReflectionServicer(names, _files_of(names))
        self._callers = callers

    async def ServerReflectionInfo(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - its name
        """Answer questions about the contract."""
        try:
            self._callers.known(context)
        except Refused as refused:
            await context.abort_with_status(refused.status())
        async for answer in self._told.ServerReflectionInfo(requests, context):
            yield answer


def _files_of(services: Iterable[str]) -> Any:
    files, known = _Files(), descriptor_pool.Default()
    roots = [known.FindFileContainingSymbol(service) for service in services]
    for file in {file.name: file for root in roots for file in _imports_first(root)}.values():
        files.Add(_with_json_names(file))
    return files


def _imports_first(file: FileDescriptor) -> Iterator[FileDescriptor]:
    for imported in file.dependencies:
        yield from _imports_first(imported)
    yield file


def _with_json_names(file: FileDescriptor) -> FileDescriptorProto:
    told = FileDescriptorProto()
    file.CopyToProto(told)
    for message in told.message_type:
        _name_fields(message)
    return told


def _name_fields(message: DescriptorProto) -> None:
    for field in message.field:
        field.json_name = field.json_name or re.sub("_+(.?)", lambda found: found[1].upper(), field.name)
    for nested in message.nested_type:
        _name_fields(nested)
