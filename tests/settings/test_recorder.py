"""Where what happened is recorded: what must be set, and what is no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.settings import EVERY_DUTY, Duties, Role, in_effect, load, redacted, secrets_of
from tests.settings.starts import refusal, written

ADDRESS = "postgresql://desk:open-sesame@db.example:5432/cordboard"
ALONE = Duties(frozenset({Role.RECORDER}))


def test_nothing_is_recorded_unless_it_is_set(tmp_path: Path):
    """
    Who plays all roles does without it; whoever is nothing else says what is missing.
    """
    settings = load(written(tmp_path, ""), {})

    assert Role.RECORDER not in in_effect(settings, EVERY_DUTY).roles
    assert any("recorder.kind" in said for said in refusal(tmp_path, "", duties=ALONE))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "postgresql"', "(or url_file) must be set where recorder.kind is postgresql"),
        (f'kind = "sqlite"\nurl = "{ADDRESS}"', "must be postgresql where recorder.url is set"),
        ('kind = "postgresql"\nurl = "mysql://db/x"', "must be a whole address such as postgresql://"),
        ('kind = "postgresql"\nurl = "postgresql://db"', "must be a whole address such as postgresql://"),
    ],
)
def test_a_database_has_its_address(tmp_path: Path, text: str, said: str):
    """
    And only a database has one.
    """
    (problem,) = refusal(tmp_path, f"[recorder]\n{text}")

    assert said in problem


def test_the_address_is_a_secret(tmp_path: Path):
    """
    It may hold a password: neither is shown, and the guard in the logs knows both.
    """
    settings = load(written(tmp_path, f'[recorder]\nkind = "postgresql"\nurl = "{ADDRESS}"'), {})

    assert "open-sesame" not in str(redacted(settings))
    assert {ADDRESS, "open-sesame"} <= secrets_of(settings)


def test_the_address_may_be_in_a_file(tmp_path: Path):
    """
    Which is read anew each time, so that a new password is taken up.
    """
    file = tmp_path / "address"
    file.write_text(ADDRESS)
    settings = load(written(tmp_path, f'[recorder]\nkind = "postgresql"\nurl_file = "{file}"'), {})
    file.write_text(ADDRESS.replace("sesame", "barley"))

    assert settings.recorder.read_url() == ADDRESS.replace("sesame", "barley")


def test_both_are_too_many(tmp_path: Path):
    """
    Nobody could tell which one counts.
    """
    file = tmp_path / "address"
    file.write_text(ADDRESS)
    text = f'[recorder]\nkind = "postgresql"\nurl = "{ADDRESS}"\nurl_file = "{file}"'
    (problem,) = refusal(tmp_path, text)

    assert "one of the two" in problem
