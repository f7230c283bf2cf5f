"""The logs: JSON lines, or readable text on a terminal; the same for our own lines and for those of libraries.

Everything goes through the standard library's root logger, so its level can change at run time, and passes a last
guard that masks secrets and telephone numbers. The guard is no licence: what is secret should not be logged at all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from cordboard.blaming import told
from cordboard.clock import Clock, SystemClock
from cordboard.cloudevents import rfc3339
from cordboard.seldom import Seldom
from cordboard.settings import Logging

MASK: Final = "***"
_log: Final = structlog.get_logger(__name__)
_SECRET_KEYS: Final = frozenset(
    {"api_key", "authorization", "cookie", "dial_url_secret", "mac", "password", "secret", "set-cookie", "token"}
)
# What is said in calls, pressed, or sent to them: no line has a field like these, and one that had would be masked.
_CONTENT_KEYS: Final = frozenset({"body", "client_state", "custom_headers", "digits", "headers", "payload", "text"})
_MASKED_KEYS: Final = _SECRET_KEYS | _CONTENT_KEYS
_NUMBER_KEYS: Final = frozenset({"from", "from_", "from_number", "to", "to_number", "phone_number", "sip_address"})
_NUMBER: Final = re.compile(r"(?<![\w+])\+[1-9]\d{6,14}(?!\d)")
_DEPTH_MAX: Final = 6
# They tell of every request or connection at info, addresses and all.
_TALKATIVE: Final = ("aiohttp.access", "httpcore", "httpx", "uvicorn.error")
# At debug it writes whole requests, passwords and what is in records among them: never below a warning.
_INDISCREET: Final = "aiokafka"
# It repeats a complaint for as long as its collector is away, each time with another number in it.
_REPETITIVE: Final = "opentelemetry"


def configure(
    settings: Logging,
    secrets: frozenset[str] = frozenset(),
    clock: Clock | None = None,
    stream: TextIO | None = None,
) -> None:
    """Set up all logging of the process, instead of any earlier set-up; `stream` is standard error unless given.

    Standard error, because standard output belongs to the command that runs. `secrets` are values to be masked
    wherever they turn up.
    """
    stream = stream or sys.stderr
    shared = _shared(clock or SystemClock())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # So that a set-up takes hold of loggers that were used before it.
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                Guard(secrets),
                _renderer(settings, stream),
            ],
        )
    )
    handler.addFilter(_Seldom(clock or SystemClock()))
    handler.addFilter(_no_goodbye)
    _install(handler)
    set_level(settings.level)


def set_level(level: str) -> None:
    """Say from now on what is of this level or above: debug, info, warning, error."""
    logging.getLogger().setLevel(level.upper())
    logging.getLogger(_INDISCREET).setLevel(max(logging.WARNING, logging.getLogger().level))
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)


def level() -> str:
    """The level at which is logged now."""
    return logging.getLevelName(logging.getLogger().level).lower()


class Levels:
    """The level, as operators see and change it while the process runs; the usual one is that of the settings."""

    def __init__(self) -> None:
        self.usual = level()
        self._return: asyncio.TimerHandle | None = None

    @property
    def now(self) -> str:
        """The level at which is logged now."""
        return level()

    def change(self, to: str, seconds: float | None = None) -> None:
        """Log at another level from now on: for so long, or until the next change or start."""
        if self._return is not None:
            self._return.cancel()
        set_level(to)
        _log.log(logging.getLogger().level, "the level of the log was changed", now=to, seconds=seconds)
        if seconds is not None:
            self._return = asyncio.get_running_loop().call_later(seconds, self.change, self.usual)


class Guard:
    """The last processor before a line is written: it masks what must not be read there."""

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        # The longest first, so that no secret is left over in part because another one is contained in it.
        longest_first = sorted((secret for secret in secrets if secret), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
        """Mask one line's fields."""
        return {key: self._field(key, value, 0) for key, value in event_dict.items()}

    def text(self, value: str) -> str:
        """The text without the known secrets and without telephone numbers but for their last two digits."""
        if self._secrets is not None:
            value = self._secrets.sub(MASK, value)
        return _NUMBER.sub(lambda found: _masked(found.group()), value) if "+" in value else value

    def _field(self, key: object, value: object, depth: int) -> object:
        name = key.lower() if isinstance(key, str) else ""
        if value is None or (isinstance(value, bool | int | float) and name not in _NUMBER_KEYS | _MASKED_KEYS):
            return value
        if name in _MASKED_KEYS:
            return MASK
        if name in _NUMBER_KEYS and not isinstance(value, Mapping | list | tuple):
            return _masked(str(value))
        return self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        if isinstance(value, str):
            return self.text(value)
        if depth > _DEPTH_MAX:
            return self.text(repr(value))
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._field(key, below, depth + 1) for key, below in value.items()}
        if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
            return [self._field("", below, depth + 1) for below in value]
        return self.text(repr(value) if isinstance(value, bytes) else str(value))


