"""Results as the contract shows them."""

from __future__ import annotations

import pytest

from cordboard.topics import Topics
from cordboard.v1 import CommandResult
from dispatcher.accounts import Accounts
from dispatcher.core.decision import Result
from dispatcher.core.words import Reason, State
from dispatcher.rendering import Renderer


def shown(response: bytes) -> CommandResult:
    result = Result(
        kind="result",
        command_id="c",
        page="A",
        call="A",
        account="main",
        action="speak",
        state=State.SUCCEEDED,
        reason=Reason.NONE,
        message="",
        accept_ms=1,
        response=response,
    )
    record = Renderer(Topics(), Accounts(addresses={"main": None})).result(result, ())
    return CommandResult.FromString(record.value)


def test_a_response_is_what_the_answer_held_under_data():
    """
    As the contract says: not the envelope around it.
    """
    assert dict(shown(b'{"data":{"result":"ok"},"meta":{}}').response) == {"result": "ok"}


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"data":[1]}', b'{"data":null}', b"[1]", b"ok", b'{"data":"ok"}'])
def test_an_answer_without_such_an_object_is_not_shown(answer: bytes):
    """
    The contract has no room for it, and the result is whole without.
    """
    assert not shown(answer).HasField("response")
