"""Whether a cluster can be reached and lets us in, and in one sentence why not.

The clients of aiokafka say no more in the end than that they could not begin; and of a refused OAUTHBEARER token they
learn nothing at all (tried with 0.14: the refusal is taken for a consent, and the answer after it is empty). So whoever
opens a log asks here first.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any, Final

from aiokafka import errors
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.protocol.metadata import MetadataRequest

from cordboard.log.kafka.connection import Connection
from cordboard.log.port import LogError, LogUnavailable

_PATIENCE_SECONDS: Final = 5.0


class NotLetIn(LogError):
    """The cluster is there and does not take us as we come; trying again as we are is of no use."""


async def reach(connection: Connection, patience_seconds: float = _PATIENCE_SECONDS) -> None:
    """Return once a broker has let us in and answered. The patience is for each step with each bootstrap server.

    Raises NotLetIn and LogUnavailable, with a sentence for each server; LogError where our own files cannot be used.
    """
    arguments = connection.arguments()
    troubles: list[LogError] = []
    for host, port, _ in collect_hosts(arguments.pop("bootstrap_servers"), randomize=False):
        place = f"{host}:{port}"
        try:
            brokers = await _ask(host, port, patience_seconds, arguments)
        except (errors.KafkaError, OSError, TimeoutError) as error:
            troubles.append(_in_words(connection, place, error, patience_seconds))
        else:
            if brokers or connection.sasl_mechanism != "OAUTHBEARER":
                return
            troubles.append(NotLetIn(f"{place} does not accept our token: see oauth_token"))
    kind = next((type(trouble) for trouble in troubles if isinstance(trouble, NotLetIn)), LogUnavailable)
    raise kind("; ".join(str(trouble) for trouble in troubles))


async def _ask(host: str, port: int, patience_seconds: float, arguments: dict[str, Any]) -> int:
    """Connect, and ask who is there: how many brokers."""
    connected = await create_conn(host, port, request_timeout_ms=round(patience_seconds * 1000), **arguments)
    try:
        return len((await connected.send(MetadataRequest([]))).brokers)
    finally:
        connected.close()


def _in_words(connection: Connection, place: str, error: Exception, patience_seconds: float) -> LogError:
    mechanism, protocol = connection.sasl_mechanism, connection.security_protocol
    match error:
        case errors.SaslAuthenticationFailed():
            return NotLetIn(f"{place} refuses us: {_said(error)}; see sasl_username, sasl_password and sasl_mechanism")
        case errors.UnsupportedSaslMechanismError():
            return NotLetIn(f"{place} does not take {mechanism}: see sasl_mechanism")
        case errors.IllegalSaslStateError():
            return NotLetIn(f"{place} asks nobody who they are: security_protocol {protocol} should be without SASL_")
        case ssl.SSLCertVerificationError():
            return NotLetIn(f"the certificate of {place} is not trusted: {error.verify_message}; see ca_file")
        case errors.KafkaConnectionError() | ssl.SSLError() | ConnectionResetError():
            return _hung_up(connection, place, error)
        case TimeoutError():
            return LogUnavailable(f"{place} does not answer within {patience_seconds:g} s: see bootstrap_servers")
        case OSError():
            return LogUnavailable(f"{place} cannot be reached: {error.strerror or error}; see bootstrap_servers")
    return LogUnavailable(f"{place} cannot be used: {type(error).__name__}: {_said(error)}")


def _hung_up(connection: Connection, place: str, error: Exception) -> LogError:
    if told := next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError) and _is_alert(cause)), None):
        reason = (told.reason or str(told)).replace("_", " ").lower()
        return NotLetIn(f"{place} does not take our certificate, or misses one: {reason}; see certificate_file")
    protocol = connection.security_protocol
    return NotLetIn(f"{place} hangs up on us: its listener may want another security_protocol than {protocol}")


def _is_alert(error: ssl.SSLError) -> bool:
    return "ALERT" in (error.reason or "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _said(error: Exception) -> str:
    """The message alone: aiokafka puts its own name for the error before it."""
    return " ".join(str(error.args[0] if error.args else error).split()).rstrip(".")
