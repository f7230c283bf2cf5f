"""Which command a request is: chosen by its sender, or known for an SDK's own retry."""

from __future__ import annotations

import itertools

import pytest

from dispatcher.rest.repeats import KEPT_MS, Fate, Named, Repeats

REQUEST = (b"main", b"127.0.0.1", b"POST", b"/calls", b"{}")


class Clock:
    ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms


class World:
    """Names as a door would ask for them."""

    def __init__(self, kept_max: int = 100) -> None:
        self.clock = Clock()
        made = itertools.count(1)
        self.repeats = Repeats(self.clock, lambda: f"made-{next(made)}", kept_max)

    def ask(self, count: int | None = None, given: object = None, body: bytes = b"{}", **headers: str) -> Named:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if count is not None:
            named["x-stainless-retry-count"] = str(count)
        return self.repeats.name(given, named, (*REQUEST[:-1], body))


@pytest.fixture
def world() -> World:
    return World()


def test_an_id_of_the_senders_own_is_kept(world: World):
    """
    Whatever else it says.
    """
    named = world.ask(1, given="mine", idempotency_key="key")

    assert (named.command_id, named.is_own, named.is_repeat) == ("mine", True, False)


@pytest.mark.parametrize("given", ["two words", "ü", "x" * 129])
def test_an_id_that_the_contract_does_not_take_has_one_that_it_does(world: World, given: str):
    """
    Telnyx takes any text: the same one is the same command, another one another.
    """
    named, other = world.ask(given=given), world.ask(given=f"{given}!")

    assert named.command_id.startswith("id:")
    assert named.command_id == world.ask(given=given).command_id != other.command_id


@pytest.mark.parametrize("key", ["a-key", "stainless-python-retry-1", "two words", "x" * 200])
def test_an_idempotency_key_is_an_id(world: World, key: str):
    """
    And never another sender's command_id that happens to be the same.
    """
    named = world.ask(idempotency_key=key)

    assert named.command_id.startswith("key:")
    assert len(named.command_id) <= 128
    assert named.command_id == world.ask(2, idempotency_key=key).command_id
    assert named.is_own


def test_without_anything_each_request_is_new(world: World):
    """
    Nothing is remembered of who says nothing of retries.
    """
    assert [world.ask().command_id, world.ask().command_id] == ["made-1", "made-2"]
    assert len(world.repeats) == 0


def test_a_retry_is_its_request(world: World):
    """
    The same bytes with a higher count, however often.
    """
    asked = [world.ask(count) for count in (0, 1, 2)]

    assert [one.command_id for one in asked] == ["made-1"] * 3
    assert asked[-1].is_repeat


def test_the_first_try_may_never_have_come(world: World):
    """
    Then the retry is the first that is known, and the next one is its repeat.
    """
    assert [world.ask(count).command_id for count in (1, 2)] == ["made-1", "made-1"]


def test_equal_requests_are_no_repeats(world: World):
    """
    Two calls to one number are two calls.
    """
    assert [world.ask(0).command_id, world.ask(0).command_id] == ["made-1", "made-2"]


def test_two_retries_take_up_two_requests(world: World):
    """
    Never the same one, so that two equal requests never become one.
    """
    first, second = world.ask(0).command_id, world.ask(0).command_id

    assert {world.ask(1).command_id, world.ask(1).command_id} == {first, second}


def test_what_was_lost_is_taken_up_first(world: World):
    """
    Whose answer was delivered does not ask again.
    """
    answered, waiting, lost = (world.ask(0) for _ in range(3))
    names = [lost.command_id, waiting.command_id, answered.command_id]
    answered.fate, lost.fate = Fate.ANSWERED, Fate.LOST

    assert [world.ask(1).command_id for _ in range(3)] == names


@pytest.mark.parametrize("other", [{"body": b'{"a":1}'}, {"user_agent": "other"}, {"x_stainless_lang": "js"}])
def test_another_request_or_client_is_another(world: World, other: dict[str, object]):
    """
    Only what is the same in everything can be a repeat.
    """
    world.ask(0)

    assert world.ask(1, **other).command_id == "made-2"  # type: ignore[arg-type]  # headers and body by name


@pytest.mark.parametrize("count", ["", "x", "-1", "99999", "1.5"])
def test_a_count_that_is_none_counts_for_nothing(world: World, count: str):
    """
    It comes from outside.
    """
    world.ask(0)

    assert world.ask(x_stainless_retry_count=count).command_id == "made-2"


def test_what_is_old_is_forgotten(world: World):
    """
    Nobody retries for so long.
    """
    world.ask(0)
    world.clock.ms += KEPT_MS + 1

    assert world.ask(1).command_id == "made-2"
    assert len(world.repeats) == 1


def test_no_more_is_kept_than_there_is_room_for():
    """
    The oldest goes first.
    """
    world = World(kept_max=3)
    for number in range(10):
        world.ask(0, body=str(number).encode())

    assert len(world.repeats) <= 4
    assert world.ask(1, body=b"9").is_repeat
    assert not world.ask(1, body=b"0").is_repeat
