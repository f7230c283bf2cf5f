"""By which key a caller is known."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from cordboard.settings import Account
from dispatcher.rest.keys import Keys


class Clock:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


def keys(first: str = "", clock: Clock | None = None, **accounts: dict[str, Any]) -> Keys:
    return Keys({name: Account(**given) for name, given in accounts.items()}, first, clock or Clock())


def test_an_account_is_named_by_its_key():
    """
    As its caller shows it to Telnyx.
    """
    known = keys(a={"api_key": "one"}, b={"api_key": "two"})

    assert [known.account_of(f"Bearer {key}") for key in ("one", "two", "three", "")] == ["a", "b", "", ""]
    assert known.account_of("bearer  two ") == "b"
    assert known.account_of("Basic two") == ""


def test_a_key_of_ours_is_known_by_its_hash():
    """
    The process need hold neither it nor the account's.
    """
    known = keys(a={"door_key_sha256": hashlib.sha256(b"ours").hexdigest()})

    assert known.account_of("Bearer ours") == "a"
    assert known.telnyx_key("a") is None


def test_of_two_accounts_with_one_key_the_default_is_meant():
    """
    Else the first by name.
    """
    both = {"a": {"api_key": "same"}, "b": {"api_key": "same"}}

    assert keys("b", **both).account_of("Bearer same") == "b"
    assert keys(**both).account_of("Bearer same") == "a"


def test_a_replaced_key_counts_within_a_second(tmp_path: Path):
    """
    Its file is read anew; one that is gone names nobody, and breaks nothing.
    """
    file, clock = tmp_path / "key", Clock()
    file.write_text("old")
    known = keys(clock=clock, a={"api_key_file": file})
    assert known.account_of("Bearer old") == "a"

    file.write_text("new")
    clock.ms += 1_000
    assert (known.account_of("Bearer old"), known.account_of("Bearer new")) == ("", "a")

    file.unlink()
    clock.ms += 1_000
    assert known.account_of("Bearer new") == ""


@pytest.mark.parametrize("key", ["\xff", "ü", "x" * 30_000])
def test_what_is_no_key_names_nobody(key: str):
    """
    It comes from outside.
    """
    assert keys(a={"api_key": "one"}).account_of(f"Bearer {key}") == ""
