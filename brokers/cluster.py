"""A cluster of one or three brokers: formatted, started, looked at, ended."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from brokers import jars
from brokers.listeners import Listener
from brokers.node import BrokerFailed, Node
from brokers.ports import free_ports, taken
from brokers.properties import CONTROLLER, HOST, PLAIN, Plan, server_properties
from brokers.tuning import QUICK, Tuning

_CLUSTER_ID: Final = "cluster-id"
_PORT_TAKEN: Final = "Address already in use"
_STARTS_MAX: Final = 3
# The tool that formats lives for a second.
_SHORT_LIVED: Final = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class Cluster:
    """Brokers with their data in a folder, which end with the process that started them, however that ends.

    `async` code that cannot stand still for seconds calls `start` and the nodes' `restart` in a thread. With `ports`
    the nodes have these (two each: for clients, among controllers), else free ones; a node keeps them over a restart.
    `forget`: the folder is removed in the end. `properties` are further lines of every server.properties.
    """

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 1,
        tuning: Tuning = QUICK,
        listeners: Sequence[Listener] = (),
        properties: Mapping[str, str] | None = None,
        ports: Sequence[int] = (),
        forget: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.nodes: tuple[Node, ...] = ()
        self.lock_file = self.folder / "users"
        self._count = nodes
        self._tuning = tuning
        self._listeners = tuple(listeners)
        self._properties = dict(properties or {})
        self._ports = tuple(ports)
        self._forget = forget
        self._lock: int | None = None
        self._plans: list[Plan] = []

    @property
    def bootstrap_servers(self) -> str:
        """Where clients begin, without TLS or passwords: host:port, with commas."""
        return self.servers_of(PLAIN)

    def servers_of(self, listener: str) -> str:
        """The same for a further listener, by its name."""
        return ",".join(f"{HOST}:{plan.ports[listener]}" for plan in self._plans)

    def node(self, number: int) -> Node:
        """A node by its number, which is its id in Kafka's metadata."""
        return self.nodes[number - 1]

    def start(self) -> None:
        """Format what is new, start all nodes at once, and return when all serve. Raises Missing, BrokerFailed."""
        java = [jars.java(), "-cp", jars.classpath()]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check()
        self._hold()
        for tries_left in reversed(range(_STARTS_MAX)):
            try:
                self._start(java)
                return
            except BrokerFailed as failed:
                self.kill()
                if self._ports or not tries_left or _PORT_TAKEN not in str(failed):
                    self.leave()
                    raise

    def kill(self) -> None:
        """End all nodes at once, as kill -9 does; the data stay."""
        for node in self.nodes:
            node.kill()

    def stop(self) -> None:
        """End all nodes in order, so that the next start has nothing to repair."""
        # All at once: one that is left alone waits in vain for a majority of controllers that would let it go.
        for node in self.nodes:
            node.ask_to_stop()
        for node in self.nodes:
            node.stop()
        self.leave()

    def leave(self) -> None:
        """Let go: the brokers end by themselves once nobody else holds the lock file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def logs(self) -> str:
        """The ends of all logs, for a test that failed."""
        return "\n".join(f"--- {node!r}\n{node.log()}" for node in self.nodes)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.leave()
        if self._forget:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self) -> None:
        if held := taken(self._ports):
            raise BrokerFailed(f"somebody listens on port {', '.join(map(str, held))} already: choose other ports")
        made = len(list(self.folder.glob("node-*/data/meta.properties")))
        if made not in (0, self._count):
            raise BrokerFailed(
                f"the data in {self.folder} are those of {made} brokers, and {self._count} are asked for: "
                f"ask for {made}, or for another folder"
            )

    def _start(self, java: list[str]) -> None:
        self._plans = self._planned()
        self.nodes = tuple(self._node(plan, java) for plan in self._plans)
        self._format(java)
        for node in self.nodes:
            node.start(self.folder if self._forget else None)
        for node in self.nodes:
            node.wait_until_up()

    def _planned(self) -> list[Plan]:
        names = (PLAIN, CONTROLLER, *(listener.name for listener in self._listeners))
        ports = iter(self._ports or free_ports(self._count * len(names)))
        return [
            Plan(number, self._place(number) / "data", {name: next(ports) for name in names})
            for number in range(1, self._count + 1)
        ]

    def _place(self, number: int) -> Path:
        return self.folder / f"node-{number}"

    def _node(self, plan: Plan, java: list[str]) -> Node:
        properties = self._place(plan.number) / "server.properties"
        properties.parent.mkdir(parents=True, exist_ok=True)
        properties.write_text(server_properties(plan, self._plans, self._listeners, self._properties))
        command = [java[0], *self._tuning.arguments, *java[1:]]
        return Node(plan.number, f"{HOST}:{plan.ports[PLAIN]}", command, properties, self.lock_file)

    def _format(self, java: list[str]) -> None:
        """Make the folders of new nodes; those that have data are left as they are."""
        new = [plan for plan in self._plans if not (plan.data / "meta.properties").exists()]
        users = [word for listener in self._listeners for word in listener.scram_credentials()]
        tool = [java[0], *_SHORT_LIVED, *java[1:], "kafka.tools.StorageTool", "format", "-t", self._cluster_id()]
        tool += [word for user in users for word in ("--add-scram", user)]
        running = [
            subprocess.Popen(
                [*tool, "-c", str(self._place(plan.number) / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for plan in new
        ]
        for one in running:
            said, _ = one.communicate()
            if one.returncode != 0:
                raise BrokerFailed(f"the data of a broker could not be made in {self.folder}:\n{said[-2000:]}")

    def _cluster_id(self) -> str:
        file = self.folder / _CLUSTER_ID
        if not file.exists():
            # A letter first: one in 64 ids would begin with a dash, which the tool that formats takes for an option.
            file.write_text("c" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:])
        return file.read_text()

    def _hold(self) -> None:
        if self._lock is None:
            self._lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_SH)
