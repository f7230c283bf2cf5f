"""The questions of dispatchers among themselves, behind a secret: on the port that senders reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from cordboard.settings import Peers
from cordboard.v1 import GetCallRequest
from dispatcher.rpc.answering import METHOD, SERVICE, Question, Word, decode_answer, encode
from dispatcher.rpc.lock import HEADER, Lock, key_of, no_secret
from tests.rpc.door import CLOCK, TOPICS, desk_at, error_of, until
from tests.rpc.identities import EVERY_RIGHT, access, bearer, identity
from tests.rpc.neighbours import street

SECRET = "sixteen-letters-and-more"


class Clock:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


async def ask(target: str, metadata: Any = ()) -> Word:
    question = encode(Question(f"{TOPICS.prefix}.dispatcher", "A"))
    async with grpc.aio.insecure_channel(target) as channel:
        find: Any = channel.unary_unary(f"/{SERVICE}/{METHOD}")
        return decode_answer(await find(question, timeout=20, metadata=metadata)).word


async def test_dispatchers_that_share_a_secret_ask_each_other():
    """
    As they do without one.
    """
    async with street(2, secret=lambda: SECRET) as neighbours:
        asking, holding = neighbours.processes
        error = await error_of(asking.stub.GetCall(GetCallRequest(call_control_id=holding.call()), timeout=20))

    assert error.info.reason == "CALL_NOT_FOUND"


async def test_who_does_not_know_the_secret_is_told_nothing(tmp_path: Path):
    """
    Nor who shows a sender's token, whatever its rights.
    """
    known = access(root=identity("t-root", ("*",), rights=EVERY_RIGHT))
    async with desk_at(tmp_path, access=known, secret=lambda: SECRET) as desk:
        assert await ask(desk.target, ((HEADER, SECRET),)) is Word.NONE
        for shown in ((), bearer("t-root"), ((HEADER, "sixteen-other-letters"),), ((HEADER, ""),)):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await ask(desk.target, shown)
            assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_one_with_another_secret_is_no_peer():
    """
    Who asks it is told that nobody can tell, and never that there is no such call.
    """
    async with street(1, secret=lambda: SECRET) as neighbours:
        (holding,) = neighbours.processes
        asking = await neighbours.started(secret=lambda: f"{SECRET}-of-another")
        await until(lambda: holding.dispatcher.owned and asking.dispatcher.owned)
        error = await error_of(asking.stub.GetCall(GetCallRequest(call_control_id=holding.call()), timeout=20))

    assert error.info.reason == "OWNER_UNREACHABLE"


class TestLock:
    def opens(self, lock: Lock, word: str) -> bool:
        return lock.opens(((HEADER, word),))

    def test_without_a_secret_it_is_open(self):
        """
        As where nobody has to prove anything.
        """
        assert Lock(no_secret, Clock()).opens(())
        assert key_of(no_secret) == ()

    def test_while_a_secret_is_replaced_the_one_before_counts_too(self, tmp_path: Path):
        """
        For ten minutes: processes see the new file one after the other. One that is gone opens nothing.
        """
        clock, file = Clock(), tmp_path / "secret"
        file.write_text(f"{SECRET}-1")
        lock = Lock(Peers(secret_file=file).read_secret, clock)

        file.write_text(f"{SECRET}-2")
        clock.ms += 1_000
        assert self.opens(lock, f"{SECRET}-1")
        assert self.opens(lock, f"{SECRET}-2")
        file.unlink()
        clock.ms += 10 * 60_000
        assert [self.opens(lock, f"{SECRET}-{number}") for number in (1, 2)] == [False, True]
        assert not lock.opens(())

    def test_a_secret_that_cannot_be_read_is_not_shown(self, tmp_path: Path):
        """
        The question is asked without one, and turned away.
        """
        file = tmp_path / "secret"
        file.write_text(SECRET)
        peers = Peers(secret_file=file)
        assert key_of(peers.read_secret) == ((HEADER, SECRET),)
        file.unlink()
        assert key_of(peers.read_secret) == ()


def test_without_a_secret_it_is_shut_where_somebody_else_may_not_ask() -> None:
    """
    Where identities are, whoever is not known for a dispatcher is none.
    """
    assert Lock(no_secret, CLOCK).opens(None)
    assert not Lock(no_secret, CLOCK, lambda: False).opens(())
