"""What `cordboard check` finds of a Kafka that lets nobody in who is not known: each mistake made in earnest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cordboard.cli.checks.findings import Finding, Grade, Looking
from cordboard.cli.checks.kafka import kafka
from cordboard.clock import SystemClock
from cordboard.settings import Log, Settings
from cordboard.settings.kafka import Kafka
from tests.kafka.conftest import PASSWORD, USER, Guarded


async def found(guarded: Guarded, prefix: str, folder: Path, **other: Any) -> list[Finding]:
    """What is found by settings that are right but for `other`."""
    secret = folder / "kafka-password"
    secret.write_text(other.pop("password", PASSWORD))
    secret.chmod(0o600)
    chosen = {
        "bootstrap_servers": guarded.cluster.servers_of("SASL"),
        "security_protocol": "SASL_SSL",
        "ca_file": guarded.certificates.authority_file,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": USER,
        "sasl_password_file": secret,
    }
    log = Log(kind="kafka", topic_prefix=prefix)
    settings = Settings(accounts={"main": {}}, log=log, kafka=Kafka(**(chosen | other)))
    return [one async for one in kafka(Looking(settings, SystemClock()))]


async def test_who_is_let_in_is_told_of_the_topics(guarded: Guarded, kafka_prefix: str, tmp_path: Path) -> None:
    """
    TLS, name and password are right; no topic was made.
    """
    let_in, topics = await found(guarded, kafka_prefix, tmp_path)

    assert (let_in.grade, topics.subject, topics.grade) == (Grade.OK, "kafka topics", Grade.ERROR)
    assert let_in.sentence.endswith("lets us in, by SASL_SSL")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"password": "another-one-entirely"}, "see sasl_username, sasl_password and sasl_mechanism"),
        ({"sasl_username": "nobody"}, "see sasl_username, sasl_password and sasl_mechanism"),
        ({"security_protocol": "SASL_PLAINTEXT", "ca_file": None}, "may want another security_protocol"),
        ({"ca_file": "others"}, "is not trusted"),
    ],
    ids=["password", "user", "in the clear", "authority"],
)
async def test_each_way_not_to_be_let_in_has_its_sentence(
    guarded: Guarded, kafka_prefix: str, tmp_path: Path, other: dict[str, Any], said: str
) -> None:
    """
    With the setting to look at, what to do, and no secret.
    """
    if other.get("ca_file") == "others":
        other = {"ca_file": guarded.others.authority_file}
    (finding,) = await found(guarded, kafka_prefix, tmp_path, **other)

    assert (finding.subject, finding.grade) == ("kafka", Grade.ERROR)
    assert said in finding.sentence
    assert "docs/kafka.md" in finding.remedy
    assert PASSWORD not in finding.sentence
