"""What must hold between settings: a table of rules, each with the settings it speaks of and a sentence.

Kept apart from the limits of single settings, because a rule is judged only where all the settings that it speaks of
are themselves right; so one start names every mistake, and none that only follows from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cordboard.log.kafka.demands import INPUT_BYTES_MAX
from cordboard.settings.identities import IdentitiesUnusable, faults, read_identities
from cordboard.settings.tls import misfits

if TYPE_CHECKING:
    from cordboard.settings.model import Settings

# What a stop takes besides its drain: flushing, leaving groups, closing ports.
LEAVING_SECONDS: Final = 5
# How long one dial of each partition may take: well within the 50 s after which none is sent.
PARTITION_SECONDS_MAX: Final = 20
# A lane that drains is handed over, and each of its three steps may take the drain's time.
_DRAINS_OF_A_LANE: Final = 3


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that does not hold: `paths` (dotted, the first one is at fault), and what would be right."""

    paths: tuple[str, ...]
    must: str


class RelationsBroken(ValueError):
    """All rules that do not hold, at once, and the settings that break them."""

    def __init__(self, failures: list[Broken], settings: Settings) -> None:
        super().__init__("; ".join(f"{failure.paths[0]} {failure.must}" for failure in failures))
        self.failures = failures
        self.settings = settings


def broken(settings: Settings) -> list[Broken]:
    """Every rule that these settings break."""
    return [failure for rule in _RULES for failure in rule(settings)]


def _a_try_fits(settings: Settings) -> Iterator[Broken]:
    connect, whole, budget = (f"worker.{name}_seconds" for name in ("connect_timeout", "try_timeout", "attempt_budget"))
    connect_ms, whole_ms, budget_ms = (round(1000 * _value(settings, path)) for path in (connect, whole, budget))
    if connect_ms >= whole_ms:
        limit = f"{whole}, which is {whole_ms / 1000:g}"
        yield Broken((connect, whole), f"must be below {limit}: connecting is part of a try")
    if whole_ms > budget_ms:
        limit = f"{budget}, which is {budget_ms / 1000:g}"
        yield Broken((whole, budget), f"must not exceed {limit}: one try must fit into the budget")


def _ports_differ(settings: Settings) -> Iterator[Broken]:
    taken: dict[int, str] = {}
    for name in ("grpc", "ingress", "rest", "operations"):
        path = f"{name}.port"
        port = int(_value(settings, path))
        if port and port in taken:
            yield Broken((path, taken[port]), f"must differ from {taken[port]}, which is {port} too")
        taken.setdefault(port, path)


def _default_account_exists(settings: Settings) -> Iterator[Broken]:
    name, known = settings.default_account, sorted(settings.accounts)
    if name is not None and name not in known:
        yield Broken(
            ("default_account", "accounts"), f"must be one of the accounts: {', '.join(known) or 'none is set'}"
        )


def _one_source_per_secret(settings: Settings) -> Iterator[Broken]:
    holders: list[tuple[str, object]] = [(f"accounts.{name}", one) for name, one in settings.accounts.items()]
    sections = ((name, getattr(settings, name)) for name in ("kafka", "peers", "recorder"))
    for place, holder in [*holders, *sections]:
        for name in ("api_key", "dial_url_secret", "key_password", "sasl_password", "secret", "url"):
            path, file = f"{place}.{name}", f"{name}_file"
            if getattr(holder, name, None) is not None and getattr(holder, file) is not None:
                yield Broken((path, f"{path}_file"), f"must not be set beside {file}: one of the two")


def _dial_urls_are_sealed(settings: Settings) -> Iterator[Broken]:
    for name, account in settings.accounts.items():
        if account.public_url and account.dial_url_secret is None and account.dial_url_secret_file is None:
            secret, url = f"accounts.{name}.dial_url_secret", f"accounts.{name}.public_url"
            paths = (secret, f"{secret}_file", url)
            yield Broken(paths, "(or dial_url_secret_file) must be set where public_url is: it seals the addresses")


