"""Where webhooks go on to: what is an address, and that nobody is shown it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cordboard.settings import Settings, load, redacted, secrets_of
from tests.settings.starts import refusal, written

URL = "https://calls.example:8443/hooks/?token=open-sesame"


def test_it_is_taken_as_it_is_given(tmp_path: Path) -> None:
    """
    Not a slash is changed: the service knows its own address.
    """
    settings = load(written(tmp_path, f'[accounts.main]\nforward_url = "{URL}"\n'), {})
    account = settings.accounts["main"]

    assert account.forward_url is not None
    assert account.forward_url.get_secret_value() == URL
    assert (account.forward_timeout_seconds, account.forward_for_seconds) == (5, 14_400)


def test_its_query_may_hold_a_secret() -> None:
    """
    So it is shown nowhere, and the guard of the logs knows it.
    """
    settings = Settings.model_validate({"accounts": {"main": {"forward_url": URL}}})

    assert URL in secrets_of(settings)
    assert not [text for text in (repr(settings), str(redacted(settings))) if "sesame" in text]


@pytest.mark.parametrize(
    ("setting", "must"),
    [
        ('forward_url = "calls.example/hooks"', "must be a whole address such as https://calls.example/webhooks"),
        ('forward_url = "ftp://calls.example/"', "must be a whole address"),
        ('forward_url = "https://1.2.3.400/"', "must have a host that can be asked for"),
        ('forward_url = "https://me:hush@calls.example/"', "must hold no user name, password or fragment"),
        ('forward_url = "https://calls.example/#x"', "must hold no user name, password or fragment"),
        ("forward_timeout_seconds = 61", "must be less than or equal to 60"),
        ("forward_for_seconds = 0", "must be greater than or equal to 1"),
        ("forward_for_seconds = 300_000", "must be less than or equal to 259200"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, setting: str, must: str) -> None:
    """
    With what would be right, and never the address itself.
    """
    (problem,) = refusal(tmp_path, f"[accounts.main]\n{setting}\n")

    assert must in problem
    assert "hush" not in problem


def test_a_spool_that_names_nothing_is_refused() -> None:
    """
    An empty value would be the folder in which the process happens to run.
    """
    with pytest.raises(ValidationError, match="must name a folder; for none, leave it out"):
        Settings.model_validate({"ingress": {"spool": ""}})
