"""Each account's webhooks: whether they reach our ingress by public_url, and whether forward_url is there."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import httpx

from cordboard.cli.checks.findings import Finding, Looking, error, ok, warning
from cordboard.cli.checks.web import NoAnswer, ask, connect, web

_PATH: Final = "/webhooks/telnyx"
_SEEN_FROM_HERE: Final = (
    "as seen from this machine; whether Telnyx sees it so, its webhook deliveries in Mission Control say"
)


async def addresses(looking: Looking) -> AsyncIterator[Finding]:
    """Each account in turn. To neither address goes anything that could be taken for a webhook."""
    async with web() as client:
        for name, account in sorted(looking.settings.accounts.items()):
            subject = f"accounts.{name}"
            if account.webhook_public_key is not None:
                sentence = (
                    "a key for webhooks; whether it is this account's shows the first one (else refused as forged)"
                )
                yield ok(f"{subject}.webhook_public_key", sentence)
            if account.public_url is None:
                yield ok(f"{subject}.public_url", "not set: webhooks come where the Telnyx application says")
            else:
                async for finding in _public(client, subject, name, account.public_url):
                    yield finding
            if account.forward_url is not None:
                yield await _forward(f"{subject}.forward_url", account.forward_url.get_secret_value())


async def _public(client: httpx.AsyncClient, subject: str, name: str, url: str) -> AsyncIterator[Finding]:
    """What an ingress of ours says to who shows no signature is known; it keeps nothing of it."""
    where = f"{subject}.public_url"
    try:
        answer = await ask(client, "POST", f"{url}{_PATH}/{name}")
    except NoAnswer as why:
        remedy = f"see that {url} leads to the ingress's port (ingress.port), and that an ingress runs"
        yield error(where, f"{url} cannot be reached: {why}", remedy)
        return
    yield _judged(where, name, url, answer)
    if urlsplit(url).scheme == "http" and not _is_private(url):
        yield warning(where, f"{url} is not encrypted: numbers and texts are readable on the way", "put TLS before it")
    elif _is_private(url):
        yield warning(where, f"{url} is a private address: Telnyx cannot reach it", "name the one that the world sees")


def _judged(where: str, name: str, url: str, answer: httpx.Response) -> Finding:
    status, result = answer.status_code, _result(answer)
    if status == 401 and result == "unsigned":
        return ok(where, f"an ingress answers at {url}, and takes nothing unsigned ({_SEEN_FROM_HERE})")
    if result in {"unknown_account", "unknown_path"}:
        sentence = f"the ingress at {url} does not know the account {name}, or has no webhook_public_key for it"
        return error(where, sentence, "give that ingress the same settings, and start it anew")
    if result is not None:
        return warning(where, f"the ingress at {url} answers {status} {result}", "see docs/errors.md, and its log")
    if 300 <= status < 400:
        return error(
            where, f"{url} answers {status}, a redirection, which Telnyx does not follow", "name where it leads to"
        )
    if status in {401, 403, 407}:
        sentence = f"something before the ingress asks for credentials ({status}), and Telnyx has none"
        return error(where, sentence, f"let POST {_PATH} pass: the ingress itself verifies every webhook")
    if status >= 500:
        sentence = f"{status} comes from something before the ingress: it does not reach it"
        return error(where, sentence, "see that an ingress runs, and that what stands before it knows where")
    sentence = f"what answers at {url} ({status}) is no ingress of ours"
    return error(where, sentence, f"have {_PATH} of that address passed on to ingress.port, path and all")


def _result(answer: httpx.Response) -> str | None:
    """The word by which an ingress is known."""
    try:
        return str(answer.json()["result"])
    except (ValueError, LookupError, TypeError):
        return None


def _is_private(url: str) -> bool:
    """Whether it leads, by its address, to where only we are; a name that is looked up elsewhere counts as public."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_private for one in found)


async def _forward(where: str, url: str) -> Finding:
    """Only connected to, because whatever is sent there may be taken for an event; the rest of it may be a secret."""
    parts = urlsplit(url)
    host, encrypted = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if encrypted else 80)
    try:
        await connect(host, port, encrypted=encrypted)
    except NoAnswer as why:
        remedy = "start the service, or correct the address; until then events wait for forward_for_seconds"
        return error(where, f"{host}:{port} cannot be reached: {why}", remedy)
    return ok(where, f"{host}:{port} takes connections; what it says to events, it is not asked")
