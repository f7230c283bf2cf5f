"""Each account at Telnyx: whether it is reached at its base_url, takes our key, and has our time. Nobody is called.

Asked is for a call that there cannot be: who is not let in gets 401, who is gets to hear that there is none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from cordboard.cli.checks.clocks import telnyx_skewed
from cordboard.cli.checks.findings import Finding, Looking, error, ok, warning
from cordboard.cli.checks.web import NoAnswer, ask, web
from cordboard.settings import Account

_NO_CALL: Final = "/calls/cordboard-check"
_NEW_KEY: Final = "copy the key anew from Mission Control, API Keys; one that was deleted there never comes back"


async def telnyx(looking: Looking) -> AsyncIterator[Finding]:
    """Each account in turn; that there is no key is told with the roles."""
    async with web() as client:
        for name, account in sorted(looking.settings.accounts.items()):
            subject = f"accounts.{name}"
            try:
                key = account.read_api_key()
            except (OSError, ValueError) as why:
                yield error(f"{subject}.api_key_file", f"it cannot be read: {why}", "see that this user may read it")
                continue
            if key is not None:
                async for finding in _asked(looking, client, subject, account, key):
                    yield finding


async def _asked(
    looking: Looking, client: httpx.AsyncClient, subject: str, account: Account, key: str
) -> AsyncIterator[Finding]:
    before_ms = looking.clock.now_ms()
    try:
        answer = await ask(client, "GET", account.base_url + _NO_CALL, headers={"authorization": f"Bearer {key}"})
    except NoAnswer as why:
        remedy = "see that this machine may reach it, and that the address is Telnyx's"
        yield error(f"{subject}.base_url", f"{account.base_url} cannot be reached: {why}", remedy)
        return
    after_ms = looking.clock.now_ms()
    yield _judged(subject, answer)
    if (theirs_ms := _date_ms(answer)) is not None:
        age_ms = looking.settings.ingress.signature_age_seconds_max * 1000
        yield telnyx_skewed(f"clock, by {subject}", theirs_ms, before_ms, after_ms, age_ms)


def _judged(subject: str, answer: httpx.Response) -> Finding:
    status, key = answer.status_code, f"{subject}.api_key"
    if status in {200, 422} or (status == 404 and _is_telnyx(answer)):
        return ok(key, f"Telnyx takes it, at {answer.request.url.host}")
    if status == 401:
        return error(key, "Telnyx refuses it (401): every command would end as CREDENTIALS_REFUSED", _NEW_KEY)
    if status == 403:
        remedy = "see in Mission Control what the key may do, and whether the account is suspended"
        return error(key, "Telnyx knows it and does not permit it (403)", remedy)
    if status == 429:
        return warning(key, "Telnyx answers 429: too much is asked for by this account just now", "check again later")
    if status >= 500:
        return warning(
            key, f"Telnyx answers {status}: it has troubles of its own", "see status.telnyx.com, check again"
        )
    remedy = "base_url must be the API's, with its version: https://api.telnyx.com/v2"
    return error(f"{subject}.base_url", f"what answers there ({status}) is not Telnyx's API", remedy)


def _is_telnyx(answer: httpx.Response) -> bool:
    """Whether an answer has Telnyx's own errors in it."""
    try:
        return bool(answer.json()["errors"][0]["code"])
    except (ValueError, LookupError, TypeError):
        return False


def _date_ms(answer: httpx.Response) -> int | None:
    try:
        return round(parsedate_to_datetime(answer.headers["date"]).timestamp() * 1000)
    except (LookupError, ValueError, TypeError):
        return None
