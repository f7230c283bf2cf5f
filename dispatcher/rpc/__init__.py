"""The gRPC door: takes commands, tells what became of them, and hands on what happens on calls."""

from dispatcher.rpc.server import GrpcServer

__all__ = ["GrpcServer"]
