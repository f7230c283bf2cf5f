"""Every way in which something is said not to be right, taken from the contract and the code's own tables."""

from __future__ import annotations

import inspect
import re
from enum import Enum
from typing import Final

from cordboard.cli.exits import Status
from cordboard.v1 import Reason
from dispatcher.acceptance.refusals import Refused
from dispatcher.core.words import SENTENCES
from dispatcher.core.words import Reason as Word
from dispatcher.ingress.answers import ANSWERS
from dispatcher.rest import meanings
from docs.generate import reasons
from docs.generate.reasons import Saying
from docs.generate.tables import code, table
from workers.core.outcome import TABLE, Meaning

_COMMENTED: Final = re.compile(r"^    (\w+) = \S+  # (.+)$", re.MULTILINE)

_HEAD: Final = """\
# Errors

Made by `make docs` from the contract and the code's own tables; `make check` fails where this page is stale, and a
test fails where something on it is produced by no test.

What depends on the call is a result; what depends on the message, the sender or this process is a gRPC error. Reasons
are one closed list: in `CommandResult.reason` and `CommandCompletion.reason` with the prefix `REASON_`, in
`google.rpc.ErrorInfo.reason` without.
"""
_DOOR: Final = """\
Each carries an ErrorInfo of the domain `cordboard.v1`, and then nothing will happen, except after ACCEPTANCE_UNKNOWN.
With INVALID_ARGUMENT comes a BadRequest that names the fields; where `retry` says yes, a RetryInfo that says when. In
a stream the same is the `refusal` of the one item. An error without our ErrorInfo (a deadline, a broken connection,
INTERNAL) says nothing.
"""
_REQUESTS: Final = """\
A worker reads each answer, or the lack of one, into a meaning (the label of `cordboard_worker_requests_total`). It
sends again, inside Telnyx's window and its own budget, what `again` allows to the action's class; the last try ends
the release with a verdict (the label of `cordboard_worker_outcomes_total`), another one where an earlier try is in
doubt.
"""
_REST: Final = """\
In Telnyx's shape: `{"errors": [{"code", "title", "detail", "source": {"pointer"}, "meta": {"reason"}}]}`, where
`meta.reason` is that of the result or refusal, or a word of this door's own. Where Telnyx has no code for a case, it
is 99000 and the number of the reason in the contract. Of what Telnyx's own answer FAILED, status, codes and words are
Telnyx's. Answers after acceptance carry `x-should-retry: false`. Where several fields are wrong there are several
errors, with Telnyx's codes for what is wrong with each (10004, 10015, 10016, 10032, 10033).
"""
_INGRESS: Final = """\
The body is JSON: `result` and `message`. `result` is also the label of `cordboard_ingress_webhooks_total`. Where
`retry` says yes, `Retry-After` is one second.
"""


def of_results() -> list[Saying]:
    """Those that stand in results."""
    return [saying for saying in reasons.sayings() if saying.place in reasons.STATES]


def of_completions() -> list[Saying]:
    """Those that stand in completions only."""
    return [saying for saying in reasons.sayings() if saying.place in set(reasons.COMPLETIONS) - set(reasons.STATES)]


def of_door() -> list[Saying]:
    """Those that stand in gRPC errors."""
    return [
        saying for saying in reasons.sayings() if saying.place in reasons.CODES and saying.place not in reasons.STATES
    ]


def page() -> str:
    """The page."""
    sections = {
        "Results": _results(),
        "Completions": _completions(),
        "Errors of the gRPC door": _DOOR + "\n" + _door(),
        "What a request to Telnyx comes to": _REQUESTS + "\n" + _requests(),
        "Answers of the REST door": _REST + "\n" + _rest(),
        "Answers of the ingress": _INGRESS + "\n" + _ingress(),
        "Exit statuses of the command line": _exits(),
    }
    return _HEAD + "".join(f"\n## {title}\n\n{text}\n" for title, text in sections.items())


def _when(saying: Saying) -> str:
    when = saying.when[0].upper() + saying.when[1:].rstrip(".")
    return f"{when} (Telnyx: {saying.telnyx})" if saying.telnyx else when


def _results() -> str:
    said = reasons.comments("State")
    rows = []
    for state in reasons.STATES:
        if state == "SUCCEEDED":
            rows.append((code(state), "", said["STATE_SUCCEEDED"].rstrip("."), ""))
        rows += [
            (code(state), code(saying.reason), _when(saying), SENTENCES[Word(saying.reason)])
            for saying in of_results()
            if saying.place == state
        ]
    states = "\n".join(f"- `{state}`: {said[f'STATE_{state}']}" for state in reasons.STATES)
    return states + "\n\n" + table(("state", "reason", "when", "its usual message"), rows)


def _completions() -> str:
    said = reasons.comments("CompletionState")
    rows = [(code(state), "", said[f"COMPLETION_STATE_{state}"].rstrip(".")) for state in ("COMPLETED", "FAILED")]
    rows += [(code(saying.place), code(saying.reason), _when(saying)) for saying in of_completions()]
    return table(("state", "reason", "when"), rows)


def _door() -> str:
    rows = []
    for saying in of_door():
        refused = Refused(Reason.Value(f"REASON_{saying.reason}"), "")
        retry = "" if refused.retry_seconds is None else "yes"
        rows.append((code(saying.reason), code(refused.code.name), _when(saying), retry))
    return table(("reason", "code", "when", "retry"), rows)


def _requests() -> str:
    said = _commented(Meaning)
    rows = [
        (
            code(meaning.value),
            said[meaning.name],
            ", ".join(sorted(repeat.name for repeat in rule.again)) or "no",
            code(rule.ends.value),
            code(rule.doubted.value) if rule.doubted else "that of the earlier try",
        )
        for meaning, rule in TABLE.items()
    ]
    return table(("meaning", "what", "again", "verdict", "after a try in doubt"), rows)


def _ingress() -> str:
    rows = [
        (code(result.value), str(answer.status), answer.message, "yes" if answer.retry else "")
        for result, answer in ANSWERS.items()
    ]
    return table(("result", "HTTP", "message", "retry"), rows)


def _rest() -> str:
    rows = [(code(name), *_meant(meaning, name)) for name, meaning in meanings.OF_THIS_DOOR.items()]
    rows += [(code(name), *_meant(meaning, name)) for name, meaning in meanings.OF_REFUSALS.items()]
    for saying in of_results():
        if saying.place != "SUCCEEDED":
            meaning = meanings.of_result(saying.place, saying.reason)
            rows.append((f"{code(saying.place)} {code(saying.reason)}", *_meant(meaning, saying.reason)))
    return table(("what", "HTTP", "code", "title"), rows)


def _meant(meaning: meanings.Meaning, reason: str) -> tuple[str, str, str]:
    return str(meaning.status), meaning.code or meanings.own_code(reason), meaning.title


def _commented(words: type[Enum]) -> dict[str, str]:
    """What the comments behind an enum's words say of them."""
    return {name: text.rstrip(".") for name, text in _COMMENTED.findall(inspect.getsource(words))}


def _exits() -> str:
    meant = _commented(Status)
    return table(("status", "when"), [(str(int(status)), meant[status.name]) for status in Status])
