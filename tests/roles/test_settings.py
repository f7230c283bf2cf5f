"""What the settings come to: the limits of the brain and the hands, and no setting that nothing reads."""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from cordboard import journal
from cordboard.catalogue import CATALOGUE
from cordboard.clock import SystemClock
from cordboard.roles.brain import accounts_of, limits_of, rooms_of
from cordboard.roles.desk import Desk
from cordboard.roles.hands import pool_settings, rates_of
from cordboard.roles.log import open_log
from cordboard.settings import Account, Settings, secrets_of
from cordboard.validation import COMMAND_BYTES_MAX
from cordboard.work import Lane
from dispatcher.accounts import DialAddress
from dispatcher.core.limits import DEFAULT_LIMITS, Guards
from tests.ingress.desk import KEY, event, public, signed
from tests.tls.made import Made
from workers.core.attempt import Limits as AttemptLimits
from workers.pace import Rates
from workers.settings import PoolSettings

SECRET = "a-secret-long-enough"

NOWHERE = "http://127.0.0.1:1/"


def two_accounts(**more: Any) -> Settings:
    sealed = {"public_url": "https://desk.example", "dial_url_secret": SECRET}
    return Settings(accounts={"main": {"api_key": "k1", **sealed}, "second": {"api_key": "k2"}}, **more)


def leaves(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Every setting that is no table, as the name of its model and its own."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind)
        elif name != "accounts":
            yield model.__name__, name


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """The settings that are read, as they are read."""
    seen: set[tuple[str, str]] = set()

    def spied(model: type[BaseModel]) -> None:
        plain = model.__getattribute__

        def read(self: BaseModel, name: str) -> Any:
            if name in model.model_fields:
                seen.add((model.__name__, name))
            return plain(self, name)

        monkeypatch.setattr(model, "__getattribute__", read, raising=False)

    for name in {model for model, _ in [*leaves(Settings), *leaves(Account)]}:
        spied(_models()[name])
    return seen


@pytest.fixture
def logs_as_they_were() -> Iterator[None]:
    """What a process configures for itself does not outlive the test."""
    root, kept = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**kept)
    root.handlers[:] = handlers
    root.setLevel(level)


