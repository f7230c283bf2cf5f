"""What a sender of webhooks can be told: a closed list, each with its status and a sentence that helps no forger."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from starlette.responses import Response


class Result(enum.StrEnum):
    """What became of a request; the values are labels of the metrics."""

    ACCEPTED = "accepted"
    SPOOLED = "spooled"
    REPEATED = "repeated"
    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    UNKNOWN_ACCOUNT = "unknown_account"
    BAD_SEAL = "bad_seal"
    UNSIGNED = "unsigned"
    STALE = "stale"
    FORGED = "forged"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    BROKEN_OFF = "broken_off"
    MALFORMED = "malformed"
    FORMAT_ONE = "format_one"
    OVERLOADED = "overloaded"
    LOG_UNAVAILABLE = "log_unavailable"
    UNCERTAIN = "uncertain"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: `close` where the rest of the body is not wanted, `retry` where later may be better."""

    status: int
    message: str
    close: bool = False
    retry: bool = False


ANSWERS: Final[Mapping[Result, Answer]] = {
    Result.ACCEPTED: Answer(200, "kept"),
    Result.SPOOLED: Answer(200, "kept for the log"),
    Result.REPEATED: Answer(200, "kept before"),
    # A path that is no address, an account that is none and a seal that is not ours look alike from outside.
    Result.UNKNOWN_PATH: Answer(404, "nothing is here", close=True),
    Result.UNKNOWN_ACCOUNT: Answer(404, "nothing is here", close=True),
    Result.BAD_SEAL: Answer(404, "nothing is here", close=True),
    Result.WRONG_METHOD: Answer(405, "webhooks come by POST", close=True),
    Result.UNSIGNED: Answer(401, "the signature is missing", close=True),
    Result.STALE: Answer(401, "the time of the signature is too far off", close=True),
    Result.FORGED: Answer(401, "the signature is wrong", close=True),
    Result.TOO_LARGE: Answer(413, "the body is too large", close=True),
    Result.TOO_SLOW: Answer(408, "the body did not come in time", close=True),
    Result.BROKEN_OFF: Answer(400, "the body broke off", close=True),
    Result.MALFORMED: Answer(400, "the body is no webhook"),
    Result.FORMAT_ONE: Answer(400, "the webhook is of API v1; set the application's webhook_api_version to 2"),
    Result.OVERLOADED: Answer(503, "too many webhooks in hand", close=True, retry=True),
    Result.LOG_UNAVAILABLE: Answer(503, "it could not be kept", retry=True),
    Result.UNCERTAIN: Answer(503, "it may not have been kept", retry=True),
    Result.BROKEN: Answer(500, "something is broken here", retry=True),
}


def response_to(result: Result, detail: str = "") -> Response:
    """The HTTP answer; `detail` replaces the sentence."""
    answer = ANSWERS[result]
    body = {"result": result.value, "message": detail or answer.message}
    response = Response(orjson.dumps(body), answer.status, media_type="application/json")
    if answer.close:
        response.headers["connection"] = "close"
    if answer.retry:
        response.headers["retry-after"] = "1"
    if answer.status == 405:
        response.headers["allow"] = "POST"
    return response


class Refused(Exception):
    """A request is turned away; nothing of it was written."""

    def __init__(self, result: Result, detail: str = "") -> None:
        super().__init__(result.value)
        self.result = result
        self.detail = detail
