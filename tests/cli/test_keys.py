"""The keys of `cordboard dev`: made once, readable by their owner only."""

from __future__ import annotations

import stat
from pathlib import Path
from random import Random

import pytest

from cordboard.cli.exits import Failure
from cordboard.cli.keys import keys_in


class TestKeysIn:
    def test_are_made_once_and_for_their_owner_alone(self, tmp_path: Path) -> None:
        """
        A restart finds the same keys, in a file that nobody else may read.
        """
        made = keys_in(tmp_path / "data", Random(1))
        found = keys_in(tmp_path / "data", Random(2))

        assert made == found
        assert stat.S_IMODE((tmp_path / "data" / "dev-keys.json").stat().st_mode) == 0o600

    @pytest.mark.parametrize("content", [b"", b"{}", b'{"signing_key": "AAAA", "dial_url_secret": "AAAA"}'])
    def test_a_file_that_holds_something_else(self, tmp_path: Path, content: bytes) -> None:
        """
        It is left as it is, and named.
        """
        path = tmp_path / "dev-keys.json"
        path.write_bytes(content)

        with pytest.raises(Failure, match=r"dev-keys\.json does not hold"):
            keys_in(tmp_path, Random(1))
        assert content == path.read_bytes()
