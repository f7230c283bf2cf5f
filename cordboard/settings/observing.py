"""What a process says of itself: its logs and its traces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Logging(BaseModel):
    """What is said, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json: a line of JSON each; text: for people; auto: text on a terminal, else json"
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least level that is said"
    )


class Tracing(BaseModel):
    """Traces, by OpenTelemetry."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    endpoint: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+$")] | None = Field(
        default=None,
        description="where spans are sent by OTLP over gRPC, such as http://collector:4317; none: no traces",
    )
    sample_ratio: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        default=1, description="the share kept of traces that begin here; those of senders are kept as they say"
    )
    service_name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,79}$")] = Field(
        default="cordboard", description="what the names of services in traces start with"
    )
