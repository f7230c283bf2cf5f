"""Settings: where they come from, what start is refused and how it is said, and what is never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from cordboard.settings import Account, Settings, SettingsError, load, redacted, secrets_of
from cordboard.settings.names import environment_name, nearest, path_of

PUBLIC_KEY = "A" * 43 + "="
API_KEY = "KEY0123456789abcdef"
DIAL_SECRET = "a-long-secret-for-dials"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(text)
    return path


def refusal(tmp_path: Path, text: str, environ: dict[str, str] | None = None, roles: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, text), environ or {}, roles=roles)
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


class TestSources:
    def test_nothing_set_gives_the_defaults(self):
        """
        An empty environment and no file are enough to start on one machine.
        """
        settings = load(environ={})

        assert settings == Settings()
        assert tuple(
            section.port for section in (settings.grpc, settings.ingress, settings.operations, settings.sandbox)
        ) == (50051, 8080, 9464, 8012)
        assert settings.ingress.host == "127.0.0.1"

    def test_a_file_in_the_working_directory_is_found(self, tmp_path: Path):
        """
        ./cordboard.toml is read without being asked for.
        """
        (tmp_path / "cordboard.toml").write_text("[grpc]\nport = 7000\n")

        assert load(environ={}).grpc.port == 7000

    def test_the_command_line_names_a_file_before_the_environment_does(self, tmp_path: Path):
        """
        --config wins over CORDBOARD_CONFIG, which wins over the default.
        """
        (tmp_path / "cordboard.toml").write_text("[grpc]\nport = 7000\n")
        (tmp_path / "b.toml").write_text("[grpc]\nport = 7001\n")
        (tmp_path / "c.toml").write_text("[grpc]\nport = 7002\n")
        environ = {"CORDBOARD_CONFIG": str(tmp_path / "b.toml")}

        assert load(environ=environ).grpc.port == 7001
        assert load(tmp_path / "c.toml", environ).grpc.port == 7002

    def test_the_environment_wins_over_the_file_setting_by_setting(self, tmp_path: Path):
        """
        One variable replaces one value; its neighbours in the file stand.
        """
        path = written(tmp_path, '[log]\npartitions = 8\ntopic_prefix = "desk"\n[worker.concurrency]\ndial = 3\n')

        settings = load(path, {"CORDBOARD_LOG__PARTITIONS": "16", "cordboard_worker__concurrency__urgent": "5"})

        assert (settings.log.partitions, settings.log.topic_prefix) == (16, "desk")
        assert (settings.worker.concurrency.urgent, settings.worker.concurrency.dial) == (5, 3)

    def test_what_is_given_wins_over_everything(self, tmp_path: Path):
        """
        The command line's own values come first.
        """
        path = written(tmp_path, "[grpc]\nport = 7000\n")

        assert load(path, {"CORDBOARD_GRPC__PORT": "2"}, {"grpc": {"port": 1}}).grpc.port == 1

    def test_an_account_by_environment_alone(self):
        """
        Accounts are made by naming them; an underscore stands for the hyphen that variables cannot hold.
        """
        environ = {
            "CORDBOARD_ACCOUNTS__MAIN_ONE__API_KEY": "123456",
            "CORDBOARD_ACCOUNTS__MAIN_ONE__WEBHOOK_PUBLIC_KEY": PUBLIC_KEY,
        }

        account = load(environ=environ).accounts["main-one"]

        assert account.read_api_key() == "123456"
        assert bytes(32) == account.public_key()

    def test_an_empty_variable_is_not_set(self):
        """
        Compose files and charts pass empty strings for what was left out.
        """
        assert load(environ={"CORDBOARD_GRPC__PORT": ""}).grpc.port == 50051

    def test_what_kubernetes_puts_into_every_pod_is_left_alone(self):
        """
        The links of a Service called cordboard look like our variables and are none.
        """
        load(
            environ={
                "CORDBOARD_SERVICE_HOST": "10.0.0.1",
                "CORDBOARD_DISPATCHER_SERVICE_PORT": "50051",
                "CORDBOARD_PORT": "tcp://10.0.0.1:50051",
                "CORDBOARD_PORT_50051_TCP_ADDR": "10.0.0.1",
            }
        )

    def test_a_key_in_a_file_is_read_when_it_is_asked_for(self, tmp_path: Path):
        """
        A rotated key is taken up without a restart; the newline at its end is none of it.
        """
        secret = tmp_path / "key"
        secret.write_text("first\n")
        account = load(environ={"CORDBOARD_ACCOUNTS__MAIN__API_KEY_FILE": str(secret)}).accounts["main"]

        assert account.read_api_key() == "first"
        secret.write_text("second\n")
        assert account.read_api_key() == "second"

    def test_settings_by_hand_read_nothing_but_their_arguments(self, monkeypatch: pytest.MonkeyPatch):
        """
        A test or a tool that makes Settings gets what it wrote, whatever is in the environment.
        """
        monkeypatch.setenv("GRPC", '{"port": 1}')
        monkeypatch.setenv("CORDBOARD_GRPC__PORT", "1")

        assert Settings().grpc.port == 50051

    def test_they_are_frozen(self):
        """
        Nobody changes a setting after the start.
        """
        with pytest.raises(ValidationError):
            Settings().grpc.port = 1  # type: ignore[misc]  # what must fail


class TestRefusals:
    def test_everything_wrong_is_said_at_once(self, tmp_path: Path):
        """
        One start names every mistake: in the file, in the environment, limits, names and relations.
        """
        problems = refusal(
            tmp_path,
            '[worker]\nattempt_budget_seconds = 20\n[log]\nkind = "kafk"\n[grpc]\nport = 8080\n[lgo]\nkind = "x"\n',
            {"CORDBOARD_LOG__PARTITIONS": "many"},
        )

        assert sorted(problems, key=lambda text: ["log.k", "log.p", "worke", "lgo (", "ingre"].index(text[:5])) == [
            "log.kind (CORDBOARD_LOG__KIND): is 'kafk', must be 'embedded' (embedded: SQLite on this machine)",
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
            ("[worker]\nconnect_timeout_seconds = 4", "must not exceed worker.try_timeout_seconds, which is 3"),
            ("[worker]\ndrain_seconds = 4", "worker.drain_seconds"),
            ("[dispatcher]\nline_bytes_max = 2048", "a line must hold at least one command"),
            ("[grpc]\nmessage_bytes_max = 2048", "the largest command must fit through the door"),
            ("[dispatcher]\nsequence_wait_seconds = 31", "must not expire while it waits"),
            ("[dispatcher]\nsilent_call_ask_hours = 25", "a call is asked for, then dropped"),
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

        assert refusal(tmp_path, text, roles=("worker", "ingress", "dispatcher")) == [
            "accounts.a.api_key (CORDBOARD_ACCOUNTS__A__API_KEY): api_key or api_key_file must be set: the worker "
            "needs it",
            "accounts.a.webhook_public_key (CORDBOARD_ACCOUNTS__A__WEBHOOK_PUBLIC_KEY): webhook_public_key must be "
            "set: the ingress needs it",
        ]
        assert refusal(tmp_path, "", roles=("worker",)) == [
            "accounts (CORDBOARD_ACCOUNTS): at least one account must be set: the worker needs it"
        ]

    def test_what_is_missed_is_said_beside_what_is_wrong(self, tmp_path: Path):
        """
        A wrong key is reported once, as wrong; the other mistakes with it.
        """
        problems = refusal(tmp_path, '[accounts.a]\nwebhook_public_key = "!"\n[grpc]\nport = 8080', roles=("ingress",))

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


class TestNames:
    def test_both_names_of_a_setting_lead_to_each_other(self):
        """
        The name in the environment is made from the path, and read back to it.
        """
        path = ("accounts", "main-one", "api_key")

        assert environment_name(path) == "CORDBOARD_ACCOUNTS__MAIN_ONE__API_KEY"
        assert path == path_of(environment_name(path))

    def test_nothing_is_suggested_for_what_resembles_nothing(self):
        """
        A suggestion is given only where it may help.
        """
        assert nearest(("zzzz",)) is None

    def test_the_account_of_a_message_that_names_none(self):
        """
        The default one, else the only one, else none.
        """
        one, two = {"a": Account()}, {"a": Account(), "b": Account()}

        assert Settings(accounts=one).account_or_default() == "a"
        assert Settings(accounts=two).account_or_default() is None
        assert Settings(accounts=two, default_account="b").account_or_default() == "b"
        assert Settings(accounts=two, default_account="b").account_or_default("a") == "a"
        assert Settings(accounts=one).account_or_default("b") is None
