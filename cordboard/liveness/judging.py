"""A stall told from work and from rest.

Rule 1: it is judged from outside, by two facts: where the log ends, and how far the holder of a partition says that it
is done. So it does not matter where the holder hangs: in reading, in settling, or in something that nobody thought of.
Rule 2: any step forward begins the count anew. Time in which a holder has an excuse (its state is being restored, the
pace lets nothing go) is not counted.
Rule 3: where the log does not tell its ends, those known before stand: ends only grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cordboard.log.port import TopicPartition

Place = tuple[tuple[str, ...], int]
Ends = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Post:
    """A partition in somebody's care. `holder` is empty for a dispatcher, pool and lane for a worker.

    `reached`: by input, the offset before which all is done; what is missing is not known yet, and counts as waiting.
    `steps` changes with every other step forward. `excuse`: why nothing need be done now.
    """

    partition: int
    reached: Mapping[TopicPartition, int | None]
    holder: tuple[str, ...] = ()
    steps: int = 0
    excuse: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return " ".join((*self.holder, "partition", str(self.partition)))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a post was found. `stalled_seconds`: how long nothing was done; 0 unless that is too long.

    `doubt`: why the log did not tell where it ends.
    """

    post: Post
    lags: Mapping[TopicPartition, int]
    stalled_seconds: float
    doubt: str = ""


@dataclass(slots=True)
class _Seen:
    """What is remembered of a post."""

    post: Post
    at_seconds: float
    ends: dict[TopicPartition, int] = field(default_factory=dict)
    furthest: dict[TopicPartition, int] = field(default_factory=dict)
    idle_seconds: float = 0.0


class Judge:
    """Tells a stall from work and from rest. `stall_seconds`: how long nothing may be done while something waits."""

    def __init__(self, stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._seen: dict[Place, _Seen] = {}

    def judge(self, post: Post, ends: Ends, doubt: str, now_seconds: float) -> Standing:
        """How a post is found at a time of any clock that only goes forward; `ends` may lack what is not known."""
        seen = self._seen.setdefault(place_of(post), _Seen(post, now_seconds))
        seen.ends |= ends
        lags = {
            at: max(seen.ends[at] - offset, 0)
            for at, offset in post.reached.items()
            if offset is not None and at in seen.ends
        }
        waits = any(lags.values()) or None in post.reached.values()
        if _went_on(seen, post) or not waits:
            seen.idle_seconds = 0.0
        elif not post.excuse and not seen.post.excuse:
            seen.idle_seconds += now_seconds - seen.at_seconds
        seen.post, seen.at_seconds = post, now_seconds
        stalled = seen.idle_seconds if seen.idle_seconds >= self._stall_seconds else 0.0
        return Standing(post, lags, stalled, doubt)

    def forget_all_but(self, posts: Iterable[Post]) -> list[Post]:
        """Forget what is held no more, and say what that was."""
        gone = self._seen.keys() - {place_of(post) for post in posts}
        return [self._seen.pop(place).post for place in sorted(gone)]


def _went_on(seen: _Seen, post: Post) -> bool:
    went_on = post.steps != seen.post.steps
    for at, offset in post.reached.items():
        # An owner that claims again and again falls back each time, and is no further for it.
        if offset is not None and offset > seen.furthest.get(at, -1):
            seen.furthest[at] = offset
            went_on = True
    return went_on


def place_of(post: Post) -> Place:
    """By what posts are told apart."""
    return post.holder, post.partition
