"""The dispatcher's role: owners for the partitions, with what they read, write and observe."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.clock import Clock
from cordboard.control import Control
from cordboard.log.port import Log
from cordboard.observers import each_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Settings
from cordboard.tracing.port import Tracer
from dispatcher import journal
from dispatcher.accounts import Accounts, DialAddress
from dispatcher.batch import Practice
from dispatcher.core.limits import Guards, Limits
from dispatcher.credit import rooms_at
from dispatcher.dispatcher import Dispatcher
from dispatcher.metrics import DispatcherMetrics
from dispatcher.owner import Owner
from dispatcher.reading import Interpreter
from dispatcher.rendering import Renderer
from dispatcher.tracing import Spans

_HOUR_MS = 3_600_000


def accounts_of(settings: Settings, public_url: str | None = None) -> Accounts:
    """What the dispatcher knows of the accounts; `public_url` is for those that have none of their own."""
    addresses = {name: _address(account, public_url) for name, account in settings.accounts.items()}
    return Accounts(addresses=addresses, default=settings.account_or_default() or "")


def _address(account: Account, otherwise: str | None) -> DialAddress | None:
    secret, public_url = account.read_dial_url_secret(), account.public_url or otherwise
    if public_url is None or secret is None:
        return None
    return DialAddress(public_url=public_url, secret=secret)


def limits_of(settings: Settings) -> Limits:
    """The limits of the core, in its units."""
    chosen = settings.dispatcher
    return Limits(
        line_commands_max=chosen.line_commands_max,
        line_bytes_max=chosen.line_bytes_max,
        sequence_wait_ms=round(chosen.sequence_wait_seconds * 1000),
        answer_hold_ms=round(chosen.answered_wait_seconds * 1000),
        call_memory_ms=round(chosen.call_memory_hours_after_end * _HOUR_MS),
        dial_memory_ms=round(chosen.dial_memory_hours * _HOUR_MS),
        silence_ms=round(chosen.silent_call_drop_hours * _HOUR_MS),
        ask_after_ms=round(chosen.silent_call_ask_hours * _HOUR_MS),
        late_dials_hung_up=frozenset(
            name for name, account in settings.accounts.items() if account.late_dial == "hang_up"
        ),
        guards={name: _guards(account) for name, account in settings.accounts.items()},
    )


def _guards(account: Account) -> Guards:
    return Guards(
        destinations=account.allowed_destinations,
        dry_run=account.dry_run,
        dials_per_minute_max=account.dials_per_minute_max,
        dials_per_number_max=account.dials_per_number_max,
        number_window_ms=round(account.dials_per_number_hours * _HOUR_MS),
        dials_in_progress_max=account.dials_in_progress_max,
    )


def rooms_of(settings: Settings) -> dict[str, int]:
    """By account, how many dials may be out from one partition."""
    rates = {name: dials_per_second(account) for name, account in settings.accounts.items()}
    channels = {name: account.dials_in_progress_max for name, account in settings.accounts.items()}
    rooms = {name: many for name, many in channels.items() if many is not None}
    return rooms | rooms_at(rates, settings.log.partitions)


def dials_per_second(account: Account) -> float | None:
    """A dial is a request, too."""
    return account.dials_per_second if account.dials_per_second is not None else account.requests_per_second


def make_dispatcher(
    settings: Settings,
    accounts: Accounts,
    log: Log,
    clock: Clock,
    control: Control,
    registry: CollectorRegistry = REGISTRY,
    tracer: Tracer | None = None,
) -> Dispatcher:
    """The dispatcher of this process, ready to be started; `control` is to be started before it."""
    owners = owners_of(settings, accounts, log, clock, control, registry, tracer)
    dispatcher = Dispatcher(log, topics_of(settings), owners)
    control.listen(lambda _: dispatcher.look_again())
    return dispatcher


def owners_of(
    settings: Settings,
    accounts: Accounts,
    log: Log,
    clock: Clock,
    control: Control,
    registry: CollectorRegistry,
    tracer: Tracer | None = None,
) -> Callable[[int], Owner]:
    """What makes the owner of a partition."""
    topics, metrics = topics_of(settings), DispatcherMetrics(registry)
    metrics.there_are(log.partitions(topics.commands))
    spans = () if tracer is None else (Spans(tracer, topics),)
    practice = Practice(
        interpreter=Interpreter(topics, accounts),
        renderer=Renderer(topics, accounts),
        inputs=topics.inputs,
        limits=limits_of(settings),
        home=log.partition_for,
        observe=each_of(metrics, journal.write, *spans),
        orders=lambda: control.orders,
        rooms=rooms_of(settings),
    )
    return lambda partition: Owner(log, partition, practice, clock)


def unserved(dispatcher: Dispatcher) -> str | None:
    """For readiness: which partitions of its own are not decided about."""
    named = ((dispatcher.restoring, "are being restored"), (dispatcher.broken, "stand still: their owner broke off"))
    said = [f"partitions {', '.join(map(str, numbers))} {what}" for numbers, what in named if numbers]
    return "; ".join(said) or None
