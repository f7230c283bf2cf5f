"""Who owns which partition of the ledger, as the embedded log keeps it in memory; a batch makes it durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cordboard.log.port import Claim, Fenced, PositionsLost
from cordboard.log.store import Batch


class Claims:
    """The last epoch of every partition, whether its holder still has it, and owners' positions in the inputs."""

    def __init__(
        self, epochs: Mapping[int, int], positions: Mapping[tuple[int, str], int], inputs: Sequence[str]
    ) -> None:
        self._epochs = dict(epochs)
        self._positions = dict(positions)
        self._inputs = inputs
        self._holders: dict[int, int] = {}  # The epoch in force by partition.

    def claim(self, partition: int, batch: Batch) -> Claim:
        """Make a new claim: from here on, in this batch already, all earlier ones are void."""
        last = batch.claims.get(partition, self._epochs.get(partition, 0))
        if last == 0:
            batch.positions |= {(partition, topic): 0 for topic in self._inputs}
        stored = self._positions | batch.positions
        positions = {topic: offset for (number, topic), offset in stored.items() if number == partition}
        if missing := [topic for topic in self._inputs if topic not in positions]:
            raise PositionsLost(
                f"partition {partition} was owned before, but its positions in {', '.join(missing)} are not stored"
            )
        self._holders[partition] = batch.claims[partition] = last + 1
        return Claim(partition, last + 1, positions)

    def check(self, claim: Claim) -> None:
        """Raise Fenced unless the claim is in force."""
        if self._holders.get(claim.partition) != claim.epoch:
            raise Fenced(f"partition {claim.partition}: claim {claim.epoch} is void")

    def durable(self, batch: Batch) -> None:
        """Take note of what was committed."""
        self._epochs |= batch.claims
        self._positions |= batch.positions

    def void(self, claim: Claim) -> None:
        """End a claim whose owner can no longer know what was written."""
        if self._holders.get(claim.partition) == claim.epoch:
            del self._holders[claim.partition]

    def vacate(self, partition: int) -> None:
        """End whatever claim is in force: a newer one failed, and may be on disk."""
        self._holders.pop(partition, None)

    def settled_to(self, topic: str, partition: int) -> int | None:
        """The offset before which an input has been settled; None for topics that are no inputs."""
        return self._positions.get((partition, topic), 0) if topic in self._inputs else None
