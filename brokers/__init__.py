"""Real Kafka brokers as plain processes, for development, tests and benchmarks, without a container engine.

`Cluster` is the way in. What it runs is Apache Kafka as `pom.xml` pins it, in combined mode (each node is broker and
controller), listening on loopback only. It imports nothing of Cordboard.
"""

from brokers.cluster import Cluster
from brokers.jars import Missing
from brokers.node import BrokerFailed, Node
from brokers.tuning import QUICK, THROUGHPUT, Tuning

__all__ = ["QUICK", "THROUGHPUT", "BrokerFailed", "Cluster", "Missing", "Node", "Tuning"]