def _models() -> dict[str, type[BaseModel]]:
    below = [Settings, Account]
    for model in below:
        kinds = (field.annotation for field in model.model_fields.values())
        below += [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return {model.__name__: model for model in below}


@pytest.mark.usefixtures("logs_as_they_were")
async def test_every_setting_is_read(
    tmp_path: Path, reads: set[tuple[str, str]], kafka_servers: str, kafka_prefix: str
) -> None:
    """
    A process with all roles, on one log or the other, asks for every single setting: no knob turns nothing.
    """
    port, made = {"port": 0}, Made(tmp_path / "certificates")
    public_pair = {"public_certificate_file": made.server, "public_key_file": made.server_key}
    settings = Settings(
        accounts={"main": {"api_key": "k", "webhook_public_key": public(KEY), "forward_url": NOWHERE}},
        log={"path": tmp_path / "log.sqlite3"},
        grpc=port,
        ingress=port | {"spool": tmp_path / "spool"},
        rest=port,
        operations=port,
        recorder={"kind": "sqlite", "path": tmp_path / "recorded.sqlite3"},
        tracing={"endpoint": "http://127.0.0.1:9"},
        tls=made.settings(asks=True, operations=True, **public_pair),
    )
    on_kafka = Settings(
        log={"kind": "kafka", "topic_prefix": kafka_prefix, "partitions": 1},
        kafka={"bootstrap_servers": kafka_servers},
    )
    reads.clear()  # Reading a setting to check it is no use of it.

    clock, body = SystemClock(), event()
    journal.configure(settings.logging, secrets_of(settings), clock, io.StringIO())
    trusted = made.client_context(made.issue("client"))
    async with (
        Desk(settings, clock, random.Random(1), CollectorRegistry()) as desk,
        httpx.AsyncClient(verify=trusted) as client,
    ):
        assert desk.ingress is not None
        headers = signed(body, at=clock.now_ms() // 1000)
        taken = await client.post(f"{desk.ingress.url}/webhooks/telnyx", content=body, headers=headers)
        assert desk.rest is not None
        await client.post(f"{desk.rest.url}/v2/calls", content=b"{", headers={"authorization": "Bearer k"})
        ready = await client.get(f"{desk.operations.url}/readyz")

    await (await open_log(on_kafka, clock, CollectorRegistry())).log.close()

    assert (taken.status_code, ready.status_code) == (200, 200)
    assert {*leaves(Settings), *leaves(Account)} - reads == set()


def test_every_setting_says_what_it_means() -> None:
    """
    The meaning stands in the declaration, and so in every message about a wrong value.
    """
    models = _models()

    silent = [leaf for leaf in [*leaves(Settings), *leaves(Account)] if not _described(models[leaf[0]], leaf[1])]
    assert silent == []


def _described(model: type[BaseModel], name: str) -> bool:
    return bool(model.model_fields[name].description)


class TestAccounts:
    def test_only_sealed_addresses_are_given_to_dials(self) -> None:
        """
        The account with a public URL has an address for its dials, the other none; commands must name one of the two.
        """
        accounts = accounts_of(two_accounts())

        address = DialAddress(public_url="https://desk.example", secret=SECRET.encode())
        assert dict(accounts.addresses) == {"main": address, "second": None}
        assert accounts.default == ""

    def test_the_default_is_the_settings(self) -> None:
        """
        The default account is the one that is set, else the only one there is.
        """
        alone = Settings(accounts={"alone": {"api_key": "k"}})

        assert accounts_of(two_accounts(default_account="second")).default == "second"
        assert accounts_of(alone).default == "alone"


class TestLimits:
    def test_unset_settings_are_the_cores_own_limits(self) -> None:
        """
        The defaults are said twice, where they are set and where they are used, and agree.
        """
        assert limits_of(Settings()) == DEFAULT_LIMITS

    def test_each_setting_arrives_in_the_cores_units(self) -> None:
        """
        Seconds and hours become milliseconds.
        """
        limits = limits_of(
            Settings(
                dispatcher={
                    "line_commands_max": 7,
                    "line_bytes_max": 200_000,
                    "sequence_wait_seconds": 0.25,
                    "answered_wait_seconds": 1.001,
                    "call_memory_hours_after_end": 2,
                    "dial_memory_hours": 0.5,
                    "silent_call_drop_hours": 48,
                    "silent_call_ask_hours": 0.25,
                }
            )
        )

        assert (limits.line_commands_max, limits.line_bytes_max) == (7, 200_000)
        assert (limits.sequence_wait_ms, limits.answer_hold_ms) == (250, 1_001)
        assert (limits.call_memory_ms, limits.dial_memory_ms) == (7_200_000, 1_800_000)
        assert (limits.silence_ms, limits.ask_after_ms) == (172_800_000, 900_000)

    def test_accounts_say_whose_late_dials_are_hung_up(self) -> None:
        """
        Unless an account says so, they are only reported.
        """
        assert limits_of(two_accounts()).late_dials_hung_up == frozenset()
        accounts = {"main": {"late_dial": "report"}, "second": {"late_dial": "hang_up"}}
        assert limits_of(Settings(accounts=accounts)).late_dials_hung_up == {"second"}

    def test_the_largest_command_fits_wherever_it_passes(self) -> None:
        """
        However low the limits are set, a command that validation takes fits through the door and into a line.
        """
        least = COMMAND_BYTES_MAX + 1024
        settings = Settings(grpc={"message_bytes_max": least}, dispatcher={"line_bytes_max": least})

        assert settings.grpc.message_bytes_max == limits_of(settings).line_bytes_max == least
        for table in ({"grpc": {"message_bytes_max": least - 1}}, {"dispatcher": {"line_bytes_max": least - 1}}):
            with pytest.raises(ValueError, match="greater than or equal"):
                Settings(**table)

    def test_no_command_expires_while_it_waits_for_an_earlier_number(self) -> None:
        """
        The longest such wait that can be set is below the shortest expiry of the contract.
        """
        shortest = min(action.expire_seconds for action in CATALOGUE.values() if action.expire_seconds is not None)

        assert shortest == 30
        with pytest.raises(ValueError, match="less than 30"):
            Settings(dispatcher={"sequence_wait_seconds": shortest})


class TestPools:
    def test_each_account_has_a_pool_of_its_name(self) -> None:
        """
        Two accounts are two pools with the same bounds, each lane with its own share.
        """
        settings = two_accounts(worker={"concurrency": {"urgent": 1, "action": 2, "dial": 3}})

        pools = [pool_settings(name, account, settings.worker) for name, account in settings.accounts.items()]

        assert [pool.name for pool in pools] == ["main", "second"]
        for pool in pools:
            assert dict(pool.concurrency) == {Lane.URGENT: 1, Lane.ACTION: 2, Lane.DIAL: 3}

    def test_each_setting_arrives_in_the_workers_units(self) -> None:
        """
        Seconds become milliseconds.
        """
        pool = pool_settings(
            "main",
            Account(dial_concurrency=3),
            Settings(
                worker={
                    "connect_timeout_seconds": 0.5,
                    "try_timeout_seconds": 1.001,
                    "attempt_budget_seconds": 8,
                    "waiting_notice_seconds": 4,
                    "drain_seconds": 2.5,
                }
            ).worker,
        )

        assert pool.limits == AttemptLimits(connect_ms=500, try_ms=1_001, budget_ms=8_000)
        assert pool.concurrency[Lane.DIAL] == 3  # The account's own, before the worker's.
        assert (pool.waiting_ms, pool.handover_ms) == (4_000, 2_500)

    def test_unset_settings_are_the_workers_own_bounds(self) -> None:
        """
        The defaults are said twice, where they are set and where they are used, and agree.
        """
        unset, own = pool_settings("main", Account(), Settings().worker), PoolSettings(name="main")

        assert (unset.limits, unset.waiting_ms, unset.handover_ms) == (own.limits, own.waiting_ms, own.handover_ms)
        assert unset.concurrency == own.concurrency

    def test_an_accounts_rates_reach_its_pace_and_its_credit(self) -> None:
        """
        A dial is a request: where dials have no rate of their own, the rate of all requests bounds them.
        """
        settings = Settings(
            accounts={
                "main": {"dials_per_second": 30, "requests_per_second": 100},
                "second": {"requests_per_second": 8, "dials_in_progress_max": 10},
                "third": {"dials_in_progress_max": 10},
                "fourth": {},
            },
            log={"partitions": 4},
        )

        rates = rates_of(settings.accounts["main"], settings.worker)
        assert rates == Rates(requests_per_second=100, dials_per_second=30, failures_max=20)
        assert rooms_of(settings) == {"main": 15, "second": 4, "third": 10}

    def test_guards_are_off_unless_they_are_set(self) -> None:
        """
        And each arrives in the core, in its units.
        """
        settings = Settings(
            accounts={
                "main": {
                    "allowed_destinations": "+1, sip:",
                    "dials_per_minute_max": 60,
                    "dials_per_number_max": 2,
                    "dials_per_number_hours": 0.5,
                    "dials_in_progress_max": 10,
                    "dry_run": True,
                },
                "second": {},
            }
        )
        guards = limits_of(settings).guards

        assert guards["second"] == Guards()
        assert guards["main"] == Guards(
            destinations=("+1", "sip:"),
            dry_run=True,
            dials_per_minute_max=60,
            dials_per_number_max=2,
            number_window_ms=1_800_000,
            dials_in_progress_max=10,
        )
