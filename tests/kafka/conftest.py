"""A broker that lets in only who shows a password, a token or a certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brokers import Cluster
from brokers.certificates import Certificates, make_certificates
from brokers.listeners import Listener
from cordboard.log.kafka.connection import Connection

USER, PASSWORD = "desk", "the-right-one"


@dataclass(frozen=True)
class Guarded:
    """Its listeners: SASL over TLS, TLS with client certificates, SASL in the clear, and one that asks nothing."""

    cluster: Cluster
    certificates: Certificates
    others: Certificates

    def sasl(self, mechanism: str, **more: Any) -> Connection:
        """A way in by a mechanism; the password is right unless another is given."""
        said: dict[str, Any] = {
            "bootstrap_servers": self.cluster.servers_of("SASL"),
            "security_protocol": "SASL_SSL",
            "ca_file": self.certificates.authority_file,
            "sasl_mechanism": mechanism,
            "sasl_username": USER,
            "sasl_password": lambda: PASSWORD,
        }
        return Connection(**(said | more))

    def mutual(self, **more: Any) -> Connection:
        """A way in by our certificate."""
        said: dict[str, Any] = {
            "bootstrap_servers": self.cluster.servers_of("MUTUAL"),
            "security_protocol": "SSL",
            "ca_file": self.certificates.authority_file,
            "certificate_file": self.certificates.client_file,
            "key_file": self.certificates.client_key_file,
            "key_password": self.certificates.client_password,
        }
        return Connection(**(said | more))


@pytest.fixture(scope="session")
def guarded(own_brokers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One for each process of the run."""
    folder: Path = tmp_path_factory.mktemp("guarded")
    certificates = make_certificates(folder / "ours")
    listeners = [
        Listener(name="SASL", protocol="SASL_SSL", certificates=certificates, users={USER: PASSWORD}),
        Listener(name="MUTUAL", protocol="SSL", certificates=certificates, client_certificates=True),
        Listener(name="CLEAR", protocol="SASL_PLAINTEXT", users={USER: PASSWORD}),
    ]
    with Cluster(folder / "kafka", listeners=listeners, forget=True) as cluster:
        yield Guarded(cluster, certificates, make_certificates(folder / "others"))
