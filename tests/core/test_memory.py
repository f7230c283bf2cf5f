"""What a page remembers of ended commands: 32 bytes each, found by their names only, the oldest forgotten."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.core.memory import ENTRIES_MAX, ENTRY_BYTES, Remembered, digest, recall, remember
from dispatcher.core.words import Completion, Reason, State
from tests.core.story import START_MS


def ended(fingerprint: bytes = b"f" * 16, accept_ms: int = START_MS, took_ms: int = 120) -> Remembered:
    return Remembered(fingerprint, accept_ms, accept_ms + took_ms, 200, State.SUCCEEDED, Reason.NONE)


class TestMemory:
    @given(
        fingerprint=st.binary(min_size=16, max_size=16),
        accept_ms=st.integers(0, 1 << 46),
        took=st.integers(0, (1 << 24) - 1),
        http_status=st.integers(0, 999),
        state=st.sampled_from(State),
        reason=st.sampled_from(Reason),
        completion=st.sampled_from([None, *Completion]),
        doubt=st.sampled_from([None, *Reason]),
    )
    def test_what_was_remembered_is_recalled(
        self, fingerprint, accept_ms, took, http_status, state, reason, completion, doubt
    ):
        """
        Everything comes back; times taken in steps of 10 ms, fingerprints by their first 8 bytes.
        """
        told = Remembered(fingerprint, accept_ms, accept_ms + took * 10, http_status, state, reason, completion, doubt)
        known = recall(remember(b"", "a", told), "a")
        assert known is not None
        assert known.same_content(fingerprint)
        assert not known.same_content(bytes(byte ^ 1 for byte in fingerprint))
        assert known == replace(told, fingerprint=fingerprint[:8])

    def test_an_entry_is_32_bytes(self):
        """
        A thousand ended commands cost a page 32 kB.
        """
        entries = remember(remember(b"", "a", ended()), "b", ended())
        assert len(entries) == 2 * ENTRY_BYTES == 64

    def test_a_command_is_replaced_in_its_place(self):
        """
        What is learned later of a command (settled, completed) does not make it younger or count twice.
        """
        entries = remember(remember(b"", "a", ended()), "b", ended())
        better = remember(entries, "a", ended(took_ms=990))
        assert len(better) == len(entries)
        assert better[ENTRY_BYTES:] == entries[ENTRY_BYTES:]
        assert recall(better, "a") == ended(b"f" * 8, took_ms=990)

    def test_the_oldest_beyond_a_thousand_are_forgotten(self):
        """
        The last 1,000 ended commands are remembered, whatever their number.
        """
        entries = b""
        for number in range(ENTRIES_MAX + 5):
            entries = remember(entries, f"c{number}", ended(accept_ms=START_MS + number))
        assert len(entries) == ENTRIES_MAX * ENTRY_BYTES
        assert [recall(entries, f"c{number}") for number in range(5)] == [None] * 5
        for number in (5, ENTRIES_MAX + 4):
            known = recall(entries, f"c{number}")
            assert known is not None
            assert known.accept_ms == START_MS + number

    def test_a_name_inside_an_entry_is_not_the_name_of_an_entry(self):
        """
        Bytes that look like a digest, but do not stand where names stand, are passed over, also before the true one.
        """
        name = digest("a")
        decoy = bytes(9) + name + bytes(ENTRY_BYTES - 9 - len(name))
        assert recall(decoy * 3, "a") is None
        assert recall(remember(decoy * 3, "a", ended()), "a") == ended(b"f" * 8)

    def test_a_name_across_two_entries_is_none(self):
        """
        The end of one entry and the start of the next never make a name.
        """
        name = digest("a")
        entries = bytes(ENTRY_BYTES - 4) + name[:4] + name[4:] + bytes(ENTRY_BYTES - 5)
        assert entries.find(name) == ENTRY_BYTES - 4
        assert recall(entries, "a") is None

    def test_clocks_that_go_back_and_long_waits_are_kept_in_range(self):
        """
        A finish before the accept time counts as none; more than 46 hours as 46 hours.
        """
        backwards = recall(remember(b"", "a", ended(took_ms=-5_000)), "a")
        endless = recall(remember(b"", "a", ended(took_ms=1 << 40)), "a")
        assert backwards is not None
        assert endless is not None
        assert backwards.finish_ms == START_MS
        assert endless.finish_ms == START_MS + ((1 << 24) - 1) * 10

    def test_the_digest_is_that_of_the_id(self):
        """
        It is written to disk: it may never change.
        """
        assert digest("a") == hashlib.blake2b(b"a", digest_size=9).digest()

    def test_the_numbers_on_disk_do_not_move(self):
        """
        Reasons are written as their place in the list: it may only grow at its end.
        """
        assert [reason.value for reason in tuple(Reason)[:8]] == [
            "NONE",
            "ALREADY_ENDED",
            "INVALID_COMMAND",
            "COMMAND_ID_REUSED",
            "ACCOUNT_MISMATCH",
            "LINE_FULL",
            "SEQUENCE_GAP",
            "SEQUENCE_TAKEN",
        ]
        assert list(Reason).index(Reason.WEBHOOKS_ELSEWHERE) == 28
        assert len(Reason) < 256
