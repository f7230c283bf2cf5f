"""The dispatcher's role: owners for the partitions, with what they read, write and observe."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.clock import Clock
from cordboard.log.port import Log
from cordboard.observers import each_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Settings
from cordboard.tracing.port import Tracer
from dispatcher import journal
from dispatcher.accounts import Accounts, DialAddress
from dispatcher.batch import Practice
from dispatcher.core.limits import Limits
from dispatcher.credit import Unlimited
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
    )


def make_dispatcher(
    settings: Settings,
    accounts: Accounts,
    log: Log,
    clock: Clock,
    registry: CollectorRegistry = REGISTRY,
    tracer: Tracer | None = None,
) -> Dispatcher:
    """The dispatcher of this process, ready to be started."""
    return Dispatcher(log, topics_of(settings), owners_of(settings, accounts, log, clock, registry, tracer))


def owners_of(
    settings: Settings,
    accounts: Accounts,
    log: Log,
    clock: Clock,
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
    )
    credit = Unlimited()
    return lambda partition: Owner(log, partition, practice, clock, credit)
