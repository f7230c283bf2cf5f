"""What options may be chosen from; by themselves, so that --help needs neither the contract nor a screen."""

from enum import StrEnum


class Output(StrEnum):
    """How to show things; auto: text on a terminal, else JSON."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class Level(StrEnum):
    """The least level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Wait(StrEnum):
    """What `cordboard send` waits for."""

    NONE = "none"
    RESULT = "result"
    COMPLETION = "completion"
