"""Claims on a real ledger, looked at closely: what is mended, sent again, read back, refused, and not read at all."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cordboard.log.kafka import ownership
from cordboard.log.kafka.entries import Stored, to_stored
from cordboard.log.ledger import ClaimMade, Done, Genesis, Owing, PageWritten, SettleId
from cordboard.log.port import Fenced, LogUnusable, PositionsLost
from tests.kafka.ledgers import Ledgers, amounts_to, keep_last


@pytest.fixture
async def ledgers(kafka_servers: str, kafka_prefix: str) -> AsyncIterator[Ledgers]:
    made = Ledgers(kafka_servers, kafka_prefix)
    await made.make()
    yield made
    await made.close()


@pytest.fixture
def unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners do not come to say that a settle is done, unless they are asked to close or claim."""
    monkeypatch.setattr(ownership, "DONE_SECONDS", 3_600.0)


class TestMending:
    async def test_pages_of_a_zombie_are_set_right_before_compaction_can_prefer_them(self, ledgers: Ledgers) -> None:
        """
        Rule 2: whoever meets stale pages writes the right ones behind them, deletions too, so the last record of each
        key is one that counts.
        """
        zombie, owner = await ledgers.open(), await ledgers.open()
        void = await zombie.claim()
        await zombie.log.settle(void, [("a", b"1"), ("b", b"1"), ("c", b"1")], [], ledgers.positions(1))
        claim = await owner.claim()
        await owner.log.settle(claim, [("a", b"2"), ("b", None)], [], ledgers.positions(2))
        with pytest.raises(Fenced):
            await zombie.log.settle(
                void, [("a", b"?"), ("b", b"?"), ("c", None), ("d", b"?")], [], ledgers.positions(9)
            )
        assert amounts_to(keep_last(await ledgers.records()))[0] != {
            "a": b"2",
            "c": b"1",
        }  # There is something to mend.

        heir = await ledgers.open()
        claim = await heir.claim()

        assert [claimed.stale for claimed in heir.claimed] == [4]
        assert (await heir.pages(claim), claim.positions) == ({"a": b"2", "c": b"1"}, ledgers.positions(2))
        for records in (await ledgers.records(), keep_last(await ledgers.records())):
            assert amounts_to(records) == ({"a": b"2", "c": b"1"}, ledgers.positions(2))
        again = await ledgers.open()
        await again.claim()
        assert [claimed.stale for claimed in again.claimed] == [0]

    async def test_positions_of_a_zombie_are_set_right_though_no_page_is_wrong(self, ledgers: Ledgers) -> None:
        """
        What a zombie says of its inputs displaces the true word as well as a page would.
        """
        owner = await ledgers.open()
        old = (await owner.claim()).epoch
        other = await ledgers.open()
        claim = await other.claim()
        await other.log.settle(claim, [("a", b"1")], [], ledgers.positions(5))
        await ledgers.until(lambda entries: isinstance(entries[-1][1], Done))
        late = SettleId(old, 7)
        await ledgers.write(
            Owing(old, late, (ledgers.result(b"never"),), ledgers.positions(9)), Done(old, late, ledgers.positions(9))
        )

        heir = await ledgers.open()
        claim = await heir.claim()
        await heir.log.close()

        assert claim.positions == ledgers.positions(5)
        assert amounts_to(keep_last(await ledgers.records())) == ({"a": b"1"}, ledgers.positions(5))
        assert await ledgers.results() == []

    async def test_a_settle_that_was_cut_short_leaves_nothing(self, ledgers: Ledgers) -> None:
        """
        Pages without the word that they are complete were never written: what stood there before is written again.
        """
        owner = await ledgers.open()
        claim = await owner.claim()
        await owner.log.settle(claim, [("a", b"1")], [], ledgers.positions(1))
        await ledgers.write(PageWritten(claim.epoch, SettleId(claim.epoch, 2), "a", b"half"))

        heir = await ledgers.open()
        claim = await heir.claim()

        assert await heir.pages(claim) == {"a": b"1"}
        assert amounts_to(keep_last(await ledgers.records()))[0] == {"a": b"1"}

    async def test_compaction_by_the_broker_takes_nothing_that_counts(self, ledgers: Ledgers) -> None:
        """
        On a broker that compacts at once: zombies' pages and all that was overwritten go, offsets have gaps, and the
        next owner finds the same.
        """
        zombie, owner = await ledgers.open(), await ledgers.open()
        void = await zombie.claim()
        claim = await owner.claim()
        for number in range(1, 30):
            pages = [(f"page-{number % 7}", str(number).encode())]
            await owner.log.settle(claim, pages, [], ledgers.positions(number))
        # Nothing more is to come of it while the broker compacts.
        await ledgers.until(lambda entries: isinstance(entries[-1][1], Done))
        with pytest.raises(Fenced):
            await zombie.log.settle(void, [("page-3", b"?"), ("page-9", b"?")], [], ledgers.positions(99))
        await (await ledgers.open()).claim()
        await ledgers.until(lambda entries: isinstance(entries[-1][1], Done))  # What it has mended is done, too.
        before = amounts_to(await ledgers.records())

        assert await ledgers.compacted() > 30
        heir = await ledgers.open()
        claim = await heir.claim()

        assert (await heir.pages(claim), claim.positions) == before
        assert before == (
            {f"page-{number % 7}": str(number).encode() for number in range(23, 30)},
            ledgers.positions(29),
        )


