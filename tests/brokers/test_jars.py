"""Where Java and Maven are missing, one sentence says what to install; jars are fetched once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from brokers import Missing, jars


@pytest.fixture(autouse=True)
def no_java_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


class TestJava:
    def test_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Without Java the sentence names what to install, and the way around it.
        """
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(
            Missing, match=r"needs Java 17 or later, and none is on the PATH: install both .*openjdk-17"
        ):
            jars.java()

    def test_too_old(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Kafka 4 does not run on Java 11.
        """
        program(tmp_path, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(Missing, match="is Java 11: install"):
            jars.java()

    def test_the_home_that_is_set_counts(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        JAVA_HOME chooses among several.
        """
        (tmp_path / "bin").mkdir()
        program(tmp_path / "bin", "java", "echo 'openjdk version \"21.0.1\"' >&2")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))

        assert jars.java() == str(tmp_path / "bin" / "java")


class TestJars:
    @pytest.fixture(autouse=True)
    def empty(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(jars, "LIBRARIES", tmp_path / "kafka" / "libs")

    def test_no_maven(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Without Maven the sentence names what to install.
        """
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(Missing, match=r"no mvn is on the PATH: install both .*maven"):
            jars.classpath()

    def test_maven_that_fails_is_quoted(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        What Maven said is said on.
        """
        program(tmp_path, "mvn", "echo 'Could not resolve dependencies'; exit 1")
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(Missing, match=r"(?s)could not fetch.*Could not resolve"):
            jars.classpath()

    def test_are_fetched_once(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """
        Maven runs for the first who asks, and again only after the pom has changed.
        """
        said = tmp_path / "said"
        program(
            tmp_path,
            "mvn",
            f'for word; do case $word in -DoutputDirectory=*) mkdir -p "${{word#*=}}";; esac; done\n'
            f'echo once >> "{said}"',
        )
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        jars.classpath()
        jars.classpath()
        assert said.read_text() == "once\n"

        (tmp_path / "pom.xml").write_text("<project/>")
        monkeypatch.setattr(jars, "POM", tmp_path / "pom.xml")
        jars.classpath()
        assert said.read_text() == "once\nonce\n"


def test_the_program_ends_with_the_sentence(tmp_path: Path) -> None:
    """
    `make test` runs this first: status 1 and no traceback.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "brokers", "--fetch"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PATH": str(tmp_path)},
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("A Kafka broker needs Java 17")
    assert ended.stderr.count("\n") == 1
