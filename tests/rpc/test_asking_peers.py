"""How a question finds its owner: how often is asked, whom, and when to stop; without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest
import structlog.testing

from cordboard.log.port import LogError, LogUnavailable
from cordboard.topics import Topics
from dispatcher.core.page import Page
from dispatcher.core.page import encode as encode_page
from dispatcher.finding import NotOwned, Restoring
from dispatcher.rpc import peers as peers_module
from dispatcher.rpc.answering import Answer, Answering, Question, Word, decode_answer, encode
from dispatcher.rpc.channels import Unreachable
from dispatcher.rpc.events import Event, Forwarded
from dispatcher.rpc.peers import Peers
from tests.rpc.door import until

GROUP = "t.dispatcher"
PAGE = Page(key="A", account="main", leg="leg")


class Owning:
    """What a process knows of its own pages: a page, nothing, or why it cannot tell."""

    def __init__(self, knows: Page | LogError | None) -> None:
        self.knows = knows
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = 0

    async def find(self, key: str) -> Page | None:
        self.asked += 1
        await self.may_answer.wait()
        if isinstance(self.knows, LogError):
            raise self.knows
        return self.knows


class GroupLog:
    """A log that only knows who holds its one partition; looks at it are counted."""

    def __init__(self, *holders: Mapping[int, str] | LogError) -> None:
        self._holders = list(holders)
        self.looks = 0
        self.may_tell = asyncio.Event()
        self.may_tell.set()

    def partition_for(self, topic: str, key: bytes) -> int:
        return 0

    def partitions(self, topic: str) -> int:
        return 1

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        assert (group, topic) == (GROUP, "t.commands")
        self.looks += 1
        await self.may_tell.wait()
        told = self._holders.pop(0) if len(self._holders) > 1 else self._holders[0]
        if isinstance(told, LogError):
            raise told
        return told


class Roads:
    """Ways to peers, without a network."""

    def __init__(self, **there: Owning | bytes) -> None:
        self.there = there
        self.asked: list[str] = []
        self.kept: Collection[str] | None = None

    async def ask(self, name: str, question: bytes) -> bytes:
        self.asked.append(name)
        peer = self.there.get(name)
        if peer is None:
            raise Unreachable(f"{name} is no more")
        return peer if isinstance(peer, bytes) else await Answering(peer, GROUP, 10).answer(question)

    def keep(self, names: Collection[str]) -> None:
        self.kept = names


def _peers(log: GroupLog, roads: Roads, own: Owning | None = None) -> tuple[Peers, list[Event]]:
    seen: list[Event] = []
    elsewhere = Owning(NotOwned("elsewhere"))
    return Peers(log, Topics("t"), own or elsewhere, roads, seen.append), seen  # type: ignore[arg-type]  # as much of a log as is needed


async def test_what_is_owned_here_is_asked_of_nobody() -> None:
    """
    Neither the group nor a peer hears of it; nor where the own log is in trouble.
    """
    log, roads = GroupLog({0: "a"}), Roads(a=Owning(None))
    for knows in (PAGE, None, Restoring("not yet"), LogError("trouble")):
        peers, seen = _peers(log, roads, Owning(knows))
        if isinstance(knows, LogError):
            with pytest.raises(type(knows)):
                await peers.find("A")
        else:
            assert await peers.find("A") == knows
        assert (log.looks, roads.asked, seen) == (0, [], [])


async def test_a_page_comes_as_it_is_there() -> None:
    """
    All of it, or that there is none.
    """
    owner = Owning(PAGE)
    peers, seen = _peers(GroupLog({0: "a"}), Roads(a=owner))
    assert await peers.find("A") == PAGE
    owner.knows = None
    assert await peers.find("A") is None
    assert seen == [Forwarded("found"), Forwarded("none")]


async def test_the_group_is_asked_once_for_many_questions() -> None:
    """
    Those that come at the same time share a look, and later ones remember it.
    """
    log, roads = GroupLog({0: "a"}), Roads(a=Owning(PAGE))
    log.may_tell.clear()
    peers, _ = _peers(log, roads)
    first = [asyncio.create_task(peers.find("A")) for _ in range(5)]
    await until(lambda: log.looks)
    first[0].cancel()  # Who does not wait takes nothing from the others.
    log.may_tell.set()
    assert await asyncio.gather(*first[1:]) == [PAGE] * 4
    await peers.find("A")
    assert log.looks == 1


async def test_what_is_known_of_the_group_is_not_used_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After a while it is asked anew, so that channels to those who are gone are closed.
    """
    log, roads = GroupLog({0: "a"}, {0: "b"}), Roads(a=Owning(PAGE), b=Owning(PAGE))
    peers, _ = _peers(log, roads)
    await peers.find("A")
    assert roads.kept == {"a"}
    monkeypatch.setattr(peers_module, "LOOK_SECONDS_MAX", -1.0)
    await peers.find("A")
    assert (roads.asked, roads.kept) == (["a", "b"], {"b"})


MOVED: list[tuple[Callable[[], Owning | None], str]] = [
    (lambda: Owning(NotOwned("moved")), "not_owned"),
    (lambda: None, "unreachable"),
]


@pytest.mark.parametrize(("before", "outcome"), MOVED)
async def test_who_is_not_the_owner_any_more_has_the_group_asked_again(
    before: Callable[[], Owning | None], outcome: str
) -> None:
    """
    And who is it by now is asked; that is remembered.
    """
    there = {"b": Owning(PAGE)} | ({"a": old} if (old := before()) else {})
    log, roads = GroupLog({0: "a"}, {0: "b"}), Roads(**there)
    peers, seen = _peers(log, roads)
    assert await peers.find("A") == PAGE
    assert await peers.find("A") == PAGE
    assert (roads.asked, log.looks) == (["a", "b", "b"], 2)
    assert seen[0] == Forwarded(outcome)