@pytest.mark.usefixtures("unsaid")
class TestOwing:
    async def test_what_is_owed_is_sent_again_by_the_next_claim(self, ledgers: Ledgers) -> None:
        """
        Its owner stopped before it said that its outputs are out: they come again byte for byte, its inputs are done,
        and the claim after that owes nothing.
        """
        dead = await ledgers.open()
        claim = await dead.claim()
        owed = [ledgers.result(b"1"), ledgers.result(b"2")]
        await dead.log.settle(claim, [("a", b"1")], owed, ledgers.positions(3))

        heir = await ledgers.open()
        claim = await heir.claim()
        assert await ledgers.results() == [b"1", b"2", b"1", b"2"]
        assert (await heir.pages(claim), claim.positions) == ({"a": b"1"}, ledgers.positions(3))
        await heir.log.close()  # It says now what it had no occasion to say before.

        last = await ledgers.open()
        assert (await last.claim()).positions == ledgers.positions(3)
        assert await ledgers.results() == [b"1", b"2", b"1", b"2"]

    async def test_what_was_written_and_never_sent_is_sent(self, ledgers: Ledgers) -> None:
        """
        Its owner stopped right behind the word that its pages are complete.
        """
        epoch = (await (await ledgers.open()).claim()).epoch
        settle = SettleId(epoch, 1)
        await ledgers.write(
            PageWritten(epoch, settle, "a", b"1"), Owing(epoch, settle, (ledgers.result(b"1"),), ledgers.positions(1))
        )

        heir = await ledgers.open()
        claim = await heir.claim()

        assert (await ledgers.results(), await heir.pages(claim)) == ([b"1"], {"a": b"1"})
        assert claim.positions == ledgers.positions(1)

    async def test_what_an_owner_has_sent_its_next_settle_says(self, ledgers: Ledgers) -> None:
        """
        No entry of its own is needed for it, and none is written while settles follow each other; then the last one is
        said when the owner closes.
        """
        owner = await ledgers.open()
        claim = await owner.claim()
        for number in (1, 2, 3):
            await owner.log.settle(claim, [], [ledgers.result(str(number).encode())], ledgers.positions(number))
        written = [entry for _, entry in await ledgers.entries()]
        assert [type(entry) for entry in written] == [Genesis, ClaimMade, Owing, Owing, Owing]
        await owner.log.close()

        assert (await ledgers.entries())[-1][1] == Done(claim.epoch, SettleId(claim.epoch, 3), ledgers.positions(3))
        await (await ledgers.open()).claim()
        assert await ledgers.results() == [b"1", b"2", b"3"]

    async def test_only_the_last_settle_is_sent_again(self, ledgers: Ledgers) -> None:
        """
        An owner begins none before the outputs of the one before are out.
        """
        dead = await ledgers.open()
        claim = await dead.claim()
        for number in (1, 2):
            await dead.log.settle(claim, [], [ledgers.result(str(number).encode())], ledgers.positions(number))

        await (await ledgers.open()).claim()

        assert await ledgers.results() == [b"1", b"2", b"2"]


async def test_done_is_said_by_itself_after_a_moment(ledgers: Ledgers) -> None:
    """
    An owner that has nothing more to settle leaves no doubt behind: the next claim sends nothing again.
    """
    owner = await ledgers.open()
    claim = await owner.claim()
    await owner.log.settle(claim, [("a", b"1")], [ledgers.result(b"1")], ledgers.positions(1))
    await ledgers.until(
        lambda entries: entries[-1][1] == Done(claim.epoch, SettleId(claim.epoch, 1), ledgers.positions(1))
    )

    await (await ledgers.open()).claim()
    assert await ledgers.results() == [b"1"]


