"""Refusals in Telnyx's words: the documented codes, each with the status that it comes with.

Codes are reused by Telnyx with different statuses (10015 is 400 and 422), so a problem carries both. Where Telnyx
documents no code for a refusal, the sandbox uses one that Telnyx does not have (`NOT_NOW`), rather than guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NOT_NOW: Final = "99901"  # The sandbox's own.


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `errors`; `pointer` is a JSON pointer into the request."""

    status: int
    code: str
    title: str
    detail: str
    pointer: str = ""

    def as_json(self) -> dict[str, object]:
        """The entry as Telnyx writes it."""
        entry: dict[str, object] = {"code": self.code, "title": self.title, "detail": self.detail}
        if self.pointer:
            entry["source"] = {"pointer": self.pointer}
        entry["meta"] = {"url": f"https://developers.telnyx.com/docs/overview/errors/{self.code}"}
        return entry


class Refused(Exception):
    """A request that has no effect; the first problem's status is the answer's."""

    def __init__(self, *problems: Problem) -> None:
        self.headers: dict[str, str] = {}  # Besides the content type.
        super().__init__("; ".join(f"{problem.code} {problem.detail}" for problem in problems))
        self.problems = problems

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problems[0].status

    def as_json(self) -> dict[str, object]:
        """The answer's body."""
        return {"errors": [problem.as_json() for problem in self.problems]}


def missing(pointer: str) -> Problem:
    """A required parameter is not there, or null."""
    return Problem(422, "10004", "Missing required parameter", f"The '{pointer[1:]}' parameter is required.", pointer)


def malformed(pointer: str, detail: str) -> Problem:
    """A value of the wrong type or form."""
    return Problem(400, "10015", "Bad Request", detail, pointer)


def not_in_enum(pointer: str, values: tuple[str, ...]) -> Problem:
    """A value outside its list."""
    return Problem(422, "10032", "Value not in enum", f"The value must be one of: {', '.join(values)}.", pointer)


def out_of_range(pointer: str, detail: str) -> Problem:
    """A number, or a text's length, outside its limits."""
    return Problem(422, "10033", "Value outside of range", detail, pointer)


def invalid_number(pointer: str) -> Problem:
    """Neither +E.164 nor a SIP URI."""
    return Problem(422, "10016", "Phone number must be in +E164 format", "The number is not in +E.164 format.", pointer)


def invalid_connection() -> Problem:
    """A connection_id that belongs to no application."""
    detail = "Only Call Control Apps with valid webhook URL are accepted."
    return Problem(422, "10015", "Invalid value for connection_id (Call Control App ID)", detail, "/connection_id")


def undecodable() -> Refused:
    """A body that is not a JSON object."""
    return Refused(Problem(400, "10028", "Request body could not be decoded", "The request body is not valid JSON."))


def unauthenticated() -> Refused:
    """No bearer key, or not one of ours."""
    return Refused(Problem(401, "10009", "Authentication failed", "The required authentication headers were invalid."))


def no_such_url() -> Refused:
    """A path that the API does not have."""
    return Refused(Problem(404, "10005", "Resource not found", "The requested resource or URL could not be found."))


def wrong_method(method: str) -> Refused:
    """A path that the API has, under another verb."""
    return Refused(Problem(405, "10005", "Method not allowed", f"The method {method} is not allowed for this URL."))


def unknown_call(pointer: str = "/call_control_id") -> Refused:
    """An id that no call ever had."""
    detail = "The call_control_id provided was not valid."
    return Refused(Problem(422, "90015", "Invalid Call Control ID", detail, pointer))


def call_ended(pointer: str = "") -> Refused:
    """A command that came after the end."""
    detail = "This call is no longer active and can't receive commands."
    return Refused(Problem(422, "90018", "Call has already ended", detail, pointer))


def not_answered() -> Refused:
    """A command that needs an answered call."""
    detail = "This call can't receive this command because it has not been answered yet."
    return Refused(Problem(422, "90034", "Call not answered yet", detail))


def no_media() -> Refused:
    """A recording of what nobody can hear yet."""
    return Refused(Problem(422, "90020", "Recording not possible", "The call has no audio that could be recorded yet."))


def not_now(detail: str) -> Refused:
    """A command that the call's state does not allow, where Telnyx documents no code."""
    return Refused(Problem(422, NOT_NOW, "Not allowed in this state", f"{detail} (The sandbox's own code.)"))


def documented(code: str, title: str) -> Refused:
    """A refusal whose code says it all."""
    return Refused(Problem(422, code, title, title + "."))
