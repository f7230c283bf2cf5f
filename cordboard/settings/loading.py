"""Settings from file and environment, checked together: one start names everything that is wrong."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from cordboard.settings import names
from cordboard.settings.duties import NO_DUTIES, Duties, missed
from cordboard.settings.model import Settings, Table, settings_from
from cordboard.settings.relations import RelationsBroken

DEFAULT_FILE: Final = Path("cordboard.toml")
# Each round takes away at least one wrong value; whoever has more layers of mistakes than this sees the rest next time.
_ROUNDS_MAX: Final = 20
# Sections of which no value is repeated, because one put there by mistake may be a secret.
_SECRETIVE: Final = frozenset({"accounts", "identities", "kafka", "peers", "recorder", "sealing"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the setting by both names (none for the file as a whole), and what would be right."""

    path: names.Path
    text: str

    def __str__(self) -> str:
        if not self.path:
            return self.text
        return f"{names.dotted(self.path)} ({names.environment_name(self.path)}): {self.text}"


class SettingsError(Exception):
    """The settings cannot be used; `problems` has everything that is wrong with them. Holds no value of a secret."""

    def __init__(self, problems: list[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"The settings have {count}:", *(f"  {problem}" for problem in problems)]))
        self.problems = problems


def load(
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    given: Table | None = None,
    duties: Duties = NO_DUTIES,
) -> Settings:
    """Read the settings: `given` (the command line's) wins over the environment, and that over the file.

    The file is `config`, else CORDBOARD_CONFIG's, else ./cordboard.toml if there is one. `duties` say what the process
    will do, so that what it cannot do without may be missed. Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    table, problems = _read_file(config, environ)
    tables = [given or {}, names.read_environment(environ), table]
    settings, wrong = _validated(tables)
    problems += wrong
    if settings is not None:
        known = {problem.path for problem in wrong}
        problems += [Problem(paths[0], text) for paths, text in missed(settings, duties) if known.isdisjoint(paths)]
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def redacted(settings: Settings) -> dict[str, Any]:
    """The settings as plain values fit for showing: every secret is stars."""
    return settings.model_dump(mode="json")


def secrets_of(settings: Settings) -> frozenset[str]:
    """The values that must never be shown, for the guard in the logs."""
    held = settings.kafka.read_secrets()
    for account in settings.accounts.values():
        held += (account.read_api_key(), (account.read_dial_url_secret() or b"").decode())
        held += (None if account.forward_url is None else account.forward_url.get_secret_value(),)
    held += tuple(settings.sealing.read_secrets())
    url = settings.recorder.read_url()
    held += (url, url and urlsplit(url).password, settings.peers.read_secret())
    return frozenset(value for value in held if value)


def _read_file(config: Path | None, environ: Mapping[str, str]) -> tuple[Table, list[Problem]]:
    named = config or (Path(environ[names.CONFIG]) if environ.get(names.CONFIG) else None)
    path = named or DEFAULT_FILE
    if named is None and not path.exists():
        return {}, []
    try:
        with path.open("rb") as file:
            return tomllib.load(file), []
    except OSError as error:
        return {}, [Problem((), f"the settings file {path} cannot be read: {error.strerror}")]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [Problem((), f"the settings file {path} is not TOML: {error}")]


def _validated(tables: Sequence[Table]) -> tuple[Settings | None, list[Problem]]:
    """Validate; then take away what is wrong and look again, because what is left may be at odds with itself."""
    problems: list[Problem] = []
    for _ in range(_ROUNDS_MAX):
        try:
            with settings_from(*tables):
                return Settings(), problems
        except ValidationError as error:
            raws = error.errors()
        causes = [raw.get("ctx", {}).get("error") for raw in raws]
        if broken := next((cause for cause in causes if isinstance(cause, RelationsBroken)), None):
            return broken.settings, problems + _judged(broken, {names.dotted(problem.path) for problem in problems})
        for raw in raws:
            path = _path(raw["loc"])
            problems.append(Problem(path, _text(path, raw)))
            tables = _without_first(tables, path)
    return None, problems


def _judged(broken: RelationsBroken, at_fault: set[str]) -> list[Problem]:
    """The broken rules among settings that are themselves right; elsewhere a default stands in, and proves nothing."""
    rules = [rule for rule in broken.failures if not at_fault.intersection(rule.paths)]
    return [Problem(tuple(rule.paths[0].split(".")), rule.must) for rule in rules]


def _text(path: names.Path, raw: Mapping[str, Any]) -> str:
    """What is wrong and what would be right; the value itself only where it can be no secret."""
    if raw["type"] == "extra_forbidden":
        near = names.nearest(path)
        return "there is no such setting" + (f"; did you mean {near}?" if near else "")
    if "error" in raw.get("ctx", {}):
        return str(raw["ctx"]["error"])
    if raw["type"] in {"model_type", "dict_type"}:
        return "must be a table of settings"
    if raw["loc"][-1] == "[key]":
        whose = "an account's" if path[0] == "accounts" else "an identity's"
        return f"{whose} name must be 1 to 40 characters of a-z, 0-9 and hyphen"
    field = names.field_of(path)
    meaning = f" ({field.description})" if field is not None and field.description else ""
    message = str(raw["msg"]).replace("Input should be", "must be")
    shown = f"is {raw['input']!r:.60}, " if path[0] not in _SECRETIVE and not isinstance(raw["input"], dict) else ""
    return f"{shown}{message}{meaning}"


def _path(loc: tuple[int | str, ...]) -> names.Path:
    """Pydantic's place of an error as the name of a setting; a wrong key is marked there as [key]."""
    return tuple(str(part) for part in loc if part != "[key]")


def _without_first(tables: Sequence[Table], path: names.Path) -> list[Table]:
    """The tables without the value at a path in the first that has one: that is the one which counted."""
    first = next((index for index, table in enumerate(tables) if _holds(table, path)), None)
    return [_without(table, path) if index == first else table for index, table in enumerate(tables)]


def _holds(table: object, path: names.Path) -> bool:
    return not path or (isinstance(table, Mapping) and path[0] in table and _holds(table[path[0]], path[1:]))


def _without(table: Table, path: names.Path) -> Table:
    rest = {name: value for name, value in table.items() if name != path[0]}
    return rest if len(path) == 1 else {**rest, path[0]: _without(table[path[0]], path[1:])}
