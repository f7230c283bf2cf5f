"""What a call shows of who makes it, over real connections: a token, or a certificate that TLS has verified."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from brokers.certificates import Certificates, make_certificates
from cordboard.access import Proof, hash_of
from cordboard.v1 import GetCallRequest, GetCallResponse
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from dispatcher.rpc.callers import proof_of
from tests.client.test_security import pair_in


class Door(stubs.DispatcherServiceServicer):
    """Keeps what the last call showed."""

    shown: Proof | None = None

    async def GetCall(self, request: Any, context: Any) -> GetCallResponse:  # noqa: N802 - named as in the contract
        self.shown = proof_of(context)
        return GetCallResponse()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def door(certificates: Certificates) -> AsyncIterator[tuple[Door, str]]:
    servicer, server, authority = Door(), grpc.aio.server(), certificates.authority_file.read_bytes()
    stubs.add_DispatcherServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call] # generated
    credentials = grpc.ssl_server_credentials([pair_in(certificates)], authority, require_client_auth=True)
    port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    try:
        yield servicer, f"localhost:{port}"
    finally:
        await server.stop(0)


def channel_of(certificates: Certificates, target: str) -> grpc.aio.Channel:
    key = load_pem_private_key(certificates.client_key_file.read_bytes(), certificates.client_password.encode())
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain, authority = certificates.client_file.read_bytes(), certificates.authority_file.read_bytes()
    return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(authority, plain, chain))


def common_name(certificates: Certificates) -> str:
    certificate = x509.load_pem_x509_certificate(certificates.client_file.read_bytes())
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


async def test_a_certificate_shows_its_names_and_a_token_its_hash(certificates: Certificates):
    """
    As gRPC has verified the one, and as metadata has the other.
    """
    async with door(certificates) as (servicer, target), channel_of(certificates, target) as channel:
        metadata = (("authorization", "Bearer secret"),)
        await stubs.DispatcherServiceStub(channel).GetCall(GetCallRequest(), metadata=metadata, timeout=20)

    assert servicer.shown is not None
    assert servicer.shown.token_sha256 == hash_of("secret")
    assert common_name(certificates) in servicer.shown.names
