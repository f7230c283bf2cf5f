"""What is told of a deployment, of facts made by hand: each thing that can be wrong is, by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cordboard.presence import Heard, LaneWord, PartitionWord, PoolWord, Presence
from cordboard.v1 import (
    PARTITION_STATE_RESTORING,
    PARTITION_STATE_SERVED,
    PARTITION_STATE_STALLED,
    PARTITION_STATE_UNKNOWN,
    PARTITION_STATE_UNOWNED,
    PROCESS_STATE_LEFT,
    PROCESS_STATE_SILENT,
    GetStatusResponse,
)
from cordboard.work import Lane
from dispatcher.rpc.status import response_of
from dispatcher.rpc.surveying import Survey

NOW_MS = 1_000_000
LANES = tuple(LaneWord("main", lane.value, (0, 1), 1, 64, 2) for lane in Lane)
SERVED = tuple(PartitionWord(number, "served", 5, None, 3) for number in range(2))


def said(name: str = "desk", *, ago_ms: int = 0, **more: Any) -> dict[str, Heard]:
    usual: dict[str, Any] = {
        "host": "h",
        "pid": 1,
        "version": "1",
        "roles": ("dispatcher", "ingress", "worker"),
        "started_ms": 1,
        "every_ms": 5_000,
        "address": "h:1",
        "partitions": SERVED,
        "lanes": LANES,
        "pools": (PoolWord("main"),),
    }
    return {name: Heard(Presence(name=name, **(usual | more)), NOW_MS - ago_ms)}


WELL = Survey(
    now_ms=NOW_MS,
    prefix="cordboard",
    partitions=2,
    accounts=("main",),
    paused=frozenset(),
    own="desk",
    heard=said(),
    holders={0: "h:1", 1: "h:1"},
    letters=0,
)


def told(**other: Any) -> GetStatusResponse:
    return response_of(replace(WELL, **other))


def sentences(response: GetStatusResponse) -> list[str]:
    return [f"{one.subject}: {one.sentence}" for one in response.problems]


def test_all_is_well() -> None:
    """
    One process of all roles, that owns everything and carries a little.
    """
    found = told()

    assert (found.well, sentences(found), list(found.unknown), list(found.remarks)) == (True, [], [], [])
    assert [one.state for one in found.partitions] == [PARTITION_STATE_SERVED] * 2
    assert [(one.lane, one.workers, one.in_flight, one.lag) for one in found.lanes] == [
        (lane.value, 1, 1, 2) for lane in Lane
    ]
    assert found.dead_letter_records == 0


@pytest.mark.parametrize(
    ("other", "begins"),
    [
        ({"holders": {0: "h:1"}}, "partition 1: nobody owns it"),
        ({"heard": said(partitions=(SERVED[0], PartitionWord(1, "restoring", 7, 0.5)))}, "partition 1: its state is"),
        ({"heard": said(partitions=(SERVED[0], PartitionWord(1, "broken")))}, "partition 1: its owner broke off"),
        (
            {"heard": said(partitions=(SERVED[0], PartitionWord(1, "served", 5, None, 9, 41.0)))},
            "partition 1: nothing was done for 41 s while 9 inputs wait",
        ),
        ({"heard": said(lanes=LANES[:2])}, "lane dial of main: no worker: start one (cordboard worker --pool main)"),
        (
            {"heard": said(lanes=(*LANES[:2], LaneWord("main", "dial", (0,))))},
            "lane dial of main: no worker holds its partitions 1:",
        ),
        (
            {"heard": said(lanes=(*LANES[:2], LaneWord("main", "dial", (0, 1), 0, 64, 4, 33.0)))},
            "lane dial of main: nothing was begun or ended for 33 s",
        ),
        ({"heard": said(pools=(PoolWord("main", True),))}, "account main: to a worker Telnyx counts as away"),
        ({"heard": said(troubles=(("log", "the log cannot be written"),))}, "desk: log: the log cannot be written"),
        ({"heard": said(roles=("dispatcher", "worker"))}, "ingress: no process takes webhooks in"),
        ({"heard": said() | said("gone", ago_ms=60_000, address="h:2")}, "gone: it has said nothing for 60 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_and_nothing_else(other: dict[str, Any], begins: str) -> None:
    """
    One sentence each, and the whole is not well.
    """
    found = told(**other)

    (sentence,) = sentences(found)
    assert sentence.startswith(begins)
    assert not found.well
    assert not found.unknown


@pytest.mark.parametrize(
    ("other", "begins"),
    [
        ({"paused": frozenset({"main"})}, "account main: it is paused by order"),
        ({"letters": 3}, "dead letters: 3 records"),
        ({"heard": said(remarks=(("recorder", "the tables are away; nothing waits for it"),))}, "desk: recorder: the"),
        ({"heard": said() | said("new", version="2", address="h:2")}, "versions: several at once, as in an upgrade:"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_somebody_may_want_so_is_a_remark(other: dict[str, Any], begins: str) -> None:
    """
    It is said, and all is well.
    """
    found = told(**other)

    (remark,) = (f"{one.subject}: {one.sentence}" for one in found.remarks)
    assert remark.startswith(begins)
    assert found.well


def test_what_could_not_be_found_out_is_not_left_out() -> None:
    """
    Neither well nor a problem: it is not known, and no field makes it up.
    """
    found = told(holders=None, letters=None, unknown=(("owners", "the log did not answer within 6 s"),))

    assert [one.state for one in found.partitions] == [PARTITION_STATE_UNKNOWN] * 2
    assert [one.subject for one in found.unknown] == ["owners"]
    assert not found.HasField("dead_letter_records")
    assert (found.well, sentences(found)) == (False, [])


def test_an_owner_that_says_nothing_is_named() -> None:
    """
    The group knows it, and it has not spoken: of an older version, perhaps.
    """
    found = told(holders={0: "h:1", 1: "h:9"})

    assert (found.partitions[1].owner, found.partitions[1].state) == ("h:9", PARTITION_STATE_UNKNOWN)
    assert [one.subject for one in found.unknown] == ["partition 1"]
    assert "its owner at h:9" in found.unknown[0].sentence


def test_who_left_is_shown_and_no_trouble() -> None:
    """
    A process that stopped as it should; what it held is others'.
    """
    found = told(heard=said() | said("left", ago_ms=60_000, leaving=True, address="h:2"))

    assert [one.state for one in found.processes][1] == PROCESS_STATE_LEFT
    assert found.well


def test_where_all_are_silent_their_partitions_are_still_the_groups() -> None:
    """
    Until the group has noticed; nobody can tell what became of them.
    """
    found = told(heard=said(ago_ms=60_000), own="")

    assert [one.state for one in found.processes] == [PROCESS_STATE_SILENT]
    assert [one.state for one in found.partitions] == [PARTITION_STATE_UNKNOWN] * 2
    assert not found.well


def test_states_come_as_their_owner_says() -> None:
    """
    With how far a restore has come.
    """
    words = (PartitionWord(0, "restoring", 7, 0.25), PartitionWord(1, "served", 5, None, 9, 41.0))
    restoring, stalled = told(heard=said(partitions=words)).partitions

    assert (restoring.state, restoring.restored, restoring.pages) == (PARTITION_STATE_RESTORING, 0.25, 7)
    assert (stalled.state, stalled.lag) == (PARTITION_STATE_STALLED, 9)
    assert told(holders={}).partitions[0].state == PARTITION_STATE_UNOWNED
