"""The pages that the code makes: current, complete, and honest."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import reasons
from docs.generate.__main__ import DOCS, PAGES, stale_pages
from docs.generate.metrics import NotListed, every_metric
from docs.generate.tables import table

ROOT = DOCS.parent
CODE = ("cordboard", "dispatcher", "workers")
# The lists of all reasons: words, sentences, the codes of the doors. Who is on them is not given for that.
LISTS = {"Reason", "SENTENCES", "_CODES", "OF_REASONS", "OF_REFUSALS"}
NUMBERS = itertools.count()  # A module that was imported is not read again under its name.


def test_the_pages_are_current():
    """
    As `make docs` writes them.
    """
    assert stale_pages() == []


def test_a_page_that_is_old_or_missing_is_named(tmp_path: Path):
    """
    A check that cannot fail would be none.
    """
    (tmp_path / "metrics.md").write_text((DOCS / "metrics.md").read_text().replace("counter", "gauge", 1))

    assert stale_pages(tmp_path) == list(PAGES)


class TestMetrics:
    """Found without being listed."""

    @pytest.fixture
    def package(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A package of its own name, that can be imported."""
        folder = tmp_path / f"made_{next(NUMBERS)}"
        folder.mkdir()
        (folder / "__init__.py").touch()
        monkeypatch.syspath_prepend(str(tmp_path))
        return folder

    def found(self, package: Path) -> list[tuple[str, str, tuple[str, ...]]]:
        metrics = every_metric(package.parent, (package.name,))
        return [(metric.shown, metric.kind, metric.labels) for metric in metrics]

    def test_a_new_metric_is_in_the_page_by_itself(self, package: Path):
        """
        In any module, in any class that takes a registry.
        """
        (package / "deep.py").write_text(
            "from prometheus_client import Counter as Count, Gauge\n"
            "class Metrics:\n"
            "    def __init__(self, registry, buckets=()):\n"
            "        self.a = Count('a', 'Help.', ('x', 'y'), registry=registry)\n"
            "        self.b = Gauge('b', 'Help.', registry=registry)\n"
        )

        assert self.found(package) == [("a_total", "counter", ("x", "y")), ("b", "gauge", ())]

    @pytest.mark.parametrize(
        "code",
        [
            "A = Counter('a_{0}', 'Help.')\n",
            "class Metrics:\n    def __init__(self, registry, mood):\n"
            "        self.a = Counter('b_{0}', 'Help.', registry=registry)\n",
        ],
    )
    def test_a_metric_that_cannot_be_found_is_an_error(self, package: Path, code: str):
        """
        It is told where, and how it would be right.
        """
        (package / "odd.py").write_text("from prometheus_client import Counter\n" + code.format(package.name))

        with pytest.raises(NotListed, match="odd makes metrics in 1 places, and 0 are registered"):
            self.found(package)


class TestReasons:
    """What the contract's comments say."""

    def test_a_comment_may_say_several_things(self):
        """
        Several places with one meaning, with Telnyx's codes, and one meaning after the other.
        """
        said = reasons.read("X", "FAILED (90015, 404), REJECTED: no such call. NOT_FOUND: nor here.")

        assert [(one.place, one.telnyx, one.when) for one in said] == [
            ("FAILED", "90015, 404", "no such call."),
            ("REJECTED", "", "no such call."),
            ("NOT_FOUND", "", "nor here."),
        ]

    @pytest.mark.parametrize("comment", ["", "The call is over.", "BROKEN: the call is over."])
    def test_a_comment_that_names_no_place_is_an_error(self, comment: str):
        """
        Nobody would know with what the reason comes.
        """
        with pytest.raises(ValueError, match="names"):
            reasons.read("X", comment)

    def test_every_reason_is_on_the_page(self):
        """
        With what they come.
        """
        page = (DOCS / "errors.md").read_text()

        assert [one.reason for one in reasons.sayings() if f"`{one.reason}`" not in page] == []


def mentions(reason: str) -> set[str]:
    """The files of the product whose code names a reason, as the contract, the core or a worker does."""
    wanted = {reason, f"REASON_{reason}", f"'{reason}'", f"'{reason.lower()}'"}
    return {name for name, words in words_of_the_code().items() if wanted & words}


@functools.cache
def words_of_the_code() -> dict[str, frozenset[str]]:
    """The names of every module that people wrote, and its texts in quotes."""
    paths = [path for package in CODE for path in (ROOT / package).rglob("*.py")]
    named = {path.relative_to(ROOT).as_posix(): path for path in paths}
    return {
        name: frozenset(_words(ast.parse(path.read_text())))
        for name, path in named.items()
        if not name.startswith("cordboard/v1/")
    }


def _words(module: ast.Module) -> Iterator[str]:
    for node in (node for statement in module.body if not _is_list(statement) for node in ast.walk(statement)):
        match node:
            case ast.Attribute(attr=word) | ast.Name(id=word):
                yield word
            case ast.Constant(value=str(word)):
                yield f"'{word}'"


def _is_list(statement: ast.stmt) -> bool:
    match statement:
        case ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return name in LISTS
    return False


@pytest.mark.parametrize("saying", reasons.sayings(), ids=lambda saying: f"{saying.place} {saying.reason}")
def test_what_is_listed_is_named_in_the_code(saying: reasons.Saying):
    """
    A reason that nothing gives would be waited for in vain.
    """
    assert mentions(saying.reason)


def test_what_nobody_names_would_be_seen():
    """
    The same eyes, on a reason that there is not.
    """
    assert mentions("NO_SUCH_REASON") == set()


def test_cells_do_not_break_their_table():
    """
    A bar in a text is no end of a cell.
    """
    assert table(("a",), [("x | y",)]) == "| a |\n| --- |\n| x \\| y |"
