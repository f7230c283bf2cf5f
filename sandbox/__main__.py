"""`python -m sandbox`: serve the sandbox until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence

from sandbox.server import Server, serve
from sandbox.settings import Settings


def _settings(argv: Sequence[str] | None) -> Settings:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="sandbox", description="A stand-in for Telnyx Call Control.")
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port, help="0: any free one (default %(default)s)")
    parser.add_argument("--webhook-url", help="where webhooks go for calls that name no address themselves")
    parser.add_argument("--speed", type=float, default=defaults.speed, help="calls live so many times as fast")
    parser.add_argument("--seed", type=int, help="the same ids every time")
    parser.add_argument("--api-key", action="append", default=[], help="an accepted key (default: any); repeatable")
    parser.add_argument("--signing-key", help="Base64 of an Ed25519 seed (default: a new pair)")
    parser.add_argument("--quiet", action="store_true", help="send no webhooks")
    given = parser.parse_args(argv)
    try:
        return Settings(
            host=given.host,
            port=given.port,
            webhook_url=given.webhook_url,
            speed=given.speed,
            seed=given.seed,
            api_keys=tuple(given.api_key),
            signing_key=given.signing_key,
            quiet=given.quiet,
        )
    except ValueError as error:
        parser.error(str(error))


def _announce(server: Server) -> None:
    print(  # noqa: T201 - this is a command line.
        f"sandbox: Telnyx API at {server.base_url}, its own routes at {server.root_url}/sandbox\n"
        f"sandbox: webhooks go to {server.settings.webhook_url or 'the webhook_url of each call'}, "
        f"public key {server.public_key}",
        flush=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Serve, and return the exit status."""
    settings = _settings(argv)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(settings, _announce))
    except OSError as error:
        print(f"sandbox: cannot listen on {settings.host}:{settings.port}: {error}", file=sys.stderr)  # noqa: T201 - as above.
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
