"""Chance from the seed: a stream of its own for every part, so that one more draw here moves nothing there."""

from __future__ import annotations

from random import Random


def stream(seed: int, *names: object) -> Random:
    """The random numbers of one part of one history; the same names give the same numbers, in any process."""
    # A text as seed is hashed by SHA-512, which knows nothing of PYTHONHASHSEED.
    return Random("/".join(map(str, (seed, *names))))  # noqa: S311 - a simulation's chance, no secret.
