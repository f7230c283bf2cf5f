"""By what dispatchers know each other when they ask for pages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from cordboard.settings.secret import LongSecret, LongSecretFile, given


class Peers(BaseModel):
    """The questions of dispatchers among themselves, on the port of the gRPC door."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: LongSecret | None = Field(
        default=None, description="what all dispatchers of a deployment show each other; else whoever reaches the port"
    )
    secret_file: LongSecretFile | None = Field(default=None, description="a file that holds that secret, read anew")

    def read_secret(self) -> str | None:
        """The secret, or None. Raises OSError, or ValueError, where its file cannot be read now."""
        return given(self.secret, self.secret_file)
