"""A demonstration against what is running: a call from dial to hangup, a repeat, and numbers out of order."""
