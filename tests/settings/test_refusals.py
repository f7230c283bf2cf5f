"""What start is refused, and how it is said: everything wrong at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.settings import EVERY_DUTY, SettingsError, load
from tests.settings.starts import refusal, written


class TestRefusals:
    def test_everything_wrong_is_said_at_once(self, tmp_path: Path):
        """
        One start names every mistake: in the file, in the environment, limits, names and relations.
        """
        problems = refusal(
            tmp_path,
            '[worker]\nattempt_budget_seconds = 20\n[logging]\nlevel = "loud"\n[grpc]\nport = 8080\n[lgo]\nx = "x"\n',
            {"CORDBOARD_LOG__PARTITIONS": "many"},
        )

        assert sorted(problems, key=lambda text: ["loggi", "log.p", "worke", "lgo (", "ingre"].index(text[:5])) == [
            "logging.level (CORDBOARD_LOGGING__LEVEL): is 'loud', must be 'debug', 'info', 'warning' or 'error' (the "
            "least level that is said)",
            "log.partitions (CORDBOARD_LOG__PARTITIONS): is 'many', must be a valid integer, unable to parse string as "
            "an integer (partitions per topic, fixed at creation)",
            "worker.attempt_budget_seconds (CORDBOARD_WORKER__ATTEMPT_BUDGET_SECONDS): is 20, must be less than 15 "
            "(how long all tries of one release may take together)",
            "lgo (CORDBOARD_LGO): there is no such setting; did you mean log?",
            "ingress.port (CORDBOARD_INGRESS__PORT): must differ from grpc.port, which is 8080 too",
        ]

    @pytest.mark.parametrize(
        ("variable", "meant"),
        [
            ("CORDBOARD_GRPC_PORT", "grpc.port"),
            ("CORDBOARD_LOG__PARTITION", "log.partitions"),
            ("CORDBOARD_ACCOUNTS__MAIN__APIKEY", "accounts.main.api_key"),
            ("CORDBOARD_DISPATCHER__LINE_COMMANDS", "dispatcher.line_commands_max"),
        ],
    )
    def test_an_unknown_name_is_refused_with_the_nearest(self, tmp_path: Path, variable: str, meant: str):
        """
        A misspelt variable is not silently ignored.
        """
        (problem,) = refusal(tmp_path, "", {variable: "1"})

        assert variable in problem
        assert f"there is no such setting; did you mean {meant}?" in problem

    def test_text_in_the_place_of_a_table(self, tmp_path: Path):
        """
        A variable for a whole section hides nothing of what the file says about it.
        """
        problems = refusal(tmp_path, "[log]\npartitions = 0\n", {"CORDBOARD_LOG": "x"})

        assert problems[0] == "log (CORDBOARD_LOG): must be a table of settings"
        assert "log.partitions (CORDBOARD_LOG__PARTITIONS): is 0" in problems[1]

    def test_a_relation_is_not_judged_by_a_default_that_stands_in(self, tmp_path: Path):
        """
        Where one side is itself wrong, what follows from its stand-in is no mistake of the user's.
        """
        (problem,) = refusal(
            tmp_path,
            '[worker]\nattempt_budget_seconds = "long"\ntry_timeout_seconds = 12\nconnect_timeout_seconds = 2\n',
        )

        assert "worker.attempt_budget_seconds" in problem

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "[worker]\ntry_timeout_seconds = 11",
                "worker.try_timeout_seconds (CORDBOARD_WORKER__TRY_TIMEOUT_SECONDS)",
            ),
            ("[worker]\nconnect_timeout_seconds = 3", "must be below worker.try_timeout_seconds, which is 3"),
            ("[worker]\ndrain_seconds = 4", "worker.drain_seconds"),
            ("[dispatcher]\nline_bytes_max = 131072", "which must hold at least one"),
            ("[grpc]\nmessage_bytes_max = 131072", "the largest command must fit through the door"),
            ("[dispatcher]\nsequence_wait_seconds = 30", "it must not expire meanwhile"),
            ("[operations]\nport = 8080", "must differ from ingress.port"),
            ('default_account = "main"', "must be one of the accounts: none is set"),
            ("[worker]\ndrain_seconds = nan", "worker.drain_seconds"),
            ("[worker]\ntry_timeout_seconds = inf", "worker.try_timeout_seconds"),
            ('[log]\ntopic_prefix = "a_b"', "log.topic_prefix"),
            ("[accounts.Main_1]", "1 to 40 characters of a-z, 0-9 and hyphen"),
            (f"[accounts.{'a' * 41}]", "1 to 40 characters"),
            ("accounts = 3", "accounts (CORDBOARD_ACCOUNTS): must be a table of settings"),
            ('[accounts.a]\nbase_url = "api.telnyx.com"', "must be a whole address"),
            ('[accounts.a]\nbase_url = "http://api.telnyx.com/v2"', "in the clear"),
            ('[accounts.a]\nbase_url = "https://me:pass@x.example"', "no user name, password"),
            ('[accounts.a]\nbase_url = "https://[x"', "must be a whole address"),
            ('[accounts.a]\nwebhook_public_key = "!"', "must be Base64"),
            ('[accounts.a]\nwebhook_public_key = "AAAA"', "not of 3"),
            ('[accounts.a]\napi_key = ""', "one word"),
            ('[accounts.a]\napi_key_file = "/nowhere"', "No such file"),
            ('[accounts.a]\ndial_url_secret = "short"', "16 characters or more"),
            ('[accounts.a]\npublic_url = "https://x.example"', "must be set where public_url is"),
            ('[accounts.a]\napi_key = "x"\napi_key_file = "key"', "one of the two"),
        ],
    )
    def test_each_limit_and_relation(self, tmp_path: Path, text: str, said: str):
        """
        Each is refused alone, by the name of the setting that breaks it.
        """
        (tmp_path / "key").write_text("word")

        (problem,) = refusal(tmp_path, text)

        assert said in problem

    @pytest.mark.parametrize("content", [b"", b"two words", b"\xff", b"caf\xc3\xa9"])
    def test_a_secret_file_that_holds_no_secret(self, tmp_path: Path, content: bytes):
        """
        An empty or garbled file is found at the start, not at the first request.
        """
        (tmp_path / "key").write_bytes(content)

        (problem,) = refusal(tmp_path, '[accounts.a]\napi_key_file = "key"')

        assert "accounts.a.api_key_file" in problem

    def test_a_role_misses_what_it_needs(self, tmp_path: Path):
        """
        A worker needs the key to the API and an ingress the key of the webhooks; others need neither.
        """
        text = "[accounts.a]\n"

        assert refusal(tmp_path, text, duties=EVERY_DUTY) == [
            "accounts.a.api_key (CORDBOARD_ACCOUNTS__A__API_KEY): api_key or api_key_file must be set: the worker "
            "needs it",
            "accounts.a.webhook_public_key (CORDBOARD_ACCOUNTS__A__WEBHOOK_PUBLIC_KEY): webhook_public_key must be "
            "set: the ingress needs it",
        ]
        assert refusal(tmp_path, "", duties=EVERY_DUTY) == [
            "accounts (CORDBOARD_ACCOUNTS): at least one account must be set, for the dispatcher and the worker and "
            "the ingress"
        ]

    def test_what_is_missed_is_said_beside_what_is_wrong(self, tmp_path: Path):
        """
        A wrong key is reported once, as wrong; the other mistakes with it.
        """
        problems = refusal(
            tmp_path, '[accounts.a]\napi_key = "k"\nwebhook_public_key = "!"\n[grpc]\nport = 8080', duties=EVERY_DUTY
        )

        assert len(problems) == 2

    @pytest.mark.parametrize("name", ["nowhere.toml", "."])
    def test_a_file_that_was_named_and_cannot_be_read(self, name: str):
        """
        A named file that is missing is a mistake, though a missing default one is none.
        """
        with pytest.raises(SettingsError, match="cannot be read"):
            load(Path(name), {})
        with pytest.raises(SettingsError, match="cannot be read"):
            load(environ={"CORDBOARD_CONFIG": name})

    @pytest.mark.parametrize("content", [b"[log", b"\xff\xfe"])
    def test_a_file_that_is_no_toml(self, tmp_path: Path, content: bytes):
        """
        What cannot be read is said beside what is wrong in the environment.
        """
        path = tmp_path / "broken.toml"
        path.write_bytes(content)

        with pytest.raises(SettingsError, match="is not TOML") as caught:
            load(path, {"CORDBOARD_GRPC__PORT": "x"})

        assert len(caught.value.problems) == 2


class TestPacing:
    def test_a_rate_below_what_the_partitions_need_is_refused(self, tmp_path: Path):
        """
        Each partition may have a dial out: the last of them must not be too late when its turn comes.
        """
        (problem,) = refusal(tmp_path, "[log]\npartitions = 40\n[accounts.main]\ndials_per_second = 1\n", {})

        assert "accounts.main.dials_per_second" in problem
        assert "must be 2 or more: with log.partitions = 40" in problem

    def test_a_destination_is_the_beginning_of_a_number_or_of_a_sip_address(self, tmp_path: Path):
        """
        `1` would allow nothing, because all numbers begin with a plus; so it is refused where it is set.
        """
        (problem,) = refusal(tmp_path, "[accounts.main]\nallowed_destinations = ['+1', '44']\n", {})

        assert "accounts.main.allowed_destinations" in problem

    def test_destinations_stand_in_the_environment_with_commas(self, tmp_path: Path):
        """
        As all else does that is a list.
        """
        variable = {"CORDBOARD_ACCOUNTS__MAIN__ALLOWED_DESTINATIONS": "+1,+44, sip:"}

        assert load(written(tmp_path, ""), variable).accounts["main"].allowed_destinations == ("+1", "+44", "sip:")