async def test_two_who_each_say_it_is_the_other_are_asked_once_each() -> None:
    """
    No loop: after the second no the question fails, and who asked comes again.
    """
    log = GroupLog({0: "a"}, {0: "b"}, {0: "a"})
    roads = Roads(a=Owning(NotOwned("b has it")), b=Owning(NotOwned("a has it")))
    peers, _ = _peers(log, roads)
    with pytest.raises(NotOwned):
        await peers.find("A")
    assert (roads.asked, log.looks) == (["a", "b"], 2)


async def test_an_owner_who_denies_it_is_told_to_the_operator() -> None:
    """
    Two processes that give one address look so to all others: every second question about them fails.
    """
    peers, _ = _peers(GroupLog({0: "a"}), Roads(a=Owning(NotOwned("the other one has it"))))
    with structlog.testing.capture_logs() as lines, pytest.raises(NotOwned):
        await peers.find("A")
    [line] = lines
    assert "grpc.advertise" in line["event"]
    assert line["address"] == "a"


async def test_an_owner_that_is_dead_and_not_missed_yet_is_asked_once() -> None:
    """
    The group still names it: to ask it again would tell nothing new.
    """
    log, roads = GroupLog({0: "a"}), Roads()
    peers, _ = _peers(log, roads)
    with pytest.raises(Unreachable):
        await peers.find("A")
    assert (roads.asked, log.looks) == (["a"], 2)


async def test_what_is_being_moved_has_nobody_to_ask() -> None:
    """
    The question fails at once; channels are kept, for nobody is known to be gone.
    """
    log, roads = GroupLog({}), Roads()
    peers, _ = _peers(log, roads)
    with pytest.raises(NotOwned):
        await peers.find("A")
    assert (roads.asked, roads.kept) == ([], None)


@pytest.mark.parametrize(
    ("there", "error", "outcome"),
    [
        (Owning(Restoring("r")), Restoring, "restoring"),
        (Owning(LogUnavailable("l")), LogError, "failed"),
        (b"\xc1", LogError, "failed"),
        (encode(Answer(Word.FOUND, b"no page")), LogError, "failed"),
        (b"\x92\xa5later\xc4\x00", LogError, "failed"),  # A word that only a newer version knows.
    ],
)
async def test_an_owner_that_cannot_tell_is_not_asked_again(
    there: Owning | bytes, error: type[LogError], outcome: str
) -> None:
    """
    Nobody else could tell better; an answer that cannot be read is never taken for "there is none".
    """
    log, roads = GroupLog({0: "a"}), Roads(a=there)
    peers, seen = _peers(log, roads)
    with pytest.raises(error):
        await peers.find("A")
    assert (roads.asked, seen) == (["a"], [Forwarded(outcome)])


async def test_a_group_that_cannot_be_asked_fails_the_question_and_not_the_next() -> None:
    """
    The log's trouble is the answer, for everybody who shared the look.
    """
    log, roads = GroupLog(LogUnavailable("no way"), {0: "a"}), Roads(a=Owning(PAGE))
    peers, _ = _peers(log, roads)
    with pytest.raises(LogUnavailable):
        await peers.find("A")
    assert await peers.find("A") == PAGE


async def test_a_question_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever takes however long: the caller learns in time that nobody could be asked.
    """
    monkeypatch.setattr(peers_module, "ELSEWHERE_SECONDS_MAX", 0.01)
    log = GroupLog({0: "a"})
    log.may_tell.clear()
    peers, _ = _peers(log, Roads())
    with pytest.raises(Unreachable):
        await peers.find("A")


async def test_pages_of_other_versions_are_read_as_the_ledgers_are() -> None:
    """
    Fields that are not known yet are passed over, those that are missing have their defaults.
    """
    import msgspec

    fields: list[Any] = msgspec.msgpack.decode(encode_page(PAGE))
    for told in ([*fields, "from the future"], fields[:2]):
        answer = encode(Answer(Word.FOUND, msgspec.msgpack.encode(told)))
        peers, _ = _peers(GroupLog({0: "a"}), Roads(a=answer))
        page = await peers.find("A")
        assert page is not None
        assert (page.key, page.account) == ("A", "main")


async def test_questions_for_others_are_turned_away() -> None:
    """
    The address was another deployment's before: its page is not owned here, whatever its key.
    """
    own = Owning(PAGE)
    answer = await Answering(own, GROUP, 10).answer(encode(Question("other.dispatcher", "A")))
    assert (decode_answer(answer).word, own.asked) == (Word.NOT_OWNED, 0)


async def test_a_question_that_cannot_be_read_is_answered() -> None:
    """
    Nothing that comes over the wire breaks the answering side.
    """
    for garbage in (b"", b"\xc1", b"\x91\x01", b"A"):
        assert decode_answer(await Answering(Owning(PAGE), GROUP, 10).answer(garbage)).word is Word.FAILED


async def test_only_so_many_questions_wait() -> None:
    """
    One more is told at once that it will not be answered; when there is room again the next one is.
    """
    own = Owning(PAGE)
    own.may_answer.clear()
    answering = Answering(own, GROUP, 2)
    question = encode(Question(GROUP, "A"))
    waiting = [asyncio.create_task(answering.answer(question)) for _ in range(2)]
    await until(lambda: own.asked == 2)
    assert decode_answer(await answering.answer(question)).word is Word.FAILED
    own.may_answer.set()
    assert {decode_answer(answer).word for answer in await asyncio.gather(*waiting)} == {Word.FOUND}
    assert decode_answer(await answering.answer(question)).word is Word.FOUND
