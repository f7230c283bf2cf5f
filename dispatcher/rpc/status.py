"""How a deployment is, made of what was found out of it, with all that is wrong in sentences. Pure: it asks nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cordboard.presence import Heard, LaneWord, PartitionWord
from cordboard.v1 import status_pb2 as status
from cordboard.work import Lane
from dispatcher.acceptance.views import timestamp
from dispatcher.rpc.surveying import Survey

_STATES: Final = {
    "served": status.PARTITION_STATE_SERVED,
    "restoring": status.PARTITION_STATE_RESTORING,
    "broken": status.PARTITION_STATE_BROKEN,
}
_OWNER_SAYS: Final = {
    status.PARTITION_STATE_RESTORING: "its state is being read back; calls wait until then",
    status.PARTITION_STATE_STALLED: "nothing was done for {0.stalled_seconds:.0f} s while {0.lag} inputs wait; "
    "start its owner anew, and see what it logged",
    status.PARTITION_STATE_BROKEN: "its owner broke off and it stands still; see what it logged, and start it anew",
    status.PARTITION_STATE_UNOWNED: "nobody owns it: it is being moved, or there are no dispatchers",
}
Said = tuple[str, str]


def response_of(survey: Survey) -> status.GetStatusResponse:
    """All of it."""
    processes = [_process(heard, survey.now_ms) for _, heard in sorted(survey.heard.items())]
    living = [heard for heard in survey.heard.values() if not heard.word.leaving and not heard.is_silent(survey.now_ms)]
    partitions = list(_partitions(survey, living))
    lanes = [_lane(account, lane, survey, living) for account in survey.accounts for lane in Lane]
    unknown = [*survey.unknown, *_nobody_tells(partitions, survey)]
    problems = [*_of_processes(processes, survey), *_of_partitions(partitions), *_of_lanes(lanes)]
    if survey.heard and not any("ingress" in one.word.roles for one in living):
        problems.append(("ingress", "no process takes webhooks in: start one (cordboard ingress)"))
    return status.GetStatusResponse(
        well=not problems and not unknown,
        problems=_findings(problems),
        remarks=_findings(_remarks(survey, living)),
        unknown=_findings(unknown),
        processes=processes,
        partitions=partitions,
        lanes=lanes,
        paused_accounts=sorted(survey.paused),
        dead_letter_records=survey.letters,
        topic_prefix=survey.prefix,
        answered_by=survey.own,
    )


def _findings(said: Iterable[Said]) -> list[status.StatusFinding]:
    return [status.StatusFinding(subject=subject, sentence=sentence) for subject, sentence in said]


def _process(heard: Heard, now_ms: int) -> status.ProcessStatus:
    word = heard.word
    if word.leaving:
        state = status.PROCESS_STATE_LEFT
    elif heard.is_silent(now_ms):
        state = status.PROCESS_STATE_SILENT
    else:
        state = status.PROCESS_STATE_NOT_READY if word.troubles else status.PROCESS_STATE_READY
    return status.ProcessStatus(
        name=word.name,
        host=word.host,
        pid=word.pid,
        version=word.version,
        roles=word.roles,
        state=state,
        troubles=_findings(word.troubles),
        remarks=_findings(word.remarks),
        address=word.address,
        start_time=timestamp(word.started_ms),
        report_time=timestamp(heard.time_ms),
    )


def _partitions(survey: Survey, living: Iterable[Heard]) -> Iterator[status.PartitionStatus]:
    by_address = {heard.word.address: heard for heard in living if heard.word.address}
    for number in range(survey.partitions):
        if survey.holders is None:
            yield status.PartitionStatus(partition=number, state=status.PARTITION_STATE_UNKNOWN)
        elif (owner := survey.holders.get(number)) is None:
            yield status.PartitionStatus(partition=number, state=status.PARTITION_STATE_UNOWNED)
        else:
            yield _owned(number, owner, by_address.get(owner))


def _owned(number: int, owner: str, heard: Heard | None) -> status.PartitionStatus:
    word = None if heard is None else next((one for one in heard.word.partitions if one.partition == number), None)
    if heard is None or word is None:
        name = "" if heard is None else heard.word.name
        state = status.PARTITION_STATE_UNKNOWN
        return status.PartitionStatus(partition=number, state=state, owner=owner, process=name)
    return status.PartitionStatus(
        partition=number,
        state=_state_of(word),
        owner=owner,
        process=heard.word.name,
        pages=word.pages,
        restored=word.restored,
        lag=word.lag,
        stalled_seconds=word.stalled_seconds,
    )


def _state_of(word: PartitionWord) -> status.PartitionState.ValueType:
    if word.state == "served" and word.stalled_seconds:
        return status.PARTITION_STATE_STALLED
    return _STATES.get(word.state, status.PARTITION_STATE_UNKNOWN)


def _lane(account: str, lane: Lane, survey: Survey, living: Iterable[Heard]) -> status.LaneStatus:
    words = [one for heard in living for one in heard.word.lanes if (one.pool, one.lane) == (account, lane.value)]
    held = {number for word in words for number in word.partitions}
    return status.LaneStatus(
        account=account,
        lane=lane.value,
        workers=sum(bool(word.partitions) for word in words),
        unheld=sorted(set(range(survey.partitions)) - held),
        in_flight=sum(word.in_flight for word in words),
        room=sum(word.room for word in words),
        lag=_lag_of(words),
        stalled_seconds=max((word.stalled_seconds for word in words), default=0.0),
        breakers_open=sum(one.breaker_open for heard in living for one in heard.word.pools if one.pool == account),
    )


def _lag_of(words: Iterable[LaneWord]) -> int | None:
    """Of all that is held; None where nobody holds anything, or one has not looked yet."""
    lags = [word.lag for word in words if word.partitions]
    known = [lag for lag in lags if lag is not None]
    return sum(known) if lags and len(known) == len(lags) else None


def _of_processes(processes: Iterable[status.ProcessStatus], survey: Survey) -> Iterator[Said]:
    for one in processes:
        if one.state == status.PROCESS_STATE_SILENT:
            seconds = (survey.now_ms - one.report_time.ToMilliseconds()) / 1000
            yield one.name, f"it has said nothing for {seconds:.0f} s: it died, or is cut off from the log"
        if one.state == status.PROCESS_STATE_NOT_READY:
            for trouble in one.troubles:
                yield one.name, f"{trouble.subject}: {trouble.sentence}"


def _of_partitions(partitions: Iterable[status.PartitionStatus]) -> Iterator[Said]:
    for one in partitions:
        if one.state in _OWNER_SAYS:
            yield f"partition {one.partition}", _OWNER_SAYS[one.state].format(one)


def _nobody_tells(partitions: Iterable[status.PartitionStatus], survey: Survey) -> Iterator[Said]:
    if survey.holders is None:
        return  # That they could not be asked for is said already.
    for one in partitions:
        if one.state == status.PARTITION_STATE_UNKNOWN:
            why = "has not spoken of it: it has only just begun, or is of an older version, or cannot write"
            yield f"partition {one.partition}", f"its owner at {one.owner} {why}"


def _of_lanes(lanes: Iterable[status.LaneStatus]) -> Iterator[Said]:
    for one in lanes:
        subject = f"lane {one.lane} of {one.account}"
        if not one.workers:
            yield (
                subject,
                f"no worker: start one (cordboard worker --pool {one.account}); what waits there is not known",
            )
        elif one.unheld:
            yield subject, f"no worker holds its partitions {_in_words(one.unheld)}: they are being moved, or it broke"
        if one.stalled_seconds:
            yield subject, f"nothing was begun or ended for {one.stalled_seconds:.0f} s while work waits"
        if one.breakers_open and one.lane == Lane.URGENT.value:
            who = f"{one.breakers_open} of its workers" if one.breakers_open > 1 else "a worker"
            yield f"account {one.account}", f"to {who} Telnyx counts as away: nothing but hangups and probes is sent"


def _in_words(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _remarks(survey: Survey, living: Iterable[Heard]) -> Iterator[Said]:
    for account in sorted(survey.paused):
        yield f"account {account}", "it is paused by order: nothing but hangups is sent (cordboard resume)"
    if survey.letters:
        yield "dead letters", f"{survey.letters} records, receipts of replays among them (cordboard dead-letters list)"
    versions: Mapping[str, int] = {}
    for heard in living:
        versions = {**versions, heard.word.version: versions.get(heard.word.version, 0) + 1}
        for name, sentence in heard.word.remarks:
            yield heard.word.name, f"{name}: {sentence}"
    if len(versions) > 1:
        counted = ", ".join(f"{count} of {name}" for name, count in sorted(versions.items()))
        yield "versions", f"several at once, as in an upgrade: {counted}"
