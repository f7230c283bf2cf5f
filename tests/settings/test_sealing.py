"""The file of keys: what it may hold, what refuses the start, and that no key is ever shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from cordboard.log.sealing import Key
from cordboard.settings import load, redacted, secrets_of
from tests.settings.starts import refusal, written

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
BASE64, HEX = base64.b64encode(OLD).decode(), NEW.hex()


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sealing.keys"
    path.write_text(text)
    return path


def test_a_line_is_a_name_and_a_key(tmp_path: Path):
    """
    In Base64 or hex, the newest last; comments and empty lines are passed over.
    """
    path = file_of(tmp_path, f"# of May\n2026-05 {BASE64}\n\n  2026-11\t{HEX}  \n")

    settings = load(written(tmp_path, f'[sealing]\nkey_file = "{path}"'), {})

    assert settings.sealing.read_keys() == [Key("2026-05", OLD), Key("2026-11", NEW)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "holds no key; a line must be <name> <32 bytes in Base64 or hex>, such as: openssl rand -base64 32"),
        ("# nothing yet\n", "holds no key"),
        (f"{BASE64}\n", "has no key on line 1"),
        (f"a {BASE64}\nb/c {BASE64}\n", "has no key on line 2"),
        (f"a {BASE64} b\n", "has no key on line 1"),
        (f"a {BASE64[:-5]}\n", "has neither Base64 nor hex on line 1"),
        (f"a {base64.b64encode(OLD[:31]).decode()}\n", "has 31 bytes on line 1: it must be <name>"),
        (f"a {HEX[:-2]}\n", "on line 1: it must be"),
        (f"a {BASE64}\na {HEX}\n", "names a twice: every key must have a name of its own"),
        ("a \xe9\xe9\n", "has neither Base64 nor hex on line 1"),
        (f"# {'x' * 70_000}\n", "holds more than 65536 bytes"),
    ],
)
def test_a_file_that_is_wrong_refuses_the_start(tmp_path: Path, content: str, said: str):
    """
    With the line that is wrong and what would be right; never with what stands there.
    """
    path = file_of(tmp_path, content)
    (problem,) = refusal(tmp_path, f'[sealing]\nkey_file = "{path}"')

    assert problem.startswith("sealing.key_file (CORDBOARD_SEALING__KEY_FILE): must name a file of keys")
    assert said in problem
    assert not [secret for secret in (BASE64, BASE64[:-5], HEX[:-2]) if secret in problem]


def test_a_file_that_is_missing_refuses_the_start(tmp_path: Path):
    """
    It is found out before anything is opened.
    """
    (problem,) = refusal(tmp_path, f'[sealing]\nkey_file = "{tmp_path / "none"}"')

    assert "must name a file of keys that can be read: No such file or directory" in problem


def test_a_key_in_the_place_of_its_file_is_not_repeated(tmp_path: Path):
    """
    That is what goes wrong first.
    """
    (problem,) = refusal(tmp_path, f'[sealing]\nkey_file = "{BASE64}"')

    assert BASE64 not in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('public_topics = ["events"]', "sealing.public_topics is"),
        ("accept_plain = false", "sealing.accept_plain is false"),
    ],
)
def test_the_rest_counts_only_with_keys(tmp_path: Path, text: str, said: str):
    """
    Who names topics to be sealed means to have a key.
    """
    (problem,) = refusal(tmp_path, f"[sealing]\n{text}")

    assert f"sealing.key_file (CORDBOARD_SEALING__KEY_FILE): must be set where {said}" in problem


def test_public_topics_are_named_as_they_are_called(tmp_path: Path):
    """
    From the environment with commas; another name is refused.
    """
    path = file_of(tmp_path, f"a {BASE64}\n")
    named = {"CORDBOARD_SEALING__KEY_FILE": str(path), "CORDBOARD_SEALING__PUBLIC_TOPICS": "events, results"}

    assert load(written(tmp_path, ""), named).sealing.public_topics == ("events", "results")
    (problem,) = refusal(tmp_path, "", named | {"CORDBOARD_SEALING__PUBLIC_TOPICS": "webhooks"})
    assert "must be some of commands, now, results, events, control; what is internal is sealed in any case" in problem


def test_no_key_is_shown(tmp_path: Path):
    """
    And the guard in the logs knows each of them, in both forms.
    """
    path = file_of(tmp_path, f"a {BASE64}\nb {HEX}\n")
    settings = load(written(tmp_path, f'[sealing]\nkey_file = "{path}"'), {})

    shown = f"{redacted(settings)}{settings!r}{settings.sealing.read_keys()!r}"
    assert {BASE64, OLD.hex(), HEX, base64.b64encode(NEW).decode()} <= secrets_of(settings)
    assert not [secret for secret in secrets_of(settings) if secret in shown]
