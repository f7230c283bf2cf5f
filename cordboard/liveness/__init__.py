"""Whether what a process holds goes on. In a silent stall records wait, nobody fails, and nothing is done."""

from cordboard.liveness.judging import Judge, Post, Standing
from cordboard.liveness.looking import Liveness, Relieved

__all__ = ["Judge", "Liveness", "Post", "Relieved", "Standing"]
