"""files/topics.yaml: what the topics must be, for Strimzi's operator, from what Cordboard itself demands of them."""

from __future__ import annotations

from typing import Any, Final

import yaml

from cordboard.log.kafka.demands import Demand, demands
from cordboard.topics import Topics
from cordboard.work import Lane

# Stand-ins: the chart puts its own prefix, pools and partition count in their place.
_PREFIX: Final = "prefix"
_POOL: Final = "pool"
_PARTITIONS: Final = 1000


def topics() -> bytes:
    """The file's content."""
    names = Topics(_PREFIX)
    specs = names.specs([_POOL], _PARTITIONS)
    made = demands(specs, ledger=names.ledger, partitions=_PARTITIONS, inputs=names.inputs)
    work = {names.work(_POOL, lane): lane for lane in Lane}
    content = {
        "topics": [{"name": _short(one.topic), **_of(one)} for one in made if one.topic not in work],
        "work": [{"lane": work[one.topic].value, **_of(one)} for one in made if one.topic in work],
    }
    head = "# Made by `make manifests` from what Cordboard demands of topics. Partitions: the settings', unless said.\n"
    return (head + yaml.safe_dump(content, sort_keys=False, width=120)).encode()


def _of(demand: Demand) -> dict[str, Any]:
    own = {} if demand.partitions == _PARTITIONS else {"partitions": demand.partitions}
    # Text, as everything that stands in a topic's configuration: a number of milliseconds is written in full.
    return {**own, "config": {rule.setting: rule.value for rule in demand.rules}}


def _short(topic: str) -> str:
    return topic.removeprefix(f"{_PREFIX}.")
