"""Identities as settings: in the settings' own tables, in the environment, and in a file of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.settings import Duties, Right, Role, load, redacted, secrets_of
from tests.settings.starts import refusal, written

DIGEST, OTHER = "ab" * 32, "cd" * 32
ACCOUNTS = '[accounts.a]\napi_key = "x"\n[accounts.b]\napi_key = "x"\n'
WHOLE = f'[identities.ivr]\naccounts = ["a"]\ntoken_sha256 = ["{DIGEST}"]\n'


class TestIdentities:
    def test_what_is_not_said_of_an_identity(self, tmp_path: Path):
        """
        It sends all actions and reads, without limits of its own; its accounts must be said.
        """
        ivr = load(written(tmp_path, ACCOUNTS + WHOLE), {}).identities["ivr"]

        assert (ivr.accounts, ivr.actions, ivr.rights) == (("a",), ("*",), (Right.SEND, Right.READ))
        assert (ivr.commands_per_second, ivr.concurrent_max, ivr.certificate_names) == (None, None, ())

    def test_in_the_environment_lists_have_commas(self, tmp_path: Path):
        """
        And a hyphen in a name is written as in the names of accounts.
        """
        environ = {
            "CORDBOARD_IDENTITIES__THE_IVR__ACCOUNTS": "a, b",
            "CORDBOARD_IDENTITIES__THE_IVR__TOKEN_SHA256": f"{DIGEST},{OTHER}",
            "CORDBOARD_IDENTITIES__THE_IVR__RIGHTS": "read,operate",
        }
        ivr = load(written(tmp_path, ACCOUNTS), environ).identities["the-ivr"]

        assert ivr.accounts == ("a", "b")
        assert ivr.token_sha256 == (DIGEST, OTHER)
        assert ivr.rights == (Right.READ, Right.OPERATE)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                WHOLE.replace('"a"', '"c"'),
                "accounts (CORDBOARD_IDENTITIES__IVR__ACCOUNTS): must be of the accounts (a,",
            ),
            (WHOLE.replace('["a"]', "[]"), "must name one or more, or be '*' for all of them"),
            (WHOLE.replace('["a"]', "5"), "must be a list of texts"),
            (f"{WHOLE}actions = ['dail']", "must be actions of the contract, or '*'; 'dail' is none of them"),
            (f"{WHOLE}rights = ['sudo']", "must be of send, read, operate, telnyx"),
            (f"{WHOLE}commands_per_second = 0", "must be greater than 0"),
            (f"{WHOLE}acounts = ['a']", "there is no such setting; did you mean identities.ivr.accounts?"),
            (WHOLE.replace(DIGEST, "the token"), "not the token: `cordboard token` makes both"),
            (WHOLE.replace("token_sha256", "#"), "(or certificate_names) must be set: by what else is it known?"),
            (WHOLE + WHOLE.replace("ivr", "two"), "must not be that of ivr too: a token says who shows it"),
            (WHOLE.replace("ivr", "I_VR"), "an identity's name must be 1 to 40 characters of a-z, 0-9 and hyphen"),
            (WHOLE.replace("accounts", "#"), "accounts (CORDBOARD_IDENTITIES__IVR__ACCOUNTS): must be set"),
        ],
    )
    def test_what_is_wrong_is_said_once(self, tmp_path: Path, text: str, said: str):
        """
        With the setting's name, and what would be right.
        """
        (problem,) = refusal(tmp_path, ACCOUNTS + text)

        assert problem.startswith("identities.")
        assert said in problem

    def test_nothing_that_may_be_a_token_is_repeated(self, tmp_path: Path):
        """
        Where somebody has put one in the place of its hash.
        """
        for text in (WHOLE.replace(DIGEST, "a-token"), WHOLE.replace(f'["{DIGEST}"]', '{ x = "a-token" }')):
            assert not [problem for problem in refusal(tmp_path, ACCOUNTS + text) if "a-token" in problem]


class TestTheFile:
    def start(self, tmp_path: Path, content: str, text: str = "") -> list[str]:
        file = tmp_path / "identities.toml"
        file.write_text(content)
        return refusal(tmp_path, f'identities_file = "{file}"\n{ACCOUNTS}{text}')

    def test_it_adds_to_those_of_the_settings(self, tmp_path: Path):
        """
        And is named among the settings by its path alone.
        """
        file = tmp_path / "identities.toml"
        file.write_text(WHOLE)
        settings = load(written(tmp_path, f'identities_file = "{file}"\n{ACCOUNTS}'), {})

        assert redacted(settings)["identities_file"] == str(file)
        assert settings.identities == {}

    def test_what_is_wrong_in_it_is_said_at_the_start(self, tmp_path: Path):
        """
        All at once, and also what is at odds with the settings.
        """
        problems = self.start(tmp_path, f"{WHOLE}rights = ['sudo']\nkey = 'x'\n")
        assert [one.partition("): ")[2] for one in problems] == [
            "identities.ivr.rights: must be of send, read, operate, telnyx",
            "identities.ivr.key: there is no such setting",
        ]

        assert "must not hold ivr, which is among the settings already" in self.start(tmp_path, WHOLE, WHOLE)[0]
        (problem,) = self.start(tmp_path, WHOLE.replace("ivr", "two"), WHOLE)
        assert "must not be that of two too" in problem

    def test_one_that_is_not_there(self, tmp_path: Path):
        """
        Is no file without identities.
        """
        (problem,) = refusal(tmp_path, f'identities_file = "{tmp_path / "nowhere"}"\n')

        assert "must name a file that can be read: No such file or directory" in problem


class TestPeers:
    SECRET = "sixteen-letters-and-more"

    def test_dispatchers_need_a_secret_where_senders_need_tokens(self, tmp_path: Path):
        """
        They ask each other for whole pages, on the port that senders reach.
        """
        kafka = f'{ACCOUNTS}{WHOLE}[log]\nkind = "kafka"\n[kafka]\nbootstrap_servers = "k:9092"\n'
        duties = Duties(frozenset({Role.DISPATCHER}))
        (problem,) = refusal(tmp_path, kafka, duties=duties)
        assert problem.startswith("peers.secret_file (CORDBOARD_PEERS__SECRET_FILE): (or secret) must be set where")
        load(written(tmp_path, kafka), {}, duties=Duties(frozenset({Role.WORKER})))

        settings = load(written(tmp_path, f'{kafka}[peers]\nsecret = "{self.SECRET}"\n'), {}, duties=duties)
        assert settings.peers.read_secret() == self.SECRET
        assert self.SECRET in secrets_of(settings)
        assert self.SECRET not in f"{settings!r}{redacted(settings)}"

    @pytest.mark.parametrize("given", ['secret = "short"', "secret = 5", 'secret = "{0}"\nsecret_file = "some.toml"'])
    def test_a_secret_that_is_none(self, tmp_path: Path, given: str):
        """
        Too short, no text, or given twice; and never repeated.
        """
        problems = refusal(tmp_path, f"[peers]\n{given.format(self.SECRET)}\n")

        assert problems
        assert not [one for one in problems if "short" in one or self.SECRET in one]
