"""The control topic as a process follows it: all of it before anything is decided, and then as it grows."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from cordboard import orders
from cordboard.control import Control, ControlMetrics
from cordboard.log.memory import MemoryLog
from cordboard.orders import Orders
from tests.dispatcher.harness import TOPICS, HandClock, connect, make_broker
from tests.workers.world import until


async def a_log() -> MemoryLog:
    return connect(make_broker(HandClock()))


async def test_what_was_ordered_before_the_start_is_known_at_the_start() -> None:
    """
    A process that begins in a pause sends nothing, not even once.
    """
    log = await a_log()
    await log.append([orders.pause(TOPICS.control, "main", paused=True)])
    control = Control(log, TOPICS.control)
    await control.start()

    assert control.is_paused("main")
    assert control.trouble() is None
    await control.stop()


async def test_what_is_ordered_afterwards_is_heard() -> None:
    """
    And told to everybody who listens; what changes nothing is told to nobody.
    """
    log, first, second = await a_log(), [], []
    control = Control(log, TOPICS.control, first.append)
    control.listen(second.append)
    await control.start()
    for paused in (True, True, False):
        await log.append([orders.pause(TOPICS.control, "main", paused=paused)])
    await until(lambda: len(second) == 2)

    assert first == second == [Orders(frozenset({"main"})), Orders()]
    await control.stop()
    assert control.trouble() is not None


async def test_an_order_that_came_too_late_is_outdone() -> None:
    """
    The last record of the topic is then again what is in force, as compaction keeps no other.
    """
    log = await a_log()
    control, deaf = Control(log, TOPICS.control, restates=True), Control(log, TOPICS.control)
    await control.start()
    for paused, given_ms in ((False, 510), (True, 500)):
        await log.append([orders.pause(TOPICS.control, "main", paused=paused, given_ms=given_ms)])
    await until(lambda: not control.orders.void and control.orders.given == {"main": 510})
    await deaf.start()

    assert not control.is_paused("main")
    assert not deaf.is_paused("main")
    await control.stop()
    await deaf.stop()


def test_who_is_paused_can_be_seen() -> None:
    """
    By account, also that it is not.
    """
    registry = CollectorRegistry()
    ControlMetrics(registry).tell(frozenset({"main", "other"}), Orders(frozenset({"main"})))
    seen = [registry.get_sample_value("cordboard_account_paused", {"account": name}) for name in ("main", "other")]

    assert seen == [1, 0]
