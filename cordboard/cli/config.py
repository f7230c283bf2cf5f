"""`cordboard config`: the settings as they count, without their secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from cordboard.cli.exits import Failure, Status
from cordboard.cli.screen import Screen
from cordboard.settings import NO_DUTIES, Duties, Settings, SettingsError, load, redacted


def settings_from(config: Path | None, duties: Duties = NO_DUTIES) -> Settings:
    """The settings of file and environment. Raises Failure that names everything wrong."""
    try:
        return load(config, duties=duties)
    except SettingsError as error:
        raise Failure(str(error), Status.USAGE) from None


def show_settings(settings: Settings, screen: Screen) -> None:
    """All of them, as TOML that a settings file may hold."""
    values = redacted(settings)
    if screen.json:
        screen.record(values)
        return
    for line in _toml(values, ()):
        screen.show(line)


def _toml(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    values = {name: value for name, value in table.items() if name not in tables}
    if path and values:
        yield f"\n[{'.'.join(path)}]"
    for name, value in values.items():
        # TOML has no word for nothing.
        yield f"# {name} is not set" if value is None else f"{name} = {orjson.dumps(value).decode()}"
    for name, below in tables.items():
        yield from _toml(below, (*path, name))
