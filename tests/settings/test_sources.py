"""Where settings come from, and which of two wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cordboard.settings import Account, Settings, load
from cordboard.settings.names import environment_name, nearest, path_of
from tests.settings.starts import written

PUBLIC_KEY = "A" * 43 + "="


class TestSources:
    def test_nothing_set_gives_the_defaults(self):
        """
        An empty environment and no file are enough to start on one machine.
        """
        settings = load(environ={})

        assert settings == Settings()
        assert (settings.grpc.port, settings.ingress.port, settings.operations.port) == (50051, 8080, 9464)
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
