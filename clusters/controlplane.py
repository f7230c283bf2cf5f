"""The control plane as plain processes on loopback, and the nodes on which it believes to run pods.

What is real: admission, validation, defaulting, controllers, scheduling, evictions. What is not: kubelets. KWOK says in
their stead that pods run and are ready, so no probe is asked and no container started.
"""

from __future__ import annotations

import json
import secrets
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from brokers.ports import free_ports
from clusters.kubectl import Kubectl
from clusters.process import Program
from clusters.tools import KWOK, Missing, etcd, folder, program

_READY_SECONDS: Final = 120
_STAGES: Final = ("node/fast", "node/heartbeat", "pod/fast")


class ControlPlane:
    """A cluster. `with` starts it and ends it; `kubectl` speaks to it."""

    def __init__(self, at: Path) -> None:
        """Prepare; its files are kept in the folder, which must be there and empty."""
        self._at = at
        self._programs: list[Program] = []
        self._token = secrets.token_hex(16)
        self._etcd, self._peers, self._api, self._controllers, self._scheduler, self._kwok = free_ports(6)
        self.kubectl = Kubectl(program("kubectl"), at / "kubeconfig")

    def __enter__(self) -> Self:
        """Start all of it. Raises Missing, and TimeoutError where the API server does not get ready."""
        try:
            self._write_keys()
            self._start("etcd", etcd(), *self._etcd_words())
            self._start("kube-apiserver", program("kube-apiserver"), *self._api_words())
            self._wait_until_ready()
            self._start("kube-controller-manager", program("kube-controller-manager"), *self._controller_words())
            self._start("kube-scheduler", program("kube-scheduler"), *self._client_words(self._scheduler))
            self._start("kwok", program("kwok"), *self._kwok_words())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End its processes, the last one first."""
        for started in reversed(self._programs):
            started.stop()
        self._programs.clear()

    @property
    def pids(self) -> dict[str, int]:
        """Its processes by name."""
        return {started.name: started.pid for started in self._programs}

    def must_live(self) -> None:
        """Raise Missing where one of its processes has ended by itself, with its last words."""
        for started in self._programs:
            if not started.lives:
                raise Missing(f"{started.name} ended by itself:\n{started.last_words}")

    def add_node(self, name: str, zone: str) -> None:
        """A node that KWOK plays."""
        host = {"cpu": "16", "memory": "64Gi", "pods": "110"}
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone},
            },
            "status": {"capacity": host, "allocatable": host},
        }
        self.kubectl("create", "-f", "-", given=json.dumps(node))

    def add_volume(self, name: str) -> None:
        """A volume that a claim without a class finds."""
        specification = {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOncePod"],
            "hostPath": {"path": f"/volumes/{name}"},
        }
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": specification}
        self.kubectl("create", "-f", "-", given=json.dumps(volume))

    def _start(self, name: str, *command: str) -> None:
        self._programs.append(Program(name, command, self._at))

    def _write_keys(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (self._at / "accounts.key").write_bytes(key.private_bytes(*private))
        (self._at / "tokens.csv").write_text(f"{self._token},admin,admin,system:masters\n")
        for name in ("accounts.key", "tokens.csv"):
            (self._at / name).chmod(0o600)
        # The server's certificate is its own making: on loopback there is nobody between.
        cluster = {"server": f"https://127.0.0.1:{self._api}", "insecure-skip-tls-verify": True}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
            "current-context": "here",
        }
        self.kubectl.config.write_text(json.dumps(config))
        self.kubectl.config.chmod(0o600)

    def _etcd_words(self) -> list[str]:
        clients, peers = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{self._peers}"
        listening = [f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}"]
        among_peers = [f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}"]
        return [*listening, *among_peers, f"--initial-cluster=default={peers}", "--data-dir=etcd", "--unsafe-no-fsync"]

    def _api_words(self) -> list[str]:
        key = self._at / "accounts.key"
        accounts = [f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"]
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd}",
            f"--cert-dir={self._at / 'certificates'}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._api}",
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--service-account-issuer=https://127.0.0.1:{self._api}",
            *accounts,
            f"--token-auth-file={self._at / 'tokens.csv'}",
            "--authorization-mode=RBAC",
        ]

    def _controller_words(self) -> list[str]:
        # Nobody asks for certificates here; and a node that KWOK plays is never away.
        but = ("certificatesigningrequest-signing", "certificatesigningrequest-approving", "bootstrap-signer")
        return [
            *self._client_words(self._controllers),
            f"--service-account-private-key-file={self._at / 'accounts.key'}",
            f"--controllers=*,{','.join(f'-{name}-controller' for name in but)}",
        ]

    def _client_words(self, port: int) -> list[str]:
        return [
            f"--kubeconfig={self.kubectl.config}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
        ]

    def _kwok_words(self) -> list[str]:
        stages = folder(KWOK) / "kustomize" / "stage"
        files = [
            path for name in _STAGES for path in sorted((stages / name).glob("*.yaml")) if path.stem != "kustomization"
        ]
        config = self._at / "kwok.yaml"
        config.write_text("\n---\n".join(path.read_text() for path in files))
        return [
            f"--config={config}",
            f"--kubeconfig={self.kubectl.config}",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            f"--node-port={self._kwok}",
            f"--server-address=127.0.0.1:{self._kwok}",
        ]

    def _wait_until_ready(self) -> None:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        address, headers = f"https://127.0.0.1:{self._api}/readyz", {"Authorization": f"Bearer {self._token}"}
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            self.must_live()
            try:
                with urllib.request.urlopen(urllib.request.Request(address, headers=headers), context=trusting):
                    return
            except OSError:  # Refused, or not yet ready.
                time.sleep(0.3)
        raise TimeoutError(f"the API server was not ready within {_READY_SECONDS} s:\n{self._programs[-1].last_words}")
