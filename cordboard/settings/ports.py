"""What bounds the connections to a port, whoever is at their other ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cordboard.http_connection import Bounds

Connections = Annotated[int, Field(ge=1, le=1_000_000)]
Idle = Annotated[float, Field(ge=1, le=86_400, allow_inf_nan=False)]


class HttpPort(BaseModel):
    """A port for HTTP."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    connections_max: Connections = Field(default=4096, description="connections at once; more are closed with 503")
    # Behind a balancer all come from its address; elsewhere nobody alone should be able to fill the port.
    connections_per_peer_max: Connections = Field(
        default=2048, description="connections at once from one address (IPv6: one /64); more are closed with 503"
    )
    idle_seconds_max: Idle = Field(
        default=75, description="how long a connection may rest between requests: longer than a balancer keeps it"
    )

    def bounds(self) -> Bounds:
        """The bounds of its connections."""
        return Bounds(
            connections_max=self.connections_max,
            connections_per_peer_max=self.connections_per_peer_max,
            idle_seconds_max=self.idle_seconds_max,
        )


class GrpcPort(BaseModel):
    """A port for gRPC. Calls that one connection carries beyond `streams_max` wait at their sender."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    connections_max: Annotated[int, Field(ge=8, le=1_000_000)] = Field(
        default=4096, description="connections at once; more are closed"
    )
    streams_max: Connections = Field(default=1000, description="calls at once of one connection; more wait")
    metadata_bytes_max: Annotated[int, Field(ge=1024, le=1024 * 1024)] = Field(
        default=16 * 1024, description="bytes of a call's metadata; more is RESOURCE_EXHAUSTED"
    )
    handshake_seconds_max: Annotated[float, Field(ge=0.1, le=120, allow_inf_nan=False)] = Field(
        default=10, description="how long a connection may take to begin, TLS included"
    )
    idle_seconds_max: Idle = Field(default=3600, description="how long a connection may rest without a call")
