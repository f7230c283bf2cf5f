"""The closed lists of the dispatcher's answers, and the sentence that each reason says to a person.

The names are those of the contract's enums without their prefix; a test holds the two lists together.
"""

from __future__ import annotations

import enum
from typing import Final


class State(enum.StrEnum):
    """How a command ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"


class Reason(enum.StrEnum):
    """Why it ended so. NONE stands beside SUCCEEDED only."""

    NONE = "NONE"
    ALREADY_ENDED = "ALREADY_ENDED"
    INVALID_COMMAND = "INVALID_COMMAND"
    COMMAND_ID_REUSED = "COMMAND_ID_REUSED"
    ACCOUNT_MISMATCH = "ACCOUNT_MISMATCH"
    LINE_FULL = "LINE_FULL"
    SEQUENCE_GAP = "SEQUENCE_GAP"
    SEQUENCE_TAKEN = "SEQUENCE_TAKEN"
    CALL_ENDED = "CALL_ENDED"
    CANCEL_REQUESTED = "CANCEL_REQUESTED"
    SUPERSEDED = "SUPERSEDED"
    PREVIOUS_FAILED = "PREVIOUS_FAILED"
    IN_LINE = "IN_LINE"
    IN_LANE = "IN_LANE"
    RATE_LIMITED = "RATE_LIMITED"
    PAUSED = "PAUSED"
    TELNYX_UNREACHABLE = "TELNYX_UNREACHABLE"
    INTERNAL = "INTERNAL"
    TELNYX_REFUSED = "TELNYX_REFUSED"
    CALL_NOT_FOUND = "CALL_NOT_FOUND"
    CALL_NOT_ANSWERED = "CALL_NOT_ANSWERED"
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    NO_ANSWER = "NO_ANSWER"
    TELNYX_ERROR = "TELNYX_ERROR"
    AMBIGUOUS_REFUSAL = "AMBIGUOUS_REFUSAL"
    BAD_ANSWER = "BAD_ANSWER"
    WORKER_LOST = "WORKER_LOST"
    NO_EVENT = "NO_EVENT"
    WEBHOOKS_ELSEWHERE = "WEBHOOKS_ELSEWHERE"
    DESTINATION_REFUSED = "DESTINATION_REFUSED"
    DIAL_LIMIT = "DIAL_LIMIT"
    DRY_RUN = "DRY_RUN"


class Completion(enum.StrEnum):
    """Whether what a successful command started came into effect."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    INCOMPLETE = "INCOMPLETE"


class Answer(enum.StrEnum):
    """What Telnyx said when it was asked whether a call lives."""

    ALIVE = "alive"
    ENDED = "ended"
    UNCLEAR = "unclear"  # It answered, and it is not known whether the call lives; one that rings is not alive yet.
    NONE = "none"


class Placement(enum.StrEnum):
    """Where in the line a command goes."""

    LAST = "LAST"
    NEXT = "NEXT"
    NOW = "NOW"


SENTENCES: Final[dict[Reason, str]] = {
    Reason.NONE: "",
    Reason.ALREADY_ENDED: "The call has ended already, which is what was asked for.",
    Reason.INVALID_COMMAND: "The command is invalid; the violations say where. Correct it and send it again.",
    Reason.COMMAND_ID_REUSED: "Another command was sent under this command_id; choose a new one for a new command.",
    Reason.ACCOUNT_MISMATCH: "The call belongs to another account than the one the command names.",
    Reason.LINE_FULL: "Too many commands of this call are waiting; send it again when some have ended.",
    Reason.SEQUENCE_GAP: "Commands with lower sequence numbers did not come in time; send them, then this again.",
    Reason.SEQUENCE_TAKEN: "The sequence number was used before; it cannot be used again in this call.",
    Reason.DESTINATION_REFUSED: "The account's settings do not allow calls to this destination.",
    Reason.DIAL_LIMIT: "The account's limit on dials, in a minute or to one number, is used up.",
    Reason.DRY_RUN: "The account is set to a dry run: this would have been sent now, and was not.",
    Reason.CALL_ENDED: "The call has ended.",
    Reason.CANCEL_REQUESTED: "It was cancelled on request before it was released.",
    Reason.SUPERSEDED: "A command with placement NOW cancelled what was waiting.",
    Reason.PREVIOUS_FAILED: "The command it requires did not succeed.",
    Reason.IN_LINE: "Its expire_time passed while it waited in its call's line.",
    Reason.IN_LANE: "Its expire_time passed while it waited for a worker.",
    Reason.RATE_LIMITED: "The limits of its account held it up for too long; it was not sent.",
    Reason.PAUSED: "The account is paused; it was not sent.",
    Reason.TELNYX_UNREACHABLE: "Telnyx could not be reached; certainly nothing was sent.",
    Reason.INTERNAL: "Cordboard could not handle the command; it was set aside for its operators and not sent.",
    Reason.TELNYX_REFUSED: "Telnyx refused it; the errors say why.",
    Reason.CALL_NOT_FOUND: "Telnyx does not know the call.",
    Reason.CALL_NOT_ANSWERED: "The call has not been answered yet.",
    Reason.CREDENTIALS_REFUSED: "Telnyx refused the account's API key.",
    Reason.NO_ANSWER: "It was sent, or may have been, and no answer came; it may or may not have happened.",
    Reason.TELNYX_ERROR: "Telnyx answered with server errors to the end; it may or may not have happened.",
    Reason.AMBIGUOUS_REFUSAL: "A repeat was refused after an unanswered try; the first may have happened.",
    Reason.BAD_ANSWER: "The answer could not be read; it may or may not have happened.",
    Reason.WORKER_LOST: "The worker that had it did not report; it may or may not have happened.",
    Reason.NO_EVENT: "The webhook that completes it did not come in time.",
    Reason.WEBHOOKS_ELSEWHERE: "No webhook of this call was ever seen; they may go to another address.",
}
