"""Starts that are refused, for the tests of settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.settings import NO_DUTIES, Duties, SettingsError, load


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(text)
    return path


def refusal(tmp_path: Path, text: str, environ: dict[str, str] | None = None, duties: Duties = NO_DUTIES) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, text), environ or {}, duties=duties)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]
