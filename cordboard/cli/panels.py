"""Under which heads `cordboard --help` lists the commands."""

from typing import Final

FIRST: Final = "First steps"
CALLS: Final = "Calls and commands"
OPERATE: Final = "Looking after it"
SERVE: Final = "Serving"
