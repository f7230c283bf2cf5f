"""The chart's values as types, from which values.schema.json is made: a misspelt name is refused by helm itself."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cordboard.settings.account import AccountName

Seconds = Annotated[int, Field(ge=0, le=86_400)]
Replicas = Annotated[int, Field(ge=1, le=1000)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Key = Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
Quantity = Annotated[str | int, Field(description="as Kubernetes writes quantities, such as 10Gi")]
# What Kubernetes itself checks: passed on as it is.
Objects = list[dict[str, Any]]
Labels = dict[str, str]


class Values(BaseModel):
    """A table of values, strict about names."""

    model_config = ConfigDict(extra="forbid")


class Image(Values):
    """Which image all pods run."""

    repository: Annotated[str, Field(min_length=1)]
    tag: str
    digest: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
    pullPolicy: Literal["Always", "IfNotPresent", "Never"]
    pullSecrets: list[dict[str, str]]


class SecretKey(Values):
    """One key of a Secret; none where it is left out."""

    secret: Name | None = None
    key: Key | None = None


class Certificate(Values):
    """A certificate and its key, in one Secret."""

    secret: Name | None = None
    certificateKey: Key | None = None
    keyKey: Key | None = None


class KafkaSecrets(Values):
    """What opens Kafka."""

    password: SecretKey
    token: SecretKey
    ca: SecretKey
    certificate: Certificate


class Tls(Values):
    """TLS of the processes' own ports."""

    certificate: Certificate
    clientCa: SecretKey
    peerCa: SecretKey
    peerName: str
    operations: bool
    publicCertificate: Certificate


class Switch(Values):
    """On or off."""

    enabled: bool


class ByCpu(Values):
    """Scaling by an HPA."""

    enabled: bool
    minReplicas: Replicas
    maxReplicas: Replicas
    cpuPercent: Annotated[int, Field(ge=10, le=95)]


class ByLag(Values):
    """Scaling by KEDA: never to none, because a hangup would wait for a process to start."""

    enabled: bool
    minReplicas: Replicas
    maxReplicas: Replicas
    lag: Annotated[int, Field(ge=1)]


class SomeByLag(Values):
    """The same, of which one pool may set some."""

    enabled: bool | None = None
    minReplicas: Replicas | None = None
    maxReplicas: Replicas | None = None
    lag: Annotated[int, Field(ge=1)] | None = None


class Part(Values):
    """What all roles have."""

    replicas: Replicas
    startupSeconds: Seconds
    preStopSeconds: Seconds
    resources: dict[str, dict[str, Quantity]]
    env: Objects


class Dispatcher(Part):
    """The brain."""

    autoscaling: ByCpu
    grpcProbes: bool
    rest: Switch


class Worker(Part):
    """The hands."""

    autoscaling: ByLag


class OnePool(Values):
    """What is other for one account's workers."""

    replicas: Replicas | None = None
    startupSeconds: Seconds | None = None
    preStopSeconds: Seconds | None = None
    resources: dict[str, dict[str, Quantity]] | None = None
    env: Objects | None = None
    autoscaling: SomeByLag | None = None


class Volume(Values):
    """A volume that is claimed."""

    size: Quantity
    storageClass: str
    accessMode: Literal["ReadWriteOncePod", "ReadWriteOnce"]


class Spool(Volume):
    """Where webhooks are kept while the log is away."""

    enabled: bool


class Route(Values):
    """An Ingress of Kubernetes."""

    enabled: bool
    className: str
    host: str
    tlsSecret: str
    annotations: Labels


class Ingress(Part):
    """The public port."""

    autoscaling: ByCpu
    spool: Spool
    route: Route


class Serve(Part):
    """All roles in one."""

    volume: Volume


class Recorder(Part):
    """The memory."""

    enabled: bool
    database: SecretKey


class AccountSecret(Values):
    """An account's Secret, and what its keys hold."""

    name: Name
    apiKey: Key | None = None
    dialUrlSecret: Key | None = None
    forwardUrl: Key | None = None


class Account(Values):
    """A Telnyx account and the pool that works for it. Its settings' schema is the product's."""

    settings: dict[str, Any]
    secret: AccountSecret
    worker: OnePool | None = None


class Pods(Values):
    """Of all pods."""

    annotations: Labels
    labels: Labels
    nodeSelector: Labels
    tolerations: Objects
    affinity: dict[str, Any]
    priorityClassName: str


class Network(Values):
    """Which flows there are."""

    enabled: bool
    clients: Annotated[Objects, Field(min_length=1)]
    monitoring: Annotated[Objects, Field(min_length=1)]
    public: Objects
    dns: Annotated[Objects, Field(min_length=1)]
    kafka: Objects
    kafkaPorts: Annotated[list[Port], Field(min_length=1)]
    telnyx: Objects
    telnyxPorts: Annotated[list[Port], Field(min_length=1)]
    egress: Objects
    database: Objects
    databasePorts: Annotated[list[Port], Field(min_length=1)]


class Strimzi(Values):
    """What Strimzi's operators make."""

    enabled: bool
    apiVersion: Annotated[str, Field(pattern=r"^kafka\.strimzi\.io/v1(beta2)?$")]
    cluster: str
    namespace: str
    user: Literal["scram-sha-512", "tls", "none"]


class Monitoring(Values):
    """What the Prometheus operator reads."""

    enabled: bool
    interval: Annotated[str, Field(pattern=r"^[0-9]+(ms|s|m)$")]
    labels: Labels
    rules: bool


class Chart(Values):
    """The values of the chart. The schema of `settings` is the product's."""

    image: Image
    settings: dict[str, Any]
    kafka: KafkaSecrets
    tls: Tls
    sealing: SecretKey
    accounts: dict[AccountName, Account]
    identities: SecretKey
    peers: SecretKey
    listen: Literal["0.0.0.0", "::"]  # noqa: S104 - what may be chosen, not what is bound
    dispatcher: Dispatcher
    worker: Worker
    ingress: Ingress
    serve: Serve
    recorder: Recorder
    pods: Pods
    disruptionBudgets: Switch
    networkPolicies: Network
    strimzi: Strimzi
    monitoring: Monitoring
    # Helm's own, for charts that are parts of others.
    globals: dict[str, Any] = Field(default={}, alias="global")
