"""The REST door where senders prove who they are: by tokens beside the accounts' keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.promises.stage import ACCOUNT, ANSWERS_AT_ONCE, OWN_NUMBER, Stage
from tests.rest.test_door import SPEAK, action, told
from tests.rpc.identities import EVERY_RIGHT, identity

OTHER = "other"
DIAL = {"to": ANSWERS_AT_ONCE, "from": OWN_NUMBER, "connection_id": "c"}
HEADER = "x-cordboard-account"
KNOWN = {
    "stage": identity("t-stage", ("*",)),
    "ivr": identity("t-ivr", (ACCOUNT,), actions=("speak", "hangup")),
    "both": identity("t-both", (ACCOUNT, OTHER)),
    "all": identity("t-all", ("*",), rights=EVERY_RIGHT),
    "others": identity("t-others", (OTHER,)),
    "eyes": identity("t-eyes", (ACCOUNT,), rights=("read",)),
    "slow": identity("t-slow", (ACCOUNT,), commands_per_second=0.01),
}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    stage.more, stage.other_accounts, stage.token = {"identities": KNOWN}, (OTHER,), "t-stage"
    async with stage:
        yield stage


@pytest.fixture
async def http(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody, unless headers say so."""
    async with httpx.AsyncClient(base_url=stage.rest_url, timeout=30, trust_env=False) as client:
        yield client


def shows(token: str, account: str = "") -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} | ({HEADER: account} if account else {})


def detail(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["detail"])


async def test_a_token_opens_its_account(stage: Stage, http: httpx.AsyncClient):
    """
    And the source is who sends, in the results and everywhere.
    """
    call = await stage.call()
    answer = await http.post(action(call), json=SPEAK, headers=shows("t-ivr"))

    assert (answer.status_code, answer.json()) == (200, {"data": {"result": "ok"}})
    command_id = answer.headers["x-cordboard-command-id"]
    await stage.ended(command_id)
    assert [one.result.source for one in stage.heard.of(command_id)] == ["ivr"]


async def test_an_accounts_key_is_still_a_way_in(stage: Stage, http: httpx.AsyncClient):
    """
    It opens Telnyx itself, too. Its commands bear the account's name.
    """
    call = await stage.call()
    answer = await http.post(action(call), json=SPEAK, headers=shows(stage.api_key))

    command_id = answer.headers["x-cordboard-command-id"]
    await stage.ended(command_id)
    assert [one.result.source for one in stage.heard.of(command_id)] == [f"account:{ACCOUNT}"]
    assert (await http.get(f"/v2/calls/{call}", headers=shows(stage.api_key))).status_code == 200


@pytest.mark.parametrize("headers", [{}, shows("t-nobody")])
async def test_nobody_is_401(http: httpx.AsyncClient, headers: dict[str, str]):
    """
    In Telnyx's shape; the answer repeats nothing.
    """
    answer = await http.post(action("v3:x"), json=SPEAK, headers=headers)

    assert told(answer) == (401, "10009", "KEY_UNKNOWN")
    assert "t-nobody" not in answer.text


@pytest.mark.parametrize(
    ("headers", "path", "said"),
    [
        (shows("t-ivr"), "/v2/calls", "may not send the action dial"),
        (shows("t-ivr", OTHER), action("v3:x"), "may not use the account 'other'; it may use main"),
        (shows("t-eyes"), action("v3:x"), "has not the right send"),
        (shows("t-ivr"), "/v2/messages", "has not the right telnyx"),
        (shows("key", OTHER), action("v3:x"), "The sender 'account:main' may not use the account 'other'"),
    ],
)
async def test_what_one_may_not_do_is_403(
    stage: Stage, http: httpx.AsyncClient, headers: dict[str, str], path: str, said: str
):
    """
    And says which action, account or right it is.
    """
    answer = await http.post(path, json={}, headers=headers)

    assert told(answer) == (403, "10010", "NOT_PERMITTED")
    assert said in detail(answer)
    assert stage.effects() == []


async def test_of_several_accounts_one_is_named(stage: Stage, http: httpx.AsyncClient):
    """
    In a header. A dial that names none means the default one; who may use all need not name a call's.
    """
    call = await stage.call()
    answer = await http.post(action(call), json=SPEAK, headers=shows("t-both"))
    assert told(answer) == (422, "10015", "INVALID_COMMAND")
    assert detail(answer) == f"The account must be named in the header {HEADER}; the sender may use main, other."

    for headers in (shows("t-both", ACCOUNT), shows("t-all")):
        assert (await http.post(action(call), json=SPEAK, headers=headers)).status_code == 200
    mismatch = await http.post(action(call), json=SPEAK, headers=shows("t-both", OTHER))
    assert told(mismatch) == (403, "10010", "ACCOUNT_MISMATCH")
    dialled = [await http.post("/v2/calls", json=DIAL, headers=shows(token)) for token in ("t-both", "t-others")]
    results = [stage.heard.of(one.headers["x-cordboard-command-id"]) for one in dialled if await told_of(stage, one)]
    assert [result[0].result.account for result in results] == [ACCOUNT, OTHER]


async def told_of(stage: Stage, answer: httpx.Response) -> bool:
    """Whether the result of what was answered is heard."""
    return await stage.ended(answer.headers["x-cordboard-command-id"]) == []


async def test_an_account_that_there_is_not(http: httpx.AsyncClient):
    """
    To who may use all of them.
    """
    answer = await http.post(action("v3:x"), json=SPEAK, headers=shows("t-all", "nowhere"))

    assert told(answer) == (401, "10009", "UNKNOWN_ACCOUNT")


async def test_a_limit_of_its_own_is_429(stage: Stage, http: httpx.AsyncClient):
    """
    With when to come again. A hangup goes through.
    """
    call = await stage.call()
    assert (await http.post(action(call), json=SPEAK, headers=shows("t-slow"))).status_code == 200
    answer = await http.post(action(call), json=SPEAK, headers=shows("t-slow"))

    assert told(answer) == (429, "10011", "QUOTA_EXCEEDED")
    assert int(answer.headers["retry-after"]) > 0
    assert (await http.post(action(call, "hangup"), json={}, headers=shows("t-slow"))).status_code == 200


async def test_what_is_no_command_goes_on_with_the_right_to_it(stage: Stage, http: httpx.AsyncClient):
    """
    Under the key of the account that is meant, and without our own header.
    """
    call = await stage.call()
    answer = await http.get(f"/v2/calls/{call}", headers=shows("t-all", OTHER))

    assert answer.status_code == 200
    assert answer.json()["data"]["call_control_id"] == call