def _dials_have_their_turn(settings: Settings) -> Iterator[Broken]:
    """Each partition may have one dial out: all of them together must go before the first is too late."""
    for name, account in settings.accounts.items():
        least = settings.log.partitions / PARTITION_SECONDS_MAX
        if account.dials_per_second is not None and account.dials_per_second < least:
            why = f"with log.partitions = {settings.log.partitions} what is released would wait for too long"
            path = f"accounts.{name}.dials_per_second"
            yield Broken((path, "log.partitions"), f"must be {least:g} or more: {why}")


def _a_stop_holds_its_drain(settings: Settings) -> Iterator[Broken]:
    # The dispatcher's doors are closed side by side.
    doors = max("grpc.drain_seconds", "rest.drain_seconds", key=lambda path: _value(settings, path))
    for role, drain, times in (
        ("dispatcher", doors, 1),
        ("worker", "worker.drain_seconds", _DRAINS_OF_A_LANE),
        ("ingress", "ingress.drain_seconds", 1),
    ):
        path = f"{role}.stop_seconds"
        least = times * _value(settings, drain) + LEAVING_SECONDS
        if _value(settings, path) < least:
            why = f"{drain}{f' {times} times' if times > 1 else ''}, and {LEAVING_SECONDS} s to leave"
            yield Broken((path, drain), f"must be {least:g} or more: {why}")


def _the_log_is_where_it_is_said_to_be(settings: Settings) -> Iterator[Broken]:
    kind, servers = "log.kind", "kafka.bootstrap_servers"
    if settings.log.kind == "kafka" and settings.kafka.bootstrap_servers is None:
        yield Broken((servers, kind), "must be set where log.kind is kafka: host:port of one broker or more")
    if settings.log.kind != "kafka" and settings.kafka.bootstrap_servers is not None:
        yield Broken((kind, servers), "must be kafka where kafka.bootstrap_servers is set")


def _the_recorder_has_its_database(settings: Settings) -> Iterator[Broken]:
    kind, recorder = "recorder.kind", settings.recorder
    for name in ("url", "url_file"):
        if getattr(recorder, name) is not None and recorder.kind != "postgresql":
            yield Broken((kind, f"recorder.{name}"), f"must be postgresql where recorder.{name} is set")
    if recorder.kind == "postgresql" and recorder.url is None and recorder.url_file is None:
        paths = ("recorder.url", "recorder.url_file", kind)
        yield Broken(paths, "(or url_file) must be set where recorder.kind is postgresql")


def _kafka_is_entered_in_one_way(settings: Settings) -> Iterator[Broken]:
    kafka, protocol, mechanism = settings.kafka, "kafka.security_protocol", "kafka.sasl_mechanism"
    if kafka.security_protocol.startswith("SASL_") and kafka.sasl_mechanism is None:
        yield Broken((mechanism, protocol), f"must be set where {protocol} is {kafka.security_protocol}")
    if kafka.sasl_mechanism and not kafka.security_protocol.startswith("SASL_"):
        wanted = "SASL_SSL (or SASL_PLAINTEXT) where kafka.sasl_mechanism is set"
        yield Broken((protocol, mechanism), f"is {kafka.security_protocol}, must be {wanted}")
    if not kafka.security_protocol.endswith("SSL"):
        for name in ("ca_file", "certificate_file", "key_file"):
            if getattr(kafka, name) is not None:
                wanted = f"SSL or SASL_SSL where kafka.{name} is set"
                yield Broken((protocol, f"kafka.{name}"), f"is {kafka.security_protocol}, must be {wanted}")


def _a_mechanism_has_what_it_asks_for(settings: Settings) -> Iterator[Broken]:
    kafka, mechanism = settings.kafka, "kafka.sasl_mechanism"
    bearer, named = kafka.sasl_mechanism == "OAUTHBEARER", kafka.sasl_mechanism not in {None, "OAUTHBEARER"}
    for name, needed in (("sasl_username", named), ("sasl_password", named), ("oauth_token_file", bearer)):
        path, file = f"kafka.{name}", f"{name}_file"
        is_set = getattr(kafka, name) is not None or getattr(kafka, file, None) is not None
        if needed and not is_set:
            paths = (path, f"kafka.{file}", mechanism) if hasattr(kafka, file) else (path, mechanism)
            either = f"(or {file}) " if hasattr(kafka, file) else ""
            yield Broken(paths, f"{either}must be set where kafka.sasl_mechanism is {kafka.sasl_mechanism}")
        if is_set and not needed:
            what = "OAUTHBEARER" if name == "oauth_token_file" else "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"
            yield Broken((mechanism, path), f"must be {what} where {path} is set")


