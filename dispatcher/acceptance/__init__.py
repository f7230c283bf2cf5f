"""What every door of a process shares: the checks, the append that accepts, and the wait for what becomes of it."""

from dispatcher.acceptance.acceptance import Acceptance

__all__ = ["Acceptance"]
