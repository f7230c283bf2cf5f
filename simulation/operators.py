"""Who operates the account of some histories: it is paused and resumed, and groups are cancelled in all their calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

import grpc.aio

from cordboard.client import Client, CommandRefused
from simulation.habits import ACCOUNT

_PAUSE_SECONDS: Final = (3.0, 25.0)
_BEGINS: Final = 5.0  # When everybody has started.

Kind = Literal["pause", "resume", "cancel"]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, and when (virtual seconds); `group` is whose commands are cancelled."""

    at: float
    kind: Kind
    group: str = ""


class Operator:
    """Gives orders one after the other, each until some door has taken it."""

    def __init__(self, client: Client, rng: Random, orders: Sequence[Order], say: Callable[[str, str], None]) -> None:
        self._client = client
        self._rng = rng
        self._orders = orders
        self._say = say

    async def run(self) -> None:
        """Give them all."""
        for order in self._orders:
            await asyncio.sleep(max(order.at - asyncio.get_running_loop().time(), 0.0))
            await self._give(order)
            self._say("operator", f"{order.kind} {order.group}".rstrip())

    async def _give(self, order: Order) -> None:
        while True:
            try:
                return await self._ask(order)
            except (CommandRefused, grpc.aio.AioRpcError):
                await asyncio.sleep(self._rng.uniform(0.2, 2.0))

    async def _ask(self, order: Order) -> None:
        match order.kind:
            case "pause":
                await self._client.pause(ACCOUNT, timeout=10.0)
            case "resume":
                await self._client.resume(ACCOUNT, timeout=10.0)
            case "cancel":
                await self._client.cancel(account=ACCOUNT, group=order.group, timeout=10.0)


def orders_of(rng: Random, span: float, groups: Sequence[str]) -> list[Order]:
    """What an operator asks for: a pause that ends before the faults do, and cancels; both at any time."""
    begin = rng.uniform(_BEGINS, span * 0.7)
    end = min(begin + rng.uniform(*_PAUSE_SECONDS), span * 0.9)
    orders = [Order(begin, "pause"), Order(end, "resume")] if rng.random() < 0.7 else []
    if groups:
        many = rng.randint(0 if orders else 1, 2)
        orders += [Order(rng.uniform(_BEGINS, span * 0.9), "cancel", rng.choice(groups)) for _ in range(many)]
    return sorted(orders, key=lambda order: order.at)
