"""A process of the simulation: it lives, dies, freezes, is cut off, and is started again, each time from nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from cordboard.log.port import Log, LogError
from simulation.clock import ProcessClock
from simulation.loop import Life, Standing, VirtualLoop
from simulation.roles import Brain, Ear, Role

STOP_SECONDS_MAX: Final = 30.0
_SUPERVISOR_SECONDS: Final = 2.0  # How long a process is down that died of something that was not planned.

Boot = Callable[[Life], tuple[Log, Sequence[Role]]]
Say = Callable[[str, str], None]


class Process:
    """One machine with one process on it. Everything done to it is done from outside, by `keeper`."""

    def __init__(self, name: str, loop: VirtualLoop, keeper: Life, clock: ProcessClock, boot: Boot, say: Say) -> None:
        self.name = name
        self.clock = clock
        self.life: Life | None = None
        self.lives: list[Life] = []
        self.is_up = False  # Whether all its roles have started.
        self.troubles: list[tuple[float, float]] = []  # From when to when it could not do its part.
        self._loop = loop
        self._keeper = keeper
        self._boot = boot
        self._say = say
        self._roles: Sequence[Role] = ()
        self._log: Log | None = None
        self._down = _SUPERVISOR_SECONDS
        self._began = 0.0

    @property
    def brain(self) -> Brain | None:
        """Its dispatcher and door, where it has one that is open."""
        return next((role for role in self._roles if isinstance(role, Brain)), None) if self.is_up else None

    @property
    def ear(self) -> Ear | None:
        """Its ingress, where it has one that is open."""
        return next((role for role in self._roles if isinstance(role, Ear)), None) if self.is_up else None

    def start(self) -> None:
        """Begin a new life, unless there is one."""
        if self.life is not None:
            return
        self._say(self.name, "starts")
        life = self.life = Life(self._loop, f"{self.name}#{len(self.lives)}")
        self.lives.append(life)
        life.on_death.append(self._died)
        self._log, self._roles = life.context.run(self._boot, life)
        life.start(self._come_up(life))

    async def _come_up(self, life: Life) -> None:
        try:
            for role in self._roles:
                await role.start()
        except LogError as error:
            self._say(self.name, f"cannot start: {error}")
            life.end()
        else:
            self.is_up = True

    def _died(self) -> None:
        self._say(self.name, "dies")
        self.life, self.is_up, self._roles = None, False, ()
        self._began = self._loop.time()
        self._loop.call_later(self._down, self._revive, context=self._keeper.context)
        self._down = _SUPERVISOR_SECONDS

    def _revive(self) -> None:
        if self.life is None:
            self.troubles.append((self._began, self._loop.time()))
            self.start()

    def kill(self, callbacks: int, down: float) -> None:
        """Have it die after so many more callbacks, to start again after `down` seconds."""
        life = self.life
        if life is not None:
            life.set_fuse(callbacks, lambda: self._kill(life, down))

    def _kill(self, life: Life, down: float) -> None:
        if life is self.life:
            self._down = down
            life.end()

    def freeze(self, seconds: float) -> None:
        """Have it stand still."""
        life = self.life
        if life is not None and life.standing is Standing.ALIVE:
            self._say(self.name, f"freezes for {seconds:.1f} s")
            life.freeze()
            self._trouble(seconds)
            self._loop.call_later(seconds, self._thaw, life, context=self._keeper.context)

    def _thaw(self, life: Life) -> None:
        if life.standing is Standing.FROZEN:
            self._say(self.name, "thaws")
            life.thaw()

    def cut_off(self, seconds: float) -> None:
        """Have it lose the log for a while."""
        life = self.life
        if life is not None:
            self._say(self.name, f"cannot reach the log for {seconds:.1f} s")
            life.cut_off = True
            self._trouble(seconds)
            self._loop.call_later(seconds, self._reconnect, life, context=self._keeper.context)

    def _reconnect(self, life: Life) -> None:
        life.cut_off = False

    def be_sluggish(self, seconds: float) -> None:
        """Have it read the log late, and little at a time."""
        life = self.life
        if life is not None:
            self._say(self.name, f"reads the log late for {seconds:.1f} s")
            life.sluggish = True
            self._trouble(seconds)
            self._loop.call_later(seconds, self._catch_up, life, context=self._keeper.context)

    def _catch_up(self, life: Life) -> None:
        life.sluggish = False

    def _trouble(self, seconds: float) -> None:
        now = self._loop.time()
        self.troubles.append((now, now + seconds))

    def restart(self, down: float) -> None:
        """Stop it as it should be stopped, and start it again."""
        life = self.life
        if life is not None and self.is_up:
            self._say(self.name, "is stopped")
            self._trouble(STOP_SECONDS_MAX)
            self.is_up = False
            life.start(self._stop(life, down))
            self._loop.call_later(STOP_SECONDS_MAX, self._kill, life, down, context=self._keeper.context)

    async def _stop(self, life: Life, down: float) -> None:
        try:
            for role in reversed(self._roles):
                await role.stop()
            if self._log is not None:
                await self._log.close()
        except LogError as error:
            self._say(self.name, f"stops in trouble: {error}")
        self._kill(life, down)

    def calm(self) -> None:
        """All faults end: it lives, moves, and has its log."""
        if self.life is None:
            self._revive()
        else:
            self.life.cut_off = self.life.sluggish = False
            self._thaw(self.life)

    def everything(self) -> list[asyncio.Task[object]]:
        """All tasks it ever had, as far as they have not ended."""
        return [task for life in self.lives for task in life.tasks]
