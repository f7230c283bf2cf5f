"""Opening ports, with a word about which one it was that could not be had."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from cordboard.settings import Grpc


def address(host: str, port: int) -> str:
    """host:port, as URLs and gRPC write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def advertised(settings: Grpc, port: int) -> str:
    """host:port at which others reach the gRPC door that listens on `port`.

    Where it listens everywhere and nothing else is set, that is this machine's name, which others must be able to look
    up.
    """
    if settings.advertise is not None:
        return settings.advertise
    everywhere = settings.host in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
    return address(socket.gethostname() if everywhere else settings.host, port)


class CannotListen(Exception):
    """A port cannot be had. `section` is the part of the settings that holds it, such as grpc."""

    def __init__(self, section: str, host: str, port: int, why: str) -> None:
        super().__init__(f"cannot listen on {address(host, port)} ({section}.port): {why}")
        self.section = section


@contextmanager
def naming(section: str, host: str, port: int) -> Iterator[None]:
    """Raise CannotListen for what goes wrong inside, where the address that `section` holds is opened."""
    try:
        yield
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = "something else has that port already" if taken else error.strerror or str(error)
        raise CannotListen(section, host, port, why) from error
