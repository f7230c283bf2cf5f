"""What may be served: a certificate in its time, with its key; anything else is refused with what would be right."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from cordboard.tls.identity import Files, Unfit, read
from cordboard.tls.issuing import Authority
from cordboard.tls.names import Names, names_in
from tests.tls.made import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


def refusal(files: Files) -> str:
    with pytest.raises(Unfit) as caught:
        read(files)
    return str(caught.value)


class TestWhatIsRight:
    def test_a_certificate_and_its_key(self, made: Made):
        """
        As bytes for gRPC and as a context for others, from TLS 1.2 on.
        """
        identity = read(made.files())

        assert (identity.chain, identity.key) == (made.server.read_bytes(), made.server_key.read_bytes())
        assert (identity.context.minimum_version, identity.context.verify_mode) == (
            ssl.TLSVersion.TLSv1_2,
            ssl.CERT_NONE,
        )

    def test_who_vouches_for_clients_is_asked_of_all_but_one_port(self, made: Made):
        """
        One context asks each client for a certificate; the other, for probes and metrics, nobody.
        """
        identity = read(made.files(asks=True))

        assert (identity.context.verify_mode, identity.open_context.verify_mode) == (ssl.CERT_REQUIRED, ssl.CERT_NONE)

    def test_the_key_is_in_no_repr(self, made: Made):
        """
        Whatever a log line is made of.
        """
        identity = read(made.files())

        assert "PRIVATE" not in repr(identity)


class TestWhatIsRefused:
    def test_what_has_ended(self, made: Made):
        """
        Clients would refuse it, each for itself.
        """
        made.expired("server", "localhost")

        assert "certificate_file" in (said := refusal(made.files()))
        assert "must not have ended, which it did at 20" in said

    def test_what_has_not_begun(self, made: Made):
        """
        It may be a wrong clock.
        """
        made.issue("server", "localhost", begins_days=2, days=5)

        assert "and not yet" in refusal(made.files())

    def test_another_ones_key(self, made: Made):
        """
        Said before a handshake fails of it.
        """
        _, other = made.issue("other", "localhost")

        assert "must hold the key of the certificate" in refusal(Files(made.server, other))

    def test_what_is_no_pem(self, made: Made, tmp_path: Path):
        """
        Each file by its name.
        """
        nonsense = tmp_path / "nonsense"
        nonsense.write_text("-----BEGIN")

        assert "certificate_file" in refusal(Files(nonsense, made.server_key))
        assert "must hold a private key in PEM" in refusal(Files(made.server, nonsense))
        assert "client_ca_file" in refusal(Files(made.server, made.server_key, nonsense))
        assert "peer_ca_file" in refusal(Files(made.server, made.server_key, None, nonsense))
        assert "No such file" in refusal(Files(made.server, tmp_path / "nowhere"))

    def test_a_key_that_needs_a_password(self, made: Made):
        """
        Nobody is there to type it.
        """
        key = serialization.load_pem_private_key(made.server_key.read_bytes(), None)
        sealed = serialization.BestAvailableEncryption(b"p")
        made.server_key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
        )

        assert "must not need a password" in refusal(made.files())

    def test_a_kind_of_key_that_one_of_the_two_libraries_does_not_know(self, made: Made):
        """
        The HTTP ports would take it, gRPC's not.
        """
        plain = serialization.NoEncryption()
        made.server_key.write_bytes(
            ed25519.Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
            )
        )

        assert "must hold an RSA or an EC key" in refusal(made.files())

    def test_authorities_of_whom_none_is_left(self, made: Made, tmp_path: Path):
        """
        Nobody could come in; one that is good among them is enough.
        """
        gone = Authority.new(days=-0.001).issued.certificate
        path = tmp_path / "authorities"
        path.write_bytes(gone)

        assert "must hold a certificate that has not ended" in refusal(Files(made.server, made.server_key, path))
        path.write_bytes(gone + made.ca.read_bytes())
        read(Files(made.server, made.server_key, path))


class TestNames:
    def test_all_kinds(self, made: Made):
        """
        The subject's common name, hosts, addresses, URIs.
        """
        certificate, _ = made.issue("b", "b.example", "127.0.0.1", "spiffe://here/b", subject="billing")

        names = names_in(certificate.read_bytes())

        assert names == Names("billing", ("b.example",), ("spiffe://here/b",), ("127.0.0.1",))
        assert str(names) == "127.0.0.1, b.example, billing, spiffe://here/b"

    @pytest.mark.parametrize(
        ("host", "is_covered"),
        [
            ("b.example", True),
            ("B.Example", True),
            ("a.wide.example", True),
            ("wide.example", False),
            ("x.a.wide.example", False),
            ("127.0.0.1", True),
            ("[::1]", True),
            ("::1", True),
            ("10.0.0.1", False),
            ("billing", False),
        ],
    )
    def test_for_which_hosts_a_server_may_speak(self, host: str, is_covered: bool):
        """
        As TLS libraries judge: the subject counts only where there is nothing else.
        """
        names = Names("billing", ("b.example", "*.wide.example"), (), ("127.0.0.1", "::1"))

        assert names.cover(host) is is_covered
        assert Names("billing").cover("billing")


def test_alternative_names_come_before_the_common_one():
    """
    Which is of old.
    """
    assert Names("old", ("desk.example",), ("spiffe://x",)).in_order == ("desk.example", "spiffe://x", "old")
