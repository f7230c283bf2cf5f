"""What a worker knows of one partition while it holds it."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from workers.tenancy import Tenancy, WorkId


def work_id(name: str) -> WorkId:
    return WorkId("v3:call", name, 1)


class TestMemory:
    def test_the_first_record_is_the_work_and_copies_are_void(self) -> None:
        """
        Another attempt or another command is not a copy.
        """
        tenancy = Tenancy(0, memory_ms=90_000)

        assert [
            tenancy.is_first(work_id("a"), 0),
            tenancy.is_first(work_id("a"), 1),
            tenancy.is_first(work_id("b"), 1),
            tenancy.is_first(WorkId("v3:call", "a", 2), 1),
        ] == [True, False, True, True]

    def test_a_copy_does_not_prolong_the_memory(self) -> None:
        """
        A work is remembered for its time from its first record, and then forgotten.
        """
        tenancy = Tenancy(0, memory_ms=90_000)
        tenancy.is_first(work_id("a"), 0)

        assert not tenancy.is_first(work_id("a"), 90_000)
        assert tenancy.is_first(work_id("a"), 90_001)


class TestReservations:
    def test_works_start_in_order_only(self) -> None:
        """
        What is not sent is always the end of what is reserved.
        """
        tenancy = Tenancy(0, memory_ms=1)
        tenancy.reserve([3, 4, 7])

        assert not tenancy.start(4)
        assert tenancy.start(3)
        assert tenancy.give_back() == 4
        assert tenancy.give_back() is None

    def test_what_is_not_reserved_does_not_start(self) -> None:
        """
        No commit, no request.
        """
        assert not Tenancy(0, memory_ms=1).start(0)

    def test_a_closed_tenancy_starts_nothing(self) -> None:
        """
        After a revocation what is reserved is only given back.
        """
        tenancy = Tenancy(0, memory_ms=1)
        tenancy.reserve([3])
        tenancy.closed.set()

        assert not tenancy.start(3)
        assert tenancy.give_back() == 3

    def test_its_state_reads_in_words(self) -> None:
        """
        A person who meets one in a debugger sees what it holds.
        """
        tenancy = Tenancy(5, memory_ms=1)
        tenancy.reserve([1, 2])

        assert repr(tenancy) == "<Tenancy of 5, open: 2 reserved, 0 on their way>"


class TenancyAgainstALog(RuleBasedStateMachine):
    """Owners come and go, crash or give back; whoever comes starts at the commit. Nothing is sent twice."""

    def __init__(self) -> None:
        super().__init__()
        self.committed = 0
        self.sent: list[int] = []
        self.owner = Tenancy(0, memory_ms=1)

    @rule(count=st.integers(1, 4))
    def reserve(self, count: int) -> None:
        offsets = range(self.committed, self.committed + count)
        self.committed += count
        self.owner.reserve(offsets)

    @rule(offset=st.integers(0, 40))
    def start(self, offset: int) -> None:
        if self.owner.start(offset):
            self.sent.append(offset)

    @precondition(lambda self: self.owner.reserved)
    @rule()
    def start_the_next(self) -> None:
        self.start(len(self.sent) and self.sent[-1] + 1)

    @rule(crash=st.booleans())
    def hand_over(self, crash: bool) -> None:
        self.owner.closed.set()
        lowest = None if crash else self.owner.give_back()
        self.committed = self.committed if lowest is None else lowest
        self.owner = Tenancy(0, memory_ms=1)

    @invariant()
    def nothing_is_sent_twice_nor_before_its_commit(self) -> None:
        assert len(self.sent) == len(set(self.sent))
        assert all(offset < self.committed for offset in self.sent)


TestTenancyAgainstALog = TenancyAgainstALog.TestCase
