"""TLS of the gRPC port and of the questions to other dispatchers, by certificates that may be renewed meanwhile.

A dispatcher asks by the certificate that it serves with. So one that asks is told from a client by the names that the
others' certificates have too: `peer_name`, where that is set, else all the names of one's own.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import grpc
import grpc.aio

from cordboard.settings import Grpc
from cordboard.tls.identity import Identity
from cordboard.tls.renewing import Renewing
from dispatcher.rpc.certificate import names_of_caller
from dispatcher.rpc.channels import Connect, channel_options, insecure


class Encryption(Protocol):
    """What a gRPC server and its channels to peers want to know."""

    def credentials(self) -> grpc.ServerCredentials | None:
        """For one port of one server; None: it is without encryption."""

    def connect(self, settings: Grpc) -> Connect:
        """Opens channels to peers."""

    def shown(self) -> object:
        """What channels show and trust now: another object once they are to be opened anew."""

    @property
    def tells_peers(self) -> bool:
        """Whether dispatchers can be told from others at all."""

    def is_peer(self, context: Any) -> bool:
        """Whether who calls is a dispatcher."""


class InTheClear:
    """None: whoever reaches the port may ask all."""

    def credentials(self) -> None:
        """There are none."""

    def connect(self, settings: Grpc) -> Connect:
        """Without encryption, too."""
        return insecure(settings)

    def shown(self) -> None:
        """Nothing ever."""

    @property
    def tells_peers(self) -> bool:
        """They cannot."""
        return False

    def is_peer(self, context: Any) -> bool:
        """Nobody can be told from another."""
        return True


IN_THE_CLEAR: Final = InTheClear()


class Encrypted:
    """TLS by an identity that may be renewed. `peer_name` is a DNS name that dispatchers alone have."""

    def __init__(self, own: Renewing, peer_name: str | None = None) -> None:
        self._own = own
        self._peer_name = peer_name

    def credentials(self) -> grpc.ServerCredentials:
        """gRPC asks at each handshake whether they were renewed, in a thread of its own."""
        given = self._own.current()

        def renewed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal given
            current = self._own.current()
            if current is given:
                return None
            given = current
            return _configuration(current)

        first, asks = _configuration(given), given.client_authorities is not None
        return grpc.dynamic_ssl_server_credentials(first, renewed, asks)  # type: ignore[arg-type] # None: unchanged

    def connect(self, settings: Grpc) -> Connect:
        """By what is current when a channel is opened."""
        options = channel_options(settings)
        if self._peer_name is not None:
            options.append(("grpc.ssl_target_name_override", self._peer_name))

        def connect(name: str) -> grpc.aio.Channel:
            own = self._own.current()
            authorities = own.peer_authorities or own.client_authorities
            credentials = grpc.ssl_channel_credentials(authorities, own.key, own.chain)
            return grpc.aio.secure_channel(name, credentials, options=options)

        return connect

    def shown(self) -> object:
        """The identity of now."""
        return self._own.current()

    @property
    def tells_peers(self) -> bool:
        """Where everybody is asked for a certificate."""
        return self._own.current().client_authorities is not None

    def is_peer(self, context: Any) -> bool:
        """By its names. Where nobody is asked for a certificate, nobody can be told from another."""
        own = self._own.current()
        if own.client_authorities is None:
            return True
        names = names_of_caller(context)
        if names is None:
            return False
        return self._peer_name in names.dns if self._peer_name is not None else names.every == own.names.every


def _configuration(identity: Identity) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(identity.key, identity.chain)], identity.client_authorities)