class TestWarmth:
    async def test_nothing_is_read_where_nobody_else_wrote(self, ledgers: Ledgers) -> None:
        """
        Whoever claims right behind its own last entry has all there is.
        """
        owner = await ledgers.open()
        claim = await owner.claim()
        await owner.log.settle(claim, [("a", b"1")], [ledgers.result(b"1")], ledgers.positions(1))
        restores = len(owner.restored)

        claim = await owner.claim()

        assert (claim.warm, claim.positions) == (True, ledgers.positions(1))
        assert [claimed.warm for claimed in owner.claimed] == [False, True]
        assert len(owner.restored) == restores
        assert await owner.pages(claim) == {"a": b"1"}  # For who has not kept them after all.

    async def test_another_owner_in_between_makes_it_cold(self, ledgers: Ledgers) -> None:
        """
        Also where it has only claimed: what it may have done is read.
        """
        owner, other = await ledgers.open(), await ledgers.open()
        await owner.log.settle(await owner.claim(), [("a", b"1")], [], ledgers.positions(1))
        await ledgers.until(lambda entries: isinstance(entries[-1][1], Done))
        await other.claim()

        claim = await owner.claim()

        assert (claim.warm, claim.positions) == (False, ledgers.positions(1))
        assert await owner.pages(claim) == {"a": b"1"}

    async def test_an_entry_of_a_zombie_makes_it_cold_and_is_mended(self, ledgers: Ledgers) -> None:
        """
        It counts for nothing, but it stands there, and compaction would let it count.
        """
        zombie, owner = await ledgers.open(), await ledgers.open()
        old = (await zombie.claim()).epoch
        await owner.log.settle(await owner.claim(), [("a", b"1")], [], ledgers.positions(1))
        await ledgers.until(lambda entries: isinstance(entries[-1][1], Done))
        await ledgers.write(PageWritten(old, SettleId(old, 1), "a", b"?"))

        claim = await owner.claim()

        assert (claim.warm, owner.claimed[-1].stale, await owner.pages(claim)) == (False, 1, {"a": b"1"})
        assert amounts_to(keep_last(await ledgers.records()))[0] == {"a": b"1"}

    async def test_a_settle_that_failed_makes_it_cold(self, ledgers: Ledgers) -> None:
        """
        Its owner cannot know what stands there.
        """
        owner, other = await ledgers.open(), await ledgers.open()
        claim = await owner.claim()
        await other.claim()
        with pytest.raises(Fenced):
            await owner.log.settle(claim, [("a", b"1")], [], ledgers.positions(1))

        claim = await owner.claim()

        assert (claim.warm, await owner.pages(claim)) == (False, {})


class TestRefusals:
    @pytest.mark.parametrize("kept", [(), ("commands", "outcomes", "webhooks")])
    async def test_a_ledger_without_positions_is_not_gone_on_with(
        self, ledgers: Ledgers, kept: tuple[str, ...]
    ) -> None:
        """
        Rule 3: it was owned before, so beginning anywhere would repeat or skip; what is missing is named.
        """
        epoch = await ledgers.write(ClaimMade())
        if kept:
            positions = {getattr(ledgers.topics, name): 4 for name in kept}
            await ledgers.write(Done(epoch, SettleId(epoch, 1), positions))

        missing = [topic for topic in ledgers.topics.inputs if topic.rpartition(".")[2] not in kept]
        with pytest.raises(PositionsLost, match=f"partition 0 has no positions for {', '.join(missing)}$"):
            await (await ledgers.open()).claim()

    @pytest.mark.parametrize("which", ["page", "deletion", "claim", "state"])
    async def test_what_a_newer_version_wrote_is_left_alone(self, ledgers: Ledgers, which: str) -> None:
        """
        A sentence says both versions, and nothing is written behind it.
        """
        epoch = await ledgers.write(ClaimMade())
        by = (2).to_bytes(1, "big") + bytes(12)
        newer = {
            "page": Stored(b"pa", by + b"1"),
            "deletion": Stored(b"pa", None, (("by", by),)),
            "claim": Stored(b"c" + bytes(12), b"\x02"),
            "state": to_stored(Done(epoch, SettleId(epoch, 1), {})),
        }[which]
        if which == "state":
            assert newer.value is not None
            newer = newer._replace(value=newer.value.replace(b"\x96\x01", b"\x96\x02", 1))
        await ledgers.write_stored(newer)
        before = await ledgers.records()

        with pytest.raises(LogUnusable, match=r"written by another version \(format 2, this one reads 1\)"):
            await (await ledgers.open()).claim()
        assert await ledgers.records() == before
