"""Where a dispatcher is asked, and over what: the options that every command which asks one has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

_PANEL: Final = "TLS"


@dataclass(frozen=True, slots=True)
class Target:
    """A dispatcher's gRPC port; over TLS where anything is said of it. Written, it is its address."""

    address: str
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None

    @property
    def encrypted(self) -> bool:
        """Whether anything was said of TLS."""
        return self != Target(self.address)

    def __str__(self) -> str:
        return self.address


def parsed(given: str | Target) -> Target:
    """What an option or its default means."""
    return given if isinstance(given, Target) else Target(given)


def _file(option: str, text: str) -> Any:
    return typer.Option(
        option,
        envvar=f"CORDBOARD_{option[2:].upper().replace('-', '_')}",
        help=text,
        metavar="FILE",
        rich_help_panel=_PANEL,
    )


def _name() -> Any:
    text = "Who the dispatcher must be, where that is not its host."
    return typer.Option("--tls-name", envvar="CORDBOARD_TLS_NAME", help=text, metavar="NAME", rich_help_panel=_PANEL)


_OPTIONS: Final = {
    "tls_ca": Annotated[Path | None, _file("--tls-ca", "Use TLS, and trust who is vouched for by these certificates.")],
    "tls_certificate": Annotated[Path | None, _file("--tls-certificate", "The certificate to show, in PEM.")],
    "tls_key": Annotated[Path | None, _file("--tls-key", "Its private key, in PEM.")],
    "tls_name": Annotated[str | None, _name()],
}


def over_tls(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of TLS: they are a part of the `target` that it is called with."""

    @functools.wraps(command)
    def asking(*, target: Target, **words: Any) -> None:
        ca_file, certificate_file, key_file, name = (words.pop(option) for option in _OPTIONS)
        given = replace(target, ca_file=ca_file, certificate_file=certificate_file, key_file=key_file, server_name=name)
        command(target=given, **words)

    signature = inspect.signature(command, eval_str=True)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in _OPTIONS.items()
    ]
    whole = signature.replace(parameters=[*signature.parameters.values(), *more])
    asking.__signature__ = whole  # type: ignore[attr-defined] # where typer looks for options
    asking.__annotations__ = {name: one.annotation for name, one in whole.parameters.items()}
    return asking
