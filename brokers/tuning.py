"""How a broker's Java is set up: quick to start, or fast once it is warm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tuning:
    """Options of the Java virtual machine; `heap_mb` is fixed from the start, in MiB."""

    heap_mb: int
    options: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        """As java takes them."""
        return [f"-Xms{self.heap_mb}m", f"-Xmx{self.heap_mb}m", *self.options]


# For tests: up in two seconds, and no compiler threads that would take both cores of a small machine meanwhile.
QUICK: Final = Tuning(256, ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"))
# For measuring: the optimizing compiler costs start time and warm-up, and is what a real broker runs with.
THROUGHPUT: Final = Tuning(1024, ("-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"))
