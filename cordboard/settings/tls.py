"""TLS of this process's ports: the certificates that it shows, and whom it lets in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from cordboard.settings.secret import ReadableFile
from cordboard.tls.identity import Files, Unfit, read
from cordboard.tls.names import Names

if TYPE_CHECKING:
    from cordboard.settings.model import Settings

# The settings that a rule speaks of, the first one at fault, and what must be.
Failing = tuple[tuple[str, ...], str]
_NEED_A_CERTIFICATE: Final = ("key_file", "client_ca_file", "peer_ca_file", "peer_name", "operations")


class Tls(BaseModel):
    """TLS of the gRPC door, the REST door and, if wanted, the operations port; and of the public port, by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    certificate_file: ReadableFile | None = Field(
        default=None, description="our certificate and its chain, in PEM; set: the doors serve TLS, and nothing else"
    )
    key_file: ReadableFile | None = Field(default=None, description="our certificate's private key, in PEM")
    client_ca_file: ReadableFile | None = Field(
        default=None, description="who vouches for clients, in PEM; set: the doors let nobody in without a certificate"
    )
    peer_ca_file: ReadableFile | None = Field(
        default=None, description="who vouches for the other dispatchers, in PEM; else client_ca_file"
    )
    peer_name: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(
        default=None, description="a DNS name that every dispatcher's certificate has, and no client's"
    )
    operations: bool = Field(
        default=False, description="whether the operations port serves TLS too; it asks nobody for a certificate"
    )
    public_certificate_file: ReadableFile | None = Field(
        default=None,
        description="the webhook port's certificate and its chain, in PEM, where no proxy before it has TLS",
    )
    public_key_file: ReadableFile | None = Field(default=None, description="the webhook port's private key, in PEM")

    @property
    def files(self) -> Files | None:
        """Those of the doors, where they serve TLS."""
        if self.certificate_file is None or self.key_file is None:
            return None
        return Files(self.certificate_file, self.key_file, self.client_ca_file, self.peer_ca_file)

    @property
    def public_files(self) -> Files | None:
        """Those of the webhook port, where it serves TLS."""
        if self.public_certificate_file is None or self.public_key_file is None:
            return None
        return Files(self.public_certificate_file, self.public_key_file)


def misfits(settings: Settings) -> Iterator[Failing]:
    """What is wrong with the certificates that these settings name."""
    chosen = settings.tls
    for name in _NEED_A_CERTIFICATE:
        if chosen.certificate_file is None and getattr(chosen, name):
            yield ("tls.certificate_file", f"tls.{name}"), f"must be set where tls.{name} is"
    if chosen.public_certificate_file is None and chosen.public_key_file is not None:
        yield ("tls.public_certificate_file", "tls.public_key_file"), "must be set where tls.public_key_file is"
    for prefix, files in (("tls.", chosen.files), ("tls.public_", chosen.public_files)):
        certificate, key = f"{prefix}certificate_file", f"{prefix}key_file"
        if files is not None:
            yield from _unfit(prefix, files)
        elif getattr(chosen, certificate.removeprefix("tls.")) is not None:
            yield (key, certificate), f"must be set where {certificate} is"


def unreached(settings: Settings) -> Iterator[Failing]:
    """Why other dispatchers would not believe that this process, a dispatcher, is the one that they ask."""
    names, wanted, place = _names(settings.tls.files), settings.tls.peer_name, settings.grpc.advertise
    if names is None:
        return
    if wanted is not None and wanted not in names.dns:
        yield ("tls.peer_name", "tls.certificate_file"), f"must be a DNS name in the certificate, which is for {names}"
    elif wanted is None and place is not None and not names.cover(place.rpartition(":")[0]):
        sentence = f"(or tls.peer_name) must be a name in the certificate, which is for {names}: peers verify it"
        yield ("grpc.advertise", "tls.peer_name", "tls.certificate_file"), sentence


def _unfit(prefix: str, files: Files) -> Iterator[Failing]:
    try:
        read(files)
    except Unfit as error:
        yield (f"{prefix}{error.part}",), error.must


def _names(files: Files | None) -> Names | None:
    try:
        return None if files is None else read(files).names
    except Unfit:
        return None  # Said of the files themselves.
