"""How to reach a Kafka cluster (a stand-in until the real one is merged)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where the brokers are."""

    bootstrap_servers: str
    client_id: str = "cordboard"

    def arguments(self) -> dict[str, Any]:
        """What every aiokafka client takes."""
        return {"bootstrap_servers": self.bootstrap_servers, "client_id": self.client_id}
