"""Libraries kept quiet: what they meet is said by ours, in a sentence."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Without aiokafka's own words on standard error."""
    logger, handler = logging.getLogger("aiokafka"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
