"""The `cordboard` command. Failures become one sentence on standard error and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys

from cordboard.cli.app import app
from cordboard.cli.exits import Failure


def main() -> None:
    """Run the command that the arguments name."""
    # gRPC writes a line of its own about each handshake that fails, which anybody can make it do; set, it tells again.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        app()
    except Failure as failure:
        print(f"cordboard: {failure}", file=sys.stderr)  # noqa: T201 - this is a command line.
        sys.exit(failure.status)
    except BrokenPipeError:  # Whoever read our output has had enough, such as `head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
