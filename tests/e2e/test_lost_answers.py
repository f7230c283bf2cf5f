"""A small number of lost answers in every run of the tests; `make lost-answers` has a thousand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cordboard.v1 import CommandResult
from tests.e2e.lost_answers import Found, compare
from tests.promises.heard import Told


async def test_no_lost_answer_is_a_second_call(tmp_path: Path):
    """
    Cordboard makes one call for each dial, and says what became of it; the official SDK makes more.
    """
    found = await compare(40, 1, tmp_path)

    assert list(found.violations()) == []
    assert sum(found.ours.values()) == 40
    assert any(one.kind == "settled" for one in found.told)
    assert found.sdk_calls > 40


def test_what_must_not_be_is_found():
    """
    A second call, a second result, one that is missing, and an UNKNOWN that rang and was never settled.
    """
    told = [Told("result", name, "UNKNOWN", "no_answer", CommandResult()) for name in ("a", "b", "b")]
    found = Found(3, Counter(a=2, b=1), 9, told)

    assert sorted(found.violations()) == [
        "2 of 3 dials have a result",
        "a was UNKNOWN and rang, and was settled 0 times",
        "a was dialled 2 times",
        "b has 2 results",
        "b was UNKNOWN and rang, and was settled 0 times",
    ]
