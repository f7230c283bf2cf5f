"""The structure, held by machine: sizes, names, docstrings, reasons, and what must never be in a repository."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from tests.tidy import tree

FILE_LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 40
# Names that say nothing of what is inside, and so collect everything.
EMPTY_NAMES: Final = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "base", "misc"}
MACHINE_PATH: Final = re.compile(r"(?<![\w.~-])/(?:work|tmp|home|root|Users|var/folders|mnt|opt)/")
# Where packages come from is the reader's own business.
REGISTRY: Final = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|yarnpkg\.com|crates\.io|rubygems\.org|proxy\.golang\.org"
    r"|\bmirrors?\.[\w-]+\.|artifactor[y]|nexus\.[\w-]+\.|index-url\s*=?\s*https?:|find-links\s*=?\s*https?:",
    re.IGNORECASE,
)
MESSAGE: Final = re.compile(r"^message (\w+) \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
NAMED: Final = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")
# Folders below which the documents name files without saying so.
UNDERSTOOD: Final = ("", "dispatcher", "cordboard", "workers")


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of what a function does: without signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def found(pattern: re.Pattern[str]) -> list[str]:
    """Every line of every file that holds it."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in tree.texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def parts(name: str, text: str) -> dict[str, str]:
    """What may be divided no further: a file; of a proto each message, which clients would miss from another file."""
    if not name.endswith(".proto"):
        return {name: text}
    return {f"{name} {found[1]}": found[0] for found in MESSAGE.finditer(text)}


def test_no_file_is_too_long() -> None:
    """
    A file, or in a proto a message, that needs more than 300 lines holds more than one idea.
    """
    pieces = {part: piece for name, text in tree.product().items() for part, piece in parts(name, text).items()}
    long = {part: lines for part, piece in pieces.items() if (lines := piece.count("\n")) > FILE_LINES_MAX}

    assert long == {}


def test_no_function_is_too_long() -> None:
    """
    What a function does fits on a screen: 40 lines from its first statement; a table of options may be longer.
    """
    long = {
        f"{name}:{function.lineno} {function.name}": lines
        for name in tree.product()
        for function in functions(tree.parsed(name))
        if (lines := body_lines(function)) > FUNCTION_LINES_MAX
    }

    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    """
    The first thing in a module, a test's too, is a sentence about it.
    """
    silent = [name for name in tree.modules() if not (ast.get_docstring(tree.parsed(name)) or "").strip()]

    assert silent == []


def test_every_test_says_what_it_shows() -> None:
    """
    A test is a sentence about the product, and the sentence is written down.
    """
    silent = [
        f"{name}:{function.lineno} {function.name}"
        for name in tree.modules()
        if PurePosixPath(name).name.startswith("test_")
        for function in functions(tree.parsed(name))
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]

    assert silent == []


def test_no_module_is_named_for_nothing() -> None:
    """
    Modules and packages have the names of things.
    """
    named = {
        name
        for name in tree.modules()
        for part in PurePosixPath(name).with_suffix("").parts
        if EMPTY_NAMES.intersection(part.split("_"))
    }

    assert named == set()


def test_every_exception_from_a_check_names_it_and_gives_its_reason() -> None:
    """
    A line that is excused says from which rule, and why.
    """
    unexplained = [
        f"{name}:{number}: {comment}"
        for name, text in tree.modules().items()
        for number, comment in comments(text)
        if re.search(r"#\s*(?:type:\s*ignore|noqa)\b", comment)
        and not re.search(
            r"#\s*(?:type:\s*ignore\[[\w, -]+\]|noqa: *[A-Z]+\d+(?:, *[A-Z]+\d+)*)\s*[-#(]+\s*\w+", comment
        )
    ]

    assert unexplained == []


def test_no_path_of_a_machine() -> None:
    """
    Nothing depends on, or tells, where somebody keeps their files.
    """
    assert found(MACHINE_PATH) == []


def test_no_registry() -> None:
    """
    Where packages are fetched from is set on each machine; files pin names, versions and hashes.
    """
    assert found(REGISTRY) == []
    pinned = [line for line in found(re.compile("://")) if line.startswith("requirements/")]
    assert pinned == []


@pytest.mark.parametrize("name", [name for name in tree.texts() if name.endswith(".md")])
def test_documents_point_at_what_is_there(name: str) -> None:
    """
    Links to files lead somewhere, and files that are named by their path exist.
    """
    text, folder = tree.texts()[name], (tree.ROOT / name).parent
    linked = [target.partition("#")[0] for target in LINK.findall(text) if "://" not in target]
    tops = {tree.name_of(path).split("/")[0] for path in tree.files() if "/" in tree.name_of(path)}
    pathlike = [path for path in NAMED.findall(text) if "/" in path and (path.split("/")[0] in tops or "." in path)]

    dead = [target for target in linked if target and not (folder / target).exists()]
    kept = [path for path in pathlike if not path.startswith("build/")]  # What a target makes is there once it ran.
    gone = [path for path in kept if not any((tree.ROOT / start / path).exists() for start in UNDERSTOOD)]
    assert (dead, gone) == ([], [])


def test_a_tree_without_git_is_looked_at_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An unpacked archive has the same files, without what tools left behind in it.
    """
    for name in ("a.py", ".ci/run", "cordboard/b.py", ".venv/c.py", "build/d.json", "x/__pycache__/e.pyc", "f.sqlite3"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    monkeypatch.setattr(tree, "ROOT", tmp_path)

    assert [tree.name_of(path) for path in tree.files.__wrapped__()] == [".ci/run", "a.py", "cordboard/b.py"]


def test_the_patterns_find_what_they_are_for() -> None:
    """
    A check that can find nothing proves nothing.
    """
    home, index = "/" + "home" + "/me/desk.sqlite3", "https://py" + "pi.org/simple"

    assert MACHINE_PATH.search(f"path = {home!r}")
    assert not MACHINE_PATH.search("https://desk.example/home/page and a/tmp/b")
    assert REGISTRY.search(f"fetched from {index}")
    assert not REGISTRY.search("the registry of metrics; a log that mirrors another")


def test_the_generated_files_are_the_only_ones_left_out() -> None:
    """
    What is not looked at is made by `make proto`, and says so.
    """
    left_out = [name for name in tree.texts() if name.endswith(".py") and name.startswith(tree.GENERATED)]
    made = re.compile(r"generated|made from", re.IGNORECASE)

    assert left_out != []
    assert [name for name in left_out if not made.search(tree.texts()[name][:600])] == []
