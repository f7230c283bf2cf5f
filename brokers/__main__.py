"""`python -m brokers`: a Kafka for development, on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from brokers import jars
from brokers.cluster import Cluster
from brokers.jars import Missing
from brokers.node import BrokerFailed
from brokers.tuning import QUICK, THROUGHPUT

_LOOK_SECONDS = 1.0


def main() -> int:
    """Serve, and return the exit status."""
    asked = _arguments()
    if asked.fetch:
        return _fetch()
    ports = range(asked.port, asked.port + 2 * asked.nodes) if asked.port else ()
    tuning = THROUGHPUT if asked.throughput else QUICK
    cluster = Cluster(asked.data, nodes=asked.nodes, tuning=tuning, ports=ports)
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_end.set())
    try:
        cluster.start()
    except (Missing, BrokerFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _say(f"kafka: {cluster.bootstrap_servers}")
    _say(f"kafka: data and logs in {_short(asked.data)}; Ctrl-C ends it")
    while not asked_to_end.wait(_LOOK_SECONDS):
        if dead := [node for node in cluster.nodes if not node.alive]:
            sys.stderr.write(f"kafka: a broker has ended by itself:\n{dead[0].log()}\n")
            cluster.stop()
            return 1
    cluster.stop()
    return 0


def _fetch() -> int:
    try:
        jars.java()
        jars.classpath()
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m brokers", description=__doc__)
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="brokers (default %(default)s)")
    parser.add_argument(
        "--port", type=int, default=9092, help="of the first broker; each has this and the next one; 0: free ones"
    )
    parser.add_argument("--data", type=Path, default=Path(".cordboard/kafka"), help="where data and logs are kept")
    parser.add_argument("--throughput", action="store_true", help="a large heap and the optimizing compiler")
    parser.add_argument("--fetch", action="store_true", help="only see that Java and Kafka's jars are there")
    return parser.parse_args()


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
