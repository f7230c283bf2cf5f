"""Every setting of Cordboard, with its default, its limits and what it means. Units stand last in the names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from cordboard.settings.account import Account, AccountName
from cordboard.settings.identities import Identity, IdentityName
from cordboard.settings.kafka import Kafka, is_place
from cordboard.settings.observing import Logging, Tracing
from cordboard.settings.peers import Peers
from cordboard.settings.ports import GrpcPort, HttpPort
from cordboard.settings.recorder import Recorder
from cordboard.settings.relations import RelationsBroken, broken
from cordboard.settings.sealing import Sealing
from cordboard.settings.secret import ReadableFile
from cordboard.settings.tls import Tls

Port = Annotated[int, Field(ge=0, le=65535)]
# Whatever takes seconds counts in milliseconds inside.
Seconds = Annotated[float, Field(ge=0.001, le=86_400, allow_inf_nan=False)]
# A write may take 10 s before it is given up, and so may the tries of one release: that is no stall.
StallSeconds = Annotated[float, Field(ge=20, le=3_600, allow_inf_nan=False)]
Hours = Annotated[float, Field(gt=0, le=24 * 31, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Bytes = Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)]
# No less than the largest command that validation lets through, and a little for what is around it.
CommandBytes = Annotated[int, Field(ge=129 * 1024, le=64 * 1024 * 1024)]
Host = Annotated[str, Field(min_length=1, max_length=255)]


def _named(value: object) -> object:
    if value == "":
        raise ValueError("must name a folder; for none, leave it out")
    return value


def _place(value: str) -> str:
    if not is_place(value):
        raise ValueError("must be host:port, as others reach this process")
    if value.rpartition(":")[0] in {"0.0.0.0", "[::]"}:  # noqa: S104 - compared, not bound
        raise ValueError("must be an address of this machine's own: nobody can be reached at 0.0.0.0 or [::]")
    return value


class Section(BaseModel):
    """A table of settings: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Log(Section):
    """The ordered, durable record through which everything flows."""

    kind: Literal["embedded", "kafka"] = Field(
        default="embedded", description="embedded: a file, for one process on one machine; kafka: for many"
    )
    path: Path = Field(default=Path(".cordboard/cordboard.sqlite3"), description="the embedded log's file")
    partitions: Annotated[int, Field(ge=1, le=1024)] = Field(
        default=4, description="partitions per topic, fixed at creation"
    )
    topic_prefix: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,79}$")] = Field(
        default="cordboard", description="what all topic names start with"
    )


class Grpc(GrpcPort):
    """The gRPC door."""

    host: Host = Field(default="127.0.0.1", description="the address to listen on")
    port: Port = Field(default=50051, description="the port to listen on; 0 picks one")
    advertise: Annotated[str, AfterValidator(_place)] | None = Field(
        default=None, description="host:port at which other dispatchers reach this door; else where it listens"
    )
    message_bytes_max: CommandBytes = Field(
        default=4 * 1024 * 1024, description="the largest message taken; the largest command must fit through the door"
    )
    concurrent_max: Count = Field(default=1000, description="calls served at once")
    keepalive_seconds: Seconds = Field(default=60, description="how often an idle connection is asked whether it lives")
    ping_interval_seconds_min: Seconds = Field(default=10, description="how often a client may ask the same")
    drain_seconds: Seconds = Field(default=5, description="how long calls may go on after the stop began")
    reflection: bool = Field(default=True, description="whether clients may ask for the contract")


class Ingress(HttpPort):
    """The public port, where webhooks come in."""

    host: Host = Field(default="127.0.0.1", description="the address to listen on")
    port: Port = Field(default=8080, description="the port to listen on; 0 picks one")
    body_bytes_max: Bytes = Field(default=1024 * 1024, description="the largest body taken")
    body_seconds_max: Seconds = Field(default=5, description="how long a sender may take over a body")
    concurrent_max: Count = Field(default=256, description="webhooks in hand at once")
    signature_age_seconds_max: Seconds = Field(
        default=300, description="how far a signature's time may be off, both ways"
    )
    durable_seconds_max: Seconds = Field(default=10, description="how long making a webhook durable may take")
    spool: Annotated[Path, BeforeValidator(_named)] | None = Field(
        default=None,
        description="a folder of this ingress's own, for webhooks while the log cannot be written; else 503",
    )
    spool_bytes_max: Annotated[int, Field(ge=1024 * 1024, le=64 * 1024**3)] = Field(
        default=256 * 1024 * 1024, description="bytes of webhooks in the spool"
    )
    spool_after_seconds: Seconds = Field(default=1, description="how long the log is tried before the spool")
    remembered_ids_max: Count = Field(
        default=10_000, description="ids of durable events kept to answer repeats at once"
    )
    drain_seconds: Seconds = Field(default=5, description="how long webhooks in hand may take after the stop began")
    stop_seconds: Seconds = Field(default=15, description="how long the ingress's whole stop may take")


class Rest(HttpPort):
    """The REST door: Telnyx's own API, for callers inside."""

    host: Host = Field(default="127.0.0.1", description="the address to listen on")
    port: Port = Field(default=8081, description="the port to listen on; 0 picks one")
    # Base64 and escapes make JSON larger than the command in it.
    body_bytes_max: CommandBytes = Field(default=512 * 1024, description="the largest body of a command that is read")
    body_seconds_max: Seconds = Field(default=5, description="how long a caller may take over such a body")
    wait_seconds: Annotated[float, Field(ge=1, le=90, allow_inf_nan=False)] = Field(
        default=90, description="how long a caller waits for a result, unless it says that it will wait for less"
    )
    concurrent_max: Count = Field(default=1000, description="requests served at once")
    drain_seconds: Seconds = Field(default=5, description="how long requests may go on after the stop began")


