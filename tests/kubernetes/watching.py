"""The least number of pods of each part that were ready, by every change that the API server tells of."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

from clusters.tools import program

Object = dict[str, Any]


class Least:
    """Watches a namespace's pods inside `with`; `seen` is the least that were ready, by part."""

    def __init__(self, config: Path, namespace: str) -> None:
        self.seen: dict[str, int] = {}
        self._command = [program("kubectl"), "--kubeconfig", str(config), "--namespace", namespace]
        self._pods: dict[str, Object] = {}
        self._watching: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._known = threading.Event()
        self._wanted: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        words = ["get", "pods", "--watch", "--output-watch-events", "-o", "json"]
        self._wanted = self._now()
        self._watching = subprocess.Popen([*self._command, *words], stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, args=(self._watching.stdout,), daemon=True)
        self._reader.start()
        assert self._known.wait(30), "the API server tells nothing"
        return self

    def __exit__(self, *_: object) -> None:
        """Hear what has happened until now, then end the watch."""
        assert self._watching is not None
        assert self._reader is not None
        self._known.clear()
        self._wanted = self._now()
        self._known.wait(5)
        self._watching.terminate()
        self._watching.wait()
        self._reader.join()

    def _now(self) -> frozenset[str]:
        told = subprocess.run([*self._command, "get", "pods", "-o", "json"], capture_output=True, text=True, check=True)
        return frozenset(one["metadata"]["uid"] for one in json.loads(told.stdout)["items"])

    def _read(self, told: IO[str]) -> None:
        begun = False
        for event in _events(told):
            pod = event["object"]
            if event["type"] == "DELETED":
                self._pods.pop(pod["metadata"]["uid"], None)
            else:
                self._pods[pod["metadata"]["uid"]] = pod
            if self._wanted <= self._pods.keys():
                begun = True
                self._known.set()
            if begun:
                self._look()

    def _look(self) -> None:
        ready = Counter(_part(one) for one in self._pods.values() if is_ready(one))
        for part in {_part(one) for one in self._pods.values()}:
            self.seen[part] = min(self.seen.get(part, ready[part]), ready[part])


def is_ready(pod: Object) -> bool:
    """Whether it is ready, and not on its way out."""
    conditions = pod.get("status", {}).get("conditions", ())
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _part(pod: Object) -> str:
    found: str = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    return found


def _events(told: IO[str]) -> Iterator[Object]:
    """One on each line."""
    for line in told:
        yield json.loads(line)
