"""The names of settings: the dotted path of the file, the name in the environment, and the nearest to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cordboard.settings.account import Account
from cordboard.settings.identities import Identity
from cordboard.settings.model import Settings

PREFIX: Final = "CORDBOARD_"
# Names that mean something else: the file itself, and a way to name it.
CONFIG: Final = "CORDBOARD_CONFIG"
# Of other commands, which may stay exported: `cordboard dev --telnyx`, and those that ask a dispatcher.
_OTHERS: Final = {
    CONFIG,
    "CORDBOARD_PUBLIC_URL",
    "CORDBOARD_TOKEN",
    "CORDBOARD_TOKEN_FILE",
    *(f"CORDBOARD_TLS_{one}" for one in ("CA", "CERTIFICATE", "KEY", "NAME")),
}
# What Kubernetes puts into the environment of every pod beside a Service whose name starts with "cordboard".
_SERVICE_LINK: Final = re.compile(
    r"(.*_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)

Path = tuple[str, ...]
# Tables of tables, by names that users give.
_NAMED: Final[Mapping[str, type[BaseModel]]] = {"accounts": Account, "identities": Identity}


def dotted(path: Path) -> str:
    """The name as in the file: worker.drain_seconds."""
    return ".".join(path)


def environment_name(path: Path) -> str:
    """The name in the environment: CORDBOARD_WORKER__DRAIN_SECONDS. A hyphen of a name that users give becomes `_`."""
    return PREFIX + "__".join(path).upper().replace("-", "_")


def path_of(variable: str) -> Path:
    """The path that a name in the environment means. Names that users give hold no `_`, so there it means a hyphen."""
    path = tuple(variable[len(PREFIX) :].lower().split("__"))
    if path[0] in _NAMED and len(path) > 1:
        return (path[0], path[1].replace("_", "-"), *path[2:])
    return path


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The table that CORDBOARD_... variables make up. An empty value counts as not set."""
    table: dict[str, Any] = {}
    for variable, value in sorted(environ.items()):
        if value and variable.upper().startswith(PREFIX) and not _foreign(variable.upper(), value):
            _put(table, path_of(variable), value)
    return table


def nearest(path: Path) -> str | None:
    """The known setting whose dotted name is nearest, or None when nothing is near."""
    given = path[1] if path[0] in _NAMED and len(path) > 1 else "main"
    known = [dotted(name) for name in _known(Settings.model_fields, (), given)]
    return next(iter(difflib.get_close_matches(dotted(path), known, n=1, cutoff=0.6)), None)


def field_of(path: Path) -> FieldInfo | None:
    """The declaration of the setting at a path, if there is one."""
    fields: Mapping[str, FieldInfo] = Settings.model_fields
    if path[0] in _NAMED and len(path) > 2:
        return _NAMED[path[0]].model_fields.get(path[2])
    for name in path[:-1]:
        fields = _fields_below(fields.get(name))
    return fields.get(path[-1])


def _foreign(variable: str, value: str) -> bool:
    link = _SERVICE_LINK.fullmatch(variable[len(PREFIX) :]) is not None
    port = variable.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    return variable in _OTHERS or (link and "__" not in variable) or port


def _put(table: dict[str, Any], path: Path, value: str) -> None:
    for name in path[:-1]:
        below = table.setdefault(name, {})
        # CORDBOARD_LOG=x beside CORDBOARD_LOG__PATH=y: the table stands, and x is reported as unknown text in it.
        table = below if isinstance(below, dict) else table.setdefault(f"{name}__", {})
    table[path[-1]] = value


def _known(fields: Mapping[str, FieldInfo], above: Path, given: str) -> Iterator[Path]:
    for name, field in fields.items():
        path = (*above, name)
        yield path
        if not above and name in _NAMED:
            yield from _known(_NAMED[name].model_fields, (*path, given), given)
        yield from _known(_fields_below(field), path, given)


def _fields_below(field: FieldInfo | None) -> Mapping[str, FieldInfo]:
    kind = None if field is None else field.annotation
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
