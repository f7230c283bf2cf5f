"""The dispatcher's door as the commands use it: errors become sentences and exit statuses here, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc
import grpc.aio

from cordboard.cli import tokens
from cordboard.cli.exits import Failure, Status
from cordboard.cli.handshake import trouble_with
from cordboard.cli.target import Target
from cordboard.client import Client, CommandRefused, Tls, Watch
from cordboard.tls.identity import Files, Unfit, read

REACH_SECONDS: Final = 5.0
_USAGE: Final = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE})


@asynccontextmanager
async def dispatcher(target: Target) -> AsyncIterator[Client]:
    """A client of `target` (host:port); what the block meets on the way there leaves it as a Failure."""
    async with _client(target) as client:
        try:
            yield client
        except CommandRefused as refused:
            raise _refusal(refused) from None
        except grpc.aio.AioRpcError as error:
            raise await _unexplained(error, target) from None


def _client(target: Target) -> Client:
    """Raises Failure for files that are not right; what the other side thinks of them shows later."""
    try:
        tls = Tls(target.ca_file, target.certificate_file, target.key_file, target.server_name)
        if target.certificate_file is not None and target.key_file is not None:
            read(Files(target.certificate_file, target.key_file))
        return Client(target.address, tls=target.encrypted and tls, **tokens.shown())
    except OSError as error:
        raise Failure(f"{error.filename} cannot be read: {error.strerror or error}", Status.USAGE) from None
    except (Unfit, ValueError) as error:
        raise Failure(_in_options(str(error)), Status.USAGE) from None


def _in_options(said: str) -> str:
    """What is wrong, by the names that the command line has for it."""
    named = said.replace("certificate_file", "--tls-certificate").replace("key_file", "--tls-key")
    return named.replace("token_in_clear=True", "--token-in-clear before the command")


async def reach(watch: Watch, target: Target) -> None:
    """Return once the watch misses nothing more. Raises Failure where nobody answers; it would try for ever."""
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await watch.positioned()
    except TimeoutError:
        raise await _unreached(target) from None


def _refusal(refused: CommandRefused) -> Failure:
    wrong = dict.fromkeys(refused.violations)
    count = f"{refused.reason}: {len(wrong)} field{'s are' if len(wrong) > 1 else ' is'} wrong"
    lines = [count if wrong else str(refused)]
    for violation in wrong:
        # The sentences begin with the field as they are; here it stands before them already.
        sentence = violation.description.removeprefix(violation.field).lstrip(" :")
        lines.append(f"  {violation.field}: {sentence}")
    if refused.reason == "UNAUTHENTICATED":
        lines.append(tokens.HINT)
    if refused.retry_delay is not None:
        lines.append(f"  Try again in {refused.retry_delay:g} s, under the same id.")
    status = Status.USAGE if refused.code in _USAGE else Status.FAILED
    return Failure("\n".join(lines), status)


async def _unexplained(error: grpc.aio.AioRpcError, target: Target) -> Failure:
    """An error that is not the dispatcher's own word, so it says nothing about the command."""
    code = error.code()
    if code is grpc.StatusCode.UNAVAILABLE:
        return await _unreached(target)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Failure(
            f"{target} did not answer in time, so nothing is known; the same command under the same id is never twice",
            Status.UNREACHABLE,
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Failure(f"{target} speaks gRPC, but does not offer this; is it a dispatcher?", Status.UNREACHABLE)
    return Failure(f"{target} answered {code.name}: {error.details()}")


async def _unreached(target: Target) -> Failure:
    """Nobody answers, or somebody with whom no handshake comes about, of which gRPC says little."""
    if trouble := await trouble_with(target):
        return Failure(f"{target} {trouble}", Status.UNREACHABLE)
    return Failure(
        f"no dispatcher answers at {target}; `cordboard dev` starts one, --target names another", Status.UNREACHABLE
    )
