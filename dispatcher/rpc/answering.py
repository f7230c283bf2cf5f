"""Questions among peers, and the side that answers: what this process knows of a page, told to another dispatcher.

One method on the door's port, not part of the contract and not shown by reflection. A question is about one page; the
answer carries the page as the ledger does, so what holds for pages of other versions there holds here too. Where
callers show certificates, none but dispatchers are told.

A question is answered from what this process owns, or not at all: it is never passed on, so it cannot go in circles.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final

import grpc
import msgspec

from cordboard.log.port import LogError
from dispatcher.core import page as pages
from dispatcher.finding import Finder, NotOwned, Restoring
from dispatcher.rpc.lock import Lock

SERVICE: Final = "cordboard.internal.Peers"
METHOD: Final = "Find"
NOT_A_PEER: Final = "pages are told to dispatchers alone, and your certificate is none's: see tls.peer_name"


class Word(enum.StrEnum):
    """What the answer is."""

    FOUND = "found"
    NONE = "none"  # There is no such page.
    NOT_OWNED = "not_owned"
    RESTORING = "restoring"
    FAILED = "failed"  # The owner cannot tell: its log is in trouble, or it has too much to do.


class Question(msgspec.Struct, array_like=True, frozen=True):
    """Which page of which group's: an address may be another deployment's by now."""

    group: str
    key: str


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """What became of it; fields are only ever added, at the end, with a default."""

    word: Word
    page: bytes = b""


_encoder: Final = msgspec.msgpack.Encoder()
_questions: Final = msgspec.msgpack.Decoder(Question)
_answers: Final = msgspec.msgpack.Decoder(Answer)


def encode(said: Question | Answer) -> bytes:
    """Write a question or an answer."""
    return _encoder.encode(said)


def decode_answer(value: bytes) -> Answer:
    """Read an answer. Raises msgspec.MsgspecError when it is none that is known here."""
    return _answers.decode(value)


class Answering:
    """Answers peers from what `own` knows: the process's own dispatcher, never one that asks others."""

    def __init__(
        self,
        own: Finder,
        group: str,
        questions_max: int,
        is_peer: Callable[[Any], bool] = lambda _: True,
        lock: Lock | None = None,
    ) -> None:
        """`questions_max` is how many may wait for their answers.

        `is_peer` tells by a call's context whose certificate a peer's is, and `lock` opens to peers alone.
        """
        self._is_peer = is_peer
        self._lock = lock
        self._own = own
        self._group = group
        self._questions_max = questions_max
        self._waiting = 0

    async def _turn_away_others(self, context: Any) -> None:
        if not self._is_peer(context):
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, NOT_A_PEER)
        if self._lock is not None and not self._lock.opens(context.invocation_metadata()):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "This is for dispatchers, by peers.secret.")

    async def answer(self, question: bytes, context: Any = None) -> bytes:
        """Answer a peer's question; also one that nobody can read. `context` None: somebody in this process asks."""
        if context is not None:
            await self._turn_away_others(context)
        if self._waiting >= self._questions_max:
            return encode(Answer(Word.FAILED))
        self._waiting += 1
        try:
            return encode(await self._answer(_questions.decode(question)))
        except msgspec.MsgspecError:
            return encode(Answer(Word.FAILED))
        finally:
            self._waiting -= 1

    async def _answer(self, question: Question) -> Answer:
        if question.group != self._group:
            return Answer(Word.NOT_OWNED)
        try:
            page = await self._own.find(question.key)
        except NotOwned:
            return Answer(Word.NOT_OWNED)
        except Restoring:
            return Answer(Word.RESTORING)
        except LogError:
            return Answer(Word.FAILED)
        return Answer(Word.NONE) if page is None else Answer(Word.FOUND, pages.encode(page))

    def handler(self) -> grpc.GenericRpcHandler:
        """The method, for a gRPC server: it takes and gives bytes."""
        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self.answer)
        return grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})
