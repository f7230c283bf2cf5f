"""Each alert has its section of the runbook, whole, where its runbook_url points; what it has one look at exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pytest

from docs.generate.metrics import every_metric
from tests.alerts.rules import ROOT, rules

PAGE: Final = "docs/runbook.md"
PARTS: Final = ("**You see**", "**For calls:**", "**Look first", "**Do.**", "**Do not**")


def sections() -> Mapping[str, str]:
    """The text of each section by its heading."""
    _, *found = re.split(r"^## (\w+)\n", (ROOT / PAGE).read_text(), flags=re.MULTILINE)
    return dict(zip(found[::2], found[1::2], strict=True))


def test_every_alert_has_a_section_and_every_section_an_alert():
    """
    In the same order.
    """
    assert sorted(sections()) == sorted(rule.name for rule in rules())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_it_is_found_and_whole(rule):
    """
    Its address is the heading's anchor; a summary, a description and a severity come with the alert.
    """
    assert rule.annotations["runbook_url"] == f"{PAGE}#{rule.name.lower()}"
    assert rule.annotations["summary"]
    assert rule.annotations["description"]
    assert rule.labels["severity"] in {"page", "ticket"}
    section = sections()[rule.name]
    assert [part for part in PARTS if section.count(part) != 1] == []
    assert [section.index(part) for part in PARTS] == sorted(section.index(part) for part in PARTS)
    assert "```sh\n" in section


def test_what_it_names_exists():
    """
    Metrics by their names or by how their names begin, and sections that it links to.
    """
    page = (ROOT / PAGE).read_text()
    samples = {sample for metric in every_metric() for sample in (*metric.samples, metric.name)}
    named = re.findall(r"\bcordboard_[a-z_]+", page)
    unknown = [name for name in named if not any(sample.startswith(name) for sample in samples)]
    anchors = {name.lower() for name in sections()}

    assert [name for name in unknown if name != "cordboard_"] == []
    assert [link for link in re.findall(r"\]\(#(\w+)\)", page) if link not in anchors] == []


def test_what_it_looks_for_among_the_metrics_is_found():
    """
    Every pattern of a `grep` finds a line of /metrics, each of its alternatives too.
    """
    samples = [sample for metric in every_metric() for sample in metric.samples]
    patterns = re.findall(r"grep (?:-E )?'?(\^cordboard_[^' \n]*)", (ROOT / PAGE).read_text())
    each = [one for pattern in patterns for one in alternatives(pattern)]

    assert len(patterns) > 15
    assert [one for one in each if not any(re.match(one, sample) for sample in samples)] == []


def alternatives(pattern: str) -> list[str]:
    """A pattern with one group of words, as a pattern for each of them: ^a_(b|c) is ^a_b and ^a_c."""
    if (found := re.search(r"\(([\w|]+)\)", pattern)) is None:
        return [pattern]
    return [each for word in found[1].split("|") for each in alternatives(pattern.replace(found[0], word, 1))]


def test_the_lines_that_it_looks_for_are_written():
    """
    An event's name that is looked for in the logs stands in the code.
    """
    code = "".join(
        path.read_text() for name in ("cordboard", "dispatcher", "workers") for path in (ROOT / name).rglob("*.py")
    )
    looked_for = set(re.findall(r'\.event == "([^"]+)"', (ROOT / PAGE).read_text()))

    assert [event for event in looked_for if f'"{event}"' not in code] == []
