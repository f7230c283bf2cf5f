"""The command line as a stranger meets it: its help, its page, its colours, and what it says into a pipe."""

from __future__ import annotations

import inspect
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from rich.text import Text

from cordboard.cli.app import app
from cordboard.cli.choices import Output
from cordboard.cli.exits import Status
from cordboard.cli.progress import working
from cordboard.cli.screen import Screen
from tests.cli.processes import Cordboard
from tests.cli.terminal import Terminal

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
GROUP: Any = typer.main.get_command(app)


def commands(group: Any = GROUP, path: tuple[str, ...] = ("cordboard",)) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())


def parsed(line: str) -> str:
    """The command that a line calls, whose words it takes. Fails where it does not."""
    words = shlex.split(line.split("|", maxsplit=1)[0])
    name = next(name for name in (" ".join(words[:3]), " ".join(words[:2])) if name in COMMANDS)
    COMMANDS[name].make_context(name, words[len(name.split()) :])
    return name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_an_example(name: str) -> None:
    """
    A sentence of what it does, and a line that could be typed.
    """
    command = COMMANDS[name]

    assert command.help
    assert all(option.help for option in command.params if option.param_type_name == "option")
    assert parsed(command.epilog.removeprefix("Example: ")) == name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_page_with_what_it_says(name: str) -> None:
    """
    A section of its own, with a line as it was typed and what came of it.
    """
    section = re.search(rf"^### `{name}`$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    blocks = re.findall(r"```\n\$ (cordboard .*?)\n(.*?)```", section[1], re.DOTALL)

    assert [parsed(line) for line, _ in blocks] == [name] * len(blocks)
    assert any(said.strip() for _, said in blocks)


def test_the_page_has_no_command_that_is_not() -> None:
    """
    What was taken out is taken out there, too.
    """
    assert set(re.findall(r"^### `(cordboard .*)`$", PAGE, re.MULTILINE)) == set(COMMANDS)


def test_the_page_has_every_exit_status() -> None:
    """
    As the code has them, word for word.
    """
    meant = re.findall(r"(\w+) = (\d)  # (.*)\.\n", inspect.getsource(Status))
    assert re.findall(r"^\| (\d) \| (.*?) \|$", PAGE, re.MULTILINE) == [(number, text) for _, number, text in meant]
    assert [int(number) for _, number, _ in meant] == [int(status) for status in Status]


class TestColours:
    @pytest.fixture(autouse=True)
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.delenv("FORCE_COLOR", raising=False)

    def test_are_on_a_terminal(self) -> None:
        """
        Text, with what is red in red.
        """
        stream = Terminal()
        Screen(Output.AUTO, stream).show(Text("no", "red"))
        assert stream.getvalue() == "\x1b[31mno\x1b[0m\n"

    def test_are_off_where_nobody_wants_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        By NO_COLOR, and where the text goes into a file.
        """
        file, stream = io.StringIO(), Terminal()
        Screen(Output.TEXT, file).show(Text("no", "red"))
        monkeypatch.setenv("NO_COLOR", "1")
        Screen(Output.AUTO, stream).show(Text("no", "red"))
        assert (file.getvalue(), stream.getvalue()) == ("no\n", "no\n")

    def test_progress_is_for_terminals(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        Into a pipe nothing of it is said.
        """
        with working("doing", 3) as step:
            step.advance()
            step.pause()
            step.resume()
        assert capsys.readouterr() == ("", "")


def test_the_version_is_told(cordboard: Cordboard) -> None:
    """
    Alone on a line, as scripts like it.
    """
    ended = cordboard("--version")

    assert re.fullmatch(r"cordboard \d+\.\d+\.\d+\n", ended.stdout)


def test_a_command_that_is_not_there_is_guessed(cordboard: Cordboard) -> None:
    """
    Status 2, and where help is.
    """
    ended = cordboard("stauts")

    assert ended.returncode == 2
    assert "No such command 'stauts'" in ended.stderr
