"""`cordboard config`: the settings as they are meant, without their secrets, and every mistake at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.processes import Cordboard, block_of

README = Path(__file__).parents[2] / "README.md"


class TestConfig:
    def test_shows_what_counts_without_secrets(self, cordboard: Cordboard) -> None:
        """
        The environment's values are there, its secrets are not, and text can be read back as a settings file.
        """
        given = {"CORDBOARD_ACCOUNTS__MAIN__API_KEY": "KEY-of-somebody", "CORDBOARD_GRPC__PORT": "50052"}
        record, text = cordboard("config", **given), cordboard("config", "--output=text", **given)

        assert json.loads(record.stdout)["grpc"]["port"] == 50052
        assert "KEY-of-somebody" not in record.stdout + text.stdout
        assert "[accounts.main]" in text.stdout

    def test_what_is_shown_may_be_a_settings_file(self, cordboard: Cordboard, tmp_path: Path) -> None:
        """
        The text of one is the settings file of another.
        """
        shown = cordboard("config", "--output=text", CORDBOARD_GRPC__PORT="50052").stdout
        (tmp_path / "copy.toml").write_text(shown)

        assert shown == cordboard("config", "--output=text", "--config=copy.toml").stdout

    def test_checks_for_serve(self, cordboard: Cordboard) -> None:
        """
        What `serve` would miss is named, with status 2.
        """
        ended = cordboard("config", "--check")

        assert ended.returncode == 2
        assert "at least one account must be set" in ended.stderr

    @pytest.mark.parametrize("number", [0, 1, 2])
    def test_the_readmes_settings_are_in_order(self, cordboard: Cordboard, tmp_path: Path, number: int) -> None:
        """
        The files that the README shows can be used, once they have a key and the secrets are there.
        """
        (tmp_path / "secret").write_text("a-secret-that-is-long-enough")
        text = block_of(README.read_text(), "toml", number).replace('"..."', f'"{"A" * 43}="')
        text = re.sub(r'"/(?:run/secrets|etc/cordboard)/[^"]+"', f'"{tmp_path / "secret"}"', text)
        (tmp_path / "cordboard.toml").write_text(text)
        ended = cordboard("config", "--check")

        assert ended.returncode == 0, ended.stderr
