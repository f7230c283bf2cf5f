"""Values that make no sense, each with the sentence that refuses it; and some that do, with what comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.kubernetes.charts import Chart, Refused

_BY_LAG = {"worker": {"autoscaling": {"enabled": True}}}
_TLS = {"tls": {"certificate": {"secret": "c"}, "peerCa": {"secret": "c"}}}
# The shape (empty: the chart's own values alone), what is added to its values, and words of what must be said.
NONSENSE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("embedded", {"serve": {"replicas": 2}}, "serve.replicas: is 2, must be 1: the embedded log is one file"),
    ("embedded", {"settings": {"kafka": {"bootstrap_servers": "a:1"}}}, "settings.log.kind: must be kafka where"),
    ("", {}, "accounts: at least one is needed"),
    ("embedded", {"strimzi": {"enabled": True, "cluster": "c"}}, "strimzi.enabled: must be false"),
    ("embedded", {"ingress": {"spool": {"enabled": True}}}, "ingress.spool.enabled: must be false"),
    ("embedded", {"settings": {"log": {"partitons": 3}}}, "'partitons' not allowed"),
    ("embedded", {"settings": {"accounts": {}}}, "'accounts' not allowed"),
    ("embedded", {"accounts": {"main": {"settings": {"api_key": "KEY"}}}}, "'api_key' not allowed"),
    ("embedded", {"accounts": {"main": {"secret": {"name": "Not A Name"}}}}, "/accounts/main/secret/name"),
    ("kafka", {"settings": {"kafka": {"bootstrap_servers": None}}}, "settings.kafka.bootstrap_servers: must be set"),
    ("kafka", {"kafka": {"password": {"secret": None}}}, "kafka.password.secret: must name a Secret"),
    ("kafka", {"settings": {"kafka": {"security_protocol": "PLAINTEXT"}}}, "must be SSL or SASL_SSL where kafka.ca"),
    ("kafka", {"settings": {"default_account": "mian"}}, "settings.default_account: mian is none of the accounts"),
    ("kafka", {"dispatcher": {"autoscaling": {"maxReplicas": 17}}}, "is 17, must not exceed settings.log.partitions"),
    ("kafka", {"dispatcher": {"autoscaling": {"minReplicas": 9}}}, "is 9, must not exceed maxReplicas, which is 8"),
    ("kafka", {"accounts": {"main": {"secret": {"dialUrlSecret": None}}}}, "it seals the addresses of dials"),
    ("kafka", {"accounts": {"main": {"settings": {"public_url": None}}}}, "public_url: must be set where"),
    (
        "kafka",
        {"accounts": {"a" * 40: {"settings": {"webhook_public_key": "k"}, "secret": {"name": "s"}}}},
        "longer than",
    ),
    ("kafka", {"ingress": {"spool": {"enabled": True}}}, "leaves its webhooks on its volume"),
    ("kafka", {"ingress": {"route": {"host": ""}}}, "ingress.route.host: must be set"),
    ("kafka", {"recorder": {"enabled": True, "replicas": 2}}, "recorder.replicas: is 2, must be 1"),
    ("kafka", {"recorder": {"database": {"secret": None}}}, "recorder.database.secret: must name a Secret"),
    ("embedded", {"recorder": {"database": {"secret": "db"}}}, "is used only where recorder.enabled is true"),
    ("kafka", {"identities": {"secret": "who"}}, "peers.secret: must name a Secret where identities are"),
    ("kafka", {"strimzi": {"enabled": True}}, "strimzi.cluster: must be the name of a Kafka resource"),
    ("kafka", {"networkPolicies": {"clients": []}}, "/networkPolicies/clients"),
    ("kafka", {"tls": {"operations": True}}, "tls.certificate.secret: must name a Secret where tls.operations is set"),
    ("kafka", {"tls": {"clientCa": {"secret": "c"}}}, "must name a Secret where tls.clientCa is set"),
    ("kafka", {"tls": {"certificate": {"secret": "c"}}}, "dispatchers verify each other by it"),
    ("kafka", {"settings": {"tls": {}}}, "'tls' not allowed"),
    ("operators", {"settings": {"kafka": {"create_topics": True}}}, "create_topics: must be false"),
    ("operators", {"worker": {"autoscaling": {"minReplicas": 0}}}, "/worker/autoscaling/minReplicas"),
    ("operators", {"worker": {"autoscaling": {"maxReplicas": 17}}}, "more workers have no seat in a lane"),
    (
        "operators",
        {"settings": {"kafka": {"sasl_mechanism": "OAUTHBEARER"}}, "kafka": {"token": {"secret": "t"}}},
        "KEDA reads lag by PLAIN, SCRAM or a certificate",
    ),
)


# The shape, what is added to its values, and what must stand in the manifests.
SENSE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("kafka", {"settings": {"dispatcher": {"stop_seconds": 40}}}, "terminationGracePeriodSeconds: 55"),
    ("kafka", {"dispatcher": {"preStopSeconds": 30}}, "terminationGracePeriodSeconds: 55"),
    ("kafka", {"listen": "::"}, 'CORDBOARD_GRPC__ADVERTISE, value: "[$(POD_IP)]:50051"'),
    (
        "kafka",
        {"accounts": {"a-b": {"settings": {"webhook_public_key": "k"}, "secret": {"name": "s"}}}},
        "ACCOUNTS__A_B__",
    ),
    ("kafka", {"settings": {"worker": {"concurrency": {"dial": 8}}}}, "    [worker.concurrency]\n    dial = 8\n"),
    ("kafka", {"image": {"digest": f"sha256:{'a' * 64}"}}, f'image: "cordboard@sha256:{"a" * 64}"'),
    ("kafka", {"dispatcher": {"grpcProbes": False}}, "httpGet: {path: /readyz, port: operations}"),
    ("kafka", {}, "{name: rest, port: 8081, targetPort: rest"),
    ("kafka", {}, "name: cordboard-telnyx-dispatcher"),
    ("embedded", {}, "{name: rest, port: 8081, targetPort: rest"),
    ("embedded", {}, "CORDBOARD_RECORDER__PATH, value: /var/lib/cordboard/recorder.sqlite3"),
    ("kafka", {"networkPolicies": {"egress": [{"ports": [{"port": 4317}]}]}}, "    - ports:\n      - port: 4317"),
    ("kafka", {"recorder": {"database": {"secret": "db"}}}, "secretName: db"),
    ("kafka", {"settings": {"log": {"topic_prefix": "staging"}}, **_BY_LAG}, "topic: staging.work.main.action"),
    (
        "kafka",
        {"pods": {"tolerations": [{"key": "calls", "operator": "Exists"}]}},
        "tolerations:\n        - key: calls",
    ),
    ("kafka", {"networkPolicies": {"public": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}}, "cidr: 192.0.2.0/24"),
    ("kafka", _TLS, "httpGet: {path: /readyz, port: operations}"),
    ("kafka", _TLS, "CORDBOARD_TLS__PEER_CA_FILE, value: /run/secrets/cordboard/tls/peer-ca.crt"),
    ("embedded", {"tls": {"publicCertificate": {"secret": "p"}}}, "targetPort: webhooks, appProtocol: https"),
    ("operators", {"tls": {"peerName": "desks.example"}}, "CORDBOARD_TLS__PEER_NAME, value: desks.example"),
    ("operators", {"strimzi": {"apiVersion": "kafka.strimzi.io/v1beta2"}}, "apiVersion: kafka.strimzi.io/v1beta2"),
    ("embedded", {"serve": {"volume": {"accessMode": "ReadWriteOnce"}}}, "accessModes: [ReadWriteOnce]"),
)


def misunderstood(chart: Chart) -> Iterator[str]:
    """Those of which something else came."""
    for shape, values, words in SENSE:
        if words not in chart.template(shape, values):
            yield f"{shape} {values}: no {words!r}"


def taken(chart: Chart) -> Iterator[str]:
    """Those that were not refused, or not by the sentence that they should be."""
    for shape, values, words in NONSENSE:
        try:
            chart.template(shape, values)
        except Refused as refused:
            if words not in " ".join(str(refused).split()):
                yield f"{shape} {values}: {refused}"
        else:
            yield f"{shape} {values}: taken"