def _masked(number: str) -> str:
    return "*" * max(len(number) - 2, 0) + number[-2:] if len(number) > 4 else MASK


def _shared(clock: Clock) -> list[Processor]:
    """What our own lines and those of libraries go through alike."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        _brief,
        _Stamp(clock),
        _traced,
    ]


def _traced(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """Where an exception came from, in place of the exception."""
    info = event_dict.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else (sys.exc_info() if info is True else info or (None, None))[1]
    if error is not None:
        event_dict["exception"] = told(error)
    return event_dict


def _brief(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """What aiokafka met, in a line: its tracebacks are of its own inside, and come with every broker that is away."""
    if not str(event_dict.get("logger", "")).startswith(_INDISCREET):
        return event_dict
    error = (event_dict.pop("exc_info", None) or (None, None))[1]
    if error is not None:
        event_dict["why"] = _one_line(f"{type(error).__name__}: {error}")
    event_dict["event"] = _one_line(str(event_dict["event"]))
    return event_dict


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Seldom(logging.Filter):
    """Lets each complaint of aiokafka and the like pass once a minute: with a broker away it has hundreds a second."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._said = Seldom(clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write this record."""
        if record.name.startswith(_REPETITIVE):
            return self._said.now((record.name, record.msg))
        return not record.name.startswith(_INDISCREET) or self._said.now((record.name, record.getMessage()))


def _no_goodbye(record: logging.LogRecord) -> bool:
    """Drops what gRPC calls an error of the method: that an answer found nobody there any more, as callers hang up."""
    error = (record.exc_info or (None, None))[1]
    return not (record.name.startswith("grpc") and type(error).__name__ == "ExecuteBatchError")


class _Stamp:
    """Adds the time, from the clock that everything else goes by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
        event_dict["timestamp"] = rfc3339(self._clock.now_ms())
        return event_dict


def _renderer(settings: Logging, stream: TextIO) -> Processor:
    terminal = stream.isatty()
    if settings.format == "text" or (settings.format == "auto" and terminal):
        return structlog.dev.ConsoleRenderer(colors=terminal)
    return structlog.processors.JSONRenderer(serializer=_json)


def _json(line: MutableMapping[str, Any], **_: object) -> str:
    ordered = {key: line.pop(key) for key in ("timestamp", "level", "event", "logger") if key in line}
    ordered.update(line)
    try:
        return orjson.dumps(ordered, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # Text that is no UTF-8, numbers beyond 64 bits: slower, but a line is written.
        return json.dumps({str(key): value for key, value in ordered.items()}, default=str)


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that the next set-up finds it and leaves those of others alone."""


def _install(handler: _Handler) -> None:
    root = logging.getLogger()
    for former in [former for former in root.handlers if isinstance(former, _Handler)]:
        root.removeHandler(former)
    root.addHandler(handler)
