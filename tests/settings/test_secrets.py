"""What is never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cordboard.settings import Account, Settings, SettingsError, load, redacted, secrets_of
from tests.settings.starts import written

API_KEY = "KEY0123456789abcdef"
DIAL_SECRET = "a-long-secret-for-dials"


class TestSecrets:
    def secret_settings(self) -> Settings:
        account = Account.model_validate(
            {"api_key": API_KEY, "public_url": "https://x.example", "dial_url_secret": DIAL_SECRET}
        )
        return Settings(accounts={"main": account})

    def test_no_secret_in_any_form_that_is_shown(self):
        """
        Neither repr, nor str, nor JSON, nor the table for --print-config holds a secret.
        """
        settings = self.secret_settings()
        shown = [repr(settings), str(settings), settings.model_dump_json(), json.dumps(redacted(settings))]

        assert not [text for text in shown if API_KEY in text or DIAL_SECRET in text]
        assert redacted(settings)["accounts"]["main"]["public_url"] == "https://x.example"

    @pytest.mark.parametrize(
        "text",
        [
            f'[accounts.main]\napi_keyy = "{API_KEY}"',
            f'[accounts.main]\nwebhook_public_key = "{API_KEY}"',
            f'[accounts.main]\nbase_url = "{API_KEY}"',
            f'[accounts.main]\napi_key = "{API_KEY} "',
            f'[accounts.main]\napi_key = ["{API_KEY}"]',
            f'[accounts]\nmain = "{API_KEY}"',
            f'api_key = "{API_KEY}"',
            f'[telnyx]\nkey = "{API_KEY}"',
            f'log = "{API_KEY}"',
        ],
    )
    def test_no_secret_in_an_error(self, tmp_path: Path, text: str):
        """
        Wherever a key was put by mistake, the error does not repeat it, nor does what it came from.
        """
        with pytest.raises(SettingsError) as caught:
            load(written(tmp_path, text), {})

        assert API_KEY not in f"{caught.value}{caught.value!r}"
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    def test_the_guard_of_the_logs_knows_them_all(self, tmp_path: Path):
        """
        Secrets from files count too.
        """
        (tmp_path / "key").write_text("from-a-file\n")
        settings = self.secret_settings()
        other = Account.model_validate({"api_key_file": tmp_path / "key"})

        assert {API_KEY, DIAL_SECRET, "from-a-file"} == secrets_of(
            settings.model_copy(update={"accounts": {**settings.accounts, "b": other}})
        )