def _a_certificate_has_its_key(settings: Settings) -> Iterator[Broken]:
    for name, other in (
        ("certificate_file", "key_file"),
        ("key_file", "certificate_file"),
        ("key_file", "key_password"),
        ("key_file", "key_password_file"),
    ):
        if getattr(settings.kafka, name) is None and getattr(settings.kafka, other) is not None:
            yield Broken((f"kafka.{name}", f"kafka.{other}"), f"must be set where kafka.{other} is")


def _certificates_can_be_served(settings: Settings) -> Iterator[Broken]:
    for paths, must in misfits(settings):
        yield Broken(paths, must)


def _enough_copies_to_write(settings: Settings) -> Iterator[Broken]:
    least, copies = "kafka.min_insync_replicas", "kafka.replication_factor"
    needed, there = settings.kafka.min_insync_replicas, settings.kafka.replication_factor
    if needed is not None and there is not None and needed > there:
        limit = f"{copies}, which is {there}"
        yield Broken((least, copies), f"must not exceed {limit}: nothing could be written")


def _records_fit(settings: Settings) -> Iterator[Broken]:
    """On Kafka a record has a size that brokers let through: a webhook's as an input, a page's in the ledger."""
    kind, mib = "log.kind", 1024 * 1024
    # A line may hold as much again in hangups; around both of them is less than half of what is left.
    for path, most in (("ingress.body_bytes_max", INPUT_BYTES_MAX - mib), ("dispatcher.line_bytes_max", 2 * mib)):
        if settings.log.kind == "kafka" and _value(settings, path) > most:
            yield Broken(
                (path, kind), f"must not exceed {most} where log.kind is kafka: brokers take no larger records"
            )


def _identities_are_told_apart(settings: Settings) -> Iterator[Broken]:
    inside = settings.identities
    try:
        outside = {} if settings.identities_file is None else read_identities(settings.identities_file)
    except IdentitiesUnusable as error:
        yield from (Broken(("identities_file",), sentence) for sentence in error.sentences)
        return
    for name in sorted(inside.keys() & outside.keys()):
        yield Broken(("identities_file", "identities"), f"must not hold {name}, which is among the settings already")
    for name, field, must in faults({**outside, **inside}, settings.accounts):
        here = (f"identities.{name}.{field}", "accounts")
        yield Broken(here, must) if name in inside else Broken(("identities_file", "accounts"), f"{here[0]} {must}")


def _sealing_has_its_keys(settings: Settings) -> Iterator[Broken]:
    sealing, keys = settings.sealing, "sealing.key_file"
    if sealing.key_file is None and sealing.public_topics:
        yield Broken((keys, "sealing.public_topics"), "must be set where sealing.public_topics is")
    if sealing.key_file is None and not sealing.accept_plain:
        yield Broken((keys, "sealing.accept_plain"), "must be set where sealing.accept_plain is false")


def _value(settings: Settings, path: str) -> float:
    section, name = path.split(".")
    return float(getattr(getattr(settings, section), name))


_RULES: Final[tuple[Callable[[Settings], Iterator[Broken]], ...]] = (
    _a_try_fits,
    _ports_differ,
    _default_account_exists,
    _one_source_per_secret,
    _dial_urls_are_sealed,
    _dials_have_their_turn,
    _a_stop_holds_its_drain,
    _the_log_is_where_it_is_said_to_be,
    _the_recorder_has_its_database,
    _kafka_is_entered_in_one_way,
    _a_mechanism_has_what_it_asks_for,
    _a_certificate_has_its_key,
    _certificates_can_be_served,
    _enough_copies_to_write,
    _records_fit,
    _identities_are_told_apart,
    _sealing_has_its_keys,
)
