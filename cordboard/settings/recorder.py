"""Where what happened is recorded, for how long, and how much of it is to be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from cordboard.settings.secret import Secret, SecretFile, given


def _database(value: SecretStr) -> SecretStr:
    """Check an address; messages never repeat it, because it may hold a password."""
    if not is_database(value.get_secret_value()):
        raise ValueError("must be a whole address such as postgresql://cordboard@db.example:5432/cordboard")
    return value


def is_database(text: str) -> bool:
    """Whether a text is the address of a PostgreSQL database."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"postgresql", "postgres"} and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        return False


class Recorder(BaseModel):
    """The memory. Dispatchers read by the same settings what the recorder writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["none", "sqlite", "postgresql"] = Field(
        default="none", description="none: nothing is recorded; sqlite: a file, on one machine; postgresql: a database"
    )
    path: Path = Field(default=Path(".cordboard/recorder.sqlite3"), description="the file, where kind is sqlite")
    url: Annotated[Secret, AfterValidator(_database)] | None = Field(
        default=None, description="the database's address, where kind is postgresql; it may hold a password"
    )
    url_file: SecretFile | None = Field(default=None, description="a file that holds the database's address")
    keep_days: Annotated[float, Field(gt=0, le=3650, allow_inf_nan=False)] = Field(
        default=30, description="how long a call is kept after the last that was recorded of it"
    )
    numbers_in_full: bool = Field(default=False, description="record telephone numbers whole; else but for their ends")
    batch_records_max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=1000, description="records in one transaction"
    )
    stop_seconds: Annotated[float, Field(ge=5, le=86_400, allow_inf_nan=False)] = Field(
        default=10, description="how long the recorder's whole stop may take"
    )

    def read_url(self) -> str | None:
        """The database's address, or None; a file is read anew each time. Raises OSError, and ValueError."""
        return given(self.url, self.url_file)
