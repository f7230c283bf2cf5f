"""How a command ends: its exit status, and the sentence that says why."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What the shell is told."""

    OK = 0  # It came out right.
    FAILED = 1  # It did not: a command failed, or what was looked at is not as it should be.
    USAGE = 2  # What was asked for makes no sense.
    UNREACHABLE = 3  # Whatever should have answered did not.


class Failure(Exception):
    """A command's end that is not the wanted one, in one or two sentences for whoever typed it."""

    def __init__(self, message: str, status: Status = Status.FAILED) -> None:
        super().__init__(message)
        self.status = status
