"""`cordboard certificates`: what it says is what a process and a client need to speak TLS with each other."""

from __future__ import annotations

import re
from pathlib import Path

import grpc.aio

from cordboard.cli.handshake import trouble_with
from cordboard.cli.target import Target
from cordboard.settings import load
from cordboard.tls.names import names_in
from cordboard.tls.renewing import Renewing
from dispatcher.rpc.encryption import Encrypted
from tests.cli.processes import Cordboard
from tests.tls.made import serial


async def test_what_it_says_works(cordboard: Cordboard, tmp_path: Path):
    """
    The settings serve, the exported names let in; run again, the authority is the same and the rest is new.
    """
    told = cordboard("certificates", f"{tmp_path}/made", "--client=billing")
    assert told.returncode == 0, told.stderr
    settings = tmp_path / "cordboard.toml"
    settings.write_text(re.findall(r"\[tls\]\n(?:\w+ = .+\n)+", told.stdout)[0])
    exported = dict(re.findall(r"(CORDBOARD_TLS_\w+)=(\S+)", told.stdout))

    files = load(settings, exported).tls.files
    assert files is not None
    server = grpc.aio.server()
    port = server.add_secure_port("127.0.0.1:0", Encrypted(Renewing(files)).credentials())
    await server.start()
    paths = {name.removeprefix("CORDBOARD_TLS_"): Path(path) for name, path in exported.items()}
    for host in ("localhost", "127.0.0.1"):
        known = Target(f"{host}:{port}", paths["CA"], paths["CERTIFICATE"], paths["KEY"])
        assert await trouble_with(known) is None
    assert "asks for a certificate" in str(await trouble_with(Target(f"localhost:{port}", paths["CA"])))
    await server.stop(0)

    assert names_in(paths["CERTIFICATE"].read_bytes()).every == {"billing"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "made").glob("*.key")} == {0o600}
    authority, client = serial(paths["CA"]), serial(paths["CERTIFICATE"])
    assert cordboard("certificates", f"{tmp_path}/made", "--name=desk.example").returncode == 0
    assert (serial(paths["CA"]), serial(paths["CERTIFICATE"]) == client) == (authority, False)
    assert "desk.example" in names_in(files.certificate.read_bytes()).dns


def test_what_cannot_be_written_is_one_sentence(cordboard: Cordboard, tmp_path: Path):
    """
    And the status of a mistake.
    """
    (tmp_path / "file").touch()

    told = cordboard("certificates", f"{tmp_path}/file/below")

    assert (told.returncode, told.stderr.startswith("cordboard: no certificates were made in")) == (2, True)


def test_the_options_of_tls_are_in_the_help_of_what_asks_a_dispatcher(cordboard: Cordboard):
    """
    With the names by which they may be exported.
    """
    for words in (("send",), ("calls",), ("dead-letters", "list"), ("pause",)):
        told = cordboard(*words, "--help", COLUMNS="200", NO_COLOR="1").stdout
        named = [name for name in ("CA", "CERTIFICATE", "KEY", "NAME") if f"CORDBOARD_TLS_{name}" in told]
        assert named == ["CA", "CERTIFICATE", "KEY", "NAME"], told
