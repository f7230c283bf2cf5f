"""What the ingress remembers of what it has kept, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable


class Recent:
    """The most recent things, up to a number."""

    def __init__(self, things_max: int) -> None:
        self._things: OrderedDict[Hashable, None] = OrderedDict()
        self._things_max = things_max

    def __contains__(self, thing: Hashable) -> bool:
        return thing in self._things

    def add(self, thing: Hashable) -> None:
        """Remember this, and forget the oldest where there is no room."""
        self._things[thing] = None
        if len(self._things) > self._things_max:
            self._things.popitem(last=False)