class Operations(HttpPort):
    """The port for metrics and health."""

    host: Host = Field(default="127.0.0.1", description="the address to listen on")
    port: Port = Field(default=9464, description="the port to listen on; 0 picks one")
    check_seconds_max: Seconds = Field(default=2, description="how long one readiness check may take")


class Concurrency(Section):
    """Requests to Telnyx at once, per lane, of one worker."""

    urgent: Count = Field(default=64, description="requests at once in the lane of hangup, reject, answer and stops")
    action: Count = Field(default=256, description="requests at once in the lane of all other actions")
    dial: Count = Field(default=64, description="dials at once")


class Worker(Section):
    """The hands."""

    concurrency: Concurrency = Concurrency()
    connect_timeout_seconds: Seconds = Field(default=1, description="how long connecting to Telnyx may take")
    try_timeout_seconds: Seconds = Field(default=3, description="how long one request may take")
    # The page doubts a release after 15 s: by then its worker must have spoken.
    attempt_budget_seconds: Annotated[float, Field(gt=0, lt=15, allow_inf_nan=False)] = Field(
        default=10, description="how long all tries of one release may take together"
    )
    waiting_notice_seconds: Annotated[float, Field(gt=0, lt=15, allow_inf_nan=False)] = Field(
        default=5, description="after how long in the lane a worker says that it is waiting"
    )
    breaker_failures_max: Count = Field(
        default=20, description="after how many failed requests in a row Telnyx counts as away: only hangups are sent"
    )
    drain_seconds: Annotated[float, Field(gt=0, le=3, allow_inf_nan=False)] = Field(
        default=3, description="how long requests in flight may go on after the lane was taken away"
    )
    stall_seconds: StallSeconds = Field(
        default=30, description="after how long without a step, while work waits, a lane's partition counts as stalled"
    )
    stop_seconds: Seconds = Field(default=15, description="how long the worker's whole stop may take")


class Dispatcher(Section):
    """The brain."""

    call_memory_hours_after_end: Hours = Field(
        default=1, description="how long command ids are remembered after a call's end"
    )
    dial_memory_hours: Hours = Field(default=24, description="how long the command ids of dials are remembered")
    line_commands_max: Annotated[int, Field(ge=1, le=4096)] = Field(default=64, description="commands in one line")
    line_bytes_max: CommandBytes = Field(
        default=256 * 1024, description="bytes of commands in one line, which must hold at least one"
    )
    # The contract lets a command expire after 30 s, unless its sender says otherwise.
    sequence_wait_seconds: Annotated[float, Field(gt=0, lt=30, allow_inf_nan=False)] = Field(
        default=2, description="how long a command waits for an earlier sequence number; it must not expire meanwhile"
    )
    answered_wait_seconds: Seconds = Field(
        default=5, description="how long a line is held after answer for call.answered"
    )
    silent_call_ask_hours: Hours = Field(
        default=4, description="after how long Telnyx is asked whether a silent call lives; not if it is dropped before"
    )
    silent_call_drop_hours: Hours = Field(default=24, description="after how long a silent call is dropped")
    stall_seconds: StallSeconds = Field(
        default=30, description="after how long without a step, while inputs wait, a partition counts as stalled"
    )
    stop_seconds: Seconds = Field(default=15, description="how long the dispatcher's whole stop may take")


class Settings(BaseSettings):
    """All settings. Made by hand it reads nothing but its arguments; `load` reads file and environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    accounts: dict[AccountName, Account] = Field(default={}, description="Telnyx accounts by name")
    default_account: str | None = Field(default=None, description="the account of commands and webhooks that name none")
    identities: dict[IdentityName, Identity] = Field(
        default={}, description="who may ask, by name; with none, here or in identities_file, everybody may"
    )
    identities_file: ReadableFile | None = Field(
        default=None, description="a TOML file with more identities, read anew when it changes"
    )
    peers: Peers = Peers()
    log: Log = Log()
    kafka: Kafka = Kafka()
    sealing: Sealing = Sealing()
    grpc: Grpc = Grpc()
    ingress: Ingress = Ingress()
    rest: Rest = Rest()
    operations: Operations = Operations()
    worker: Worker = Worker()
    dispatcher: Dispatcher = Dispatcher()
    recorder: Recorder = Recorder()
    logging: Logging = Logging()
    tracing: Tracing = Tracing()
    tls: Tls = Tls()

    @model_validator(mode="after")
    def _relations(self) -> Settings:
        if failures := broken(self):
            raise RelationsBroken(failures, self)
        return self

    def account_or_default(self, name: str | None = None) -> str | None:
        """The account meant by a name or by none: the default, else the only one; None when there is no such."""
        if name:
            return name if name in self.accounts else None
        if self.default_account is not None:
            return self.default_account
        return next(iter(self.accounts)) if len(self.accounts) == 1 else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *ambient: PydanticBaseSettingsSource,
        **more_ambient: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then what `load` has read, in its order; never the ambient environment unasked."""
        return (init_settings, *(_Given(settings_cls, table) for table in _tables.get()))


Table = Mapping[str, Any]
_tables: Final[ContextVar[tuple[Table, ...]]] = ContextVar("settings_tables", default=())


@contextmanager
def settings_from(*tables: Table) -> Iterator[None]:
    """Let Settings made inside take their values from these tables; the first that has a value wins."""
    token = _tables.set(tables)
    try:
        yield
    finally:
        _tables.reset(token)


class _Given(PydanticBaseSettingsSource):
    """A table as a source."""

    def __init__(self, settings_cls: type[BaseSettings], table: Table) -> None:
        super().__init__(settings_cls)
        self._table = dict(table)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._table.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return self._table
