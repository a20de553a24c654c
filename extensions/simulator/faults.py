# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planned trouble: which request is hit, and what happens to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .wire import ADMIN, HTML, IAM, METADATA, MONITORING, RESOURCE_CONTROLLER, SEARCH, Call

ACTIONS: dict[str, str] = {
    "status": "answer `status` with `body` and `headers`, without processing (with `processed: true`, after it)",
    "unauthorized": "answer 401 in the shape of the API, without processing",
    "forbidden": "answer 403 in the shape of the API, without processing",
    "not_found": "answer 404 in the shape of the API, without processing",
    "truncated_json": "process, then cut the answer's JSON in half",
    "html_body": "process, then answer HTML with the same status",
    "empty_body": "process, then answer nothing with the same status",
    "cut_connection": "process, then announce a longer body than is sent and close",
    "reset_before": "close the connection without processing",
    "reset_after": "process, then close the connection without an answer",
    "hang": "process, wait `seconds` of real time, then answer (with `processed: false`, answer 503 instead)",
    "stale_operation": "PATCH: process; the next reads still show the finished operation from before",
    "operation_stuck": "PATCH: process; the operation never ends",
    "operation_failed": "PATCH: process; the operation ends as failed",
}
SHAPED = {"unauthorized": 401, "forbidden": 403, "not_found": 404}
EFFECTS = ("stale_operation", "operation_stuck", "operation_failed")
BODIES = ("json", "html", "empty", "array", "truncated")


@dataclass
class Fault:
    """One planned trouble. ``times`` None means for ever."""

    id: int
    action: str
    api: str | None = None
    method: str | None = None
    path: str | None = None
    instance: str | None = None
    nth: int = 1
    times: int | None = 1
    status: int = 500
    body: Any = "json"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    processed: bool | None = None
    seen: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown fault action {self.action!r}; one of {', '.join(ACTIONS)}")
        if self.api not in (None, IAM, RESOURCE_CONTROLLER, ADMIN, SEARCH, MONITORING, METADATA):
            raise ValueError(f"unknown api {self.api!r}")
        if isinstance(self.body, str) and self.body not in BODIES:
            raise ValueError(f"unknown body {self.body!r}; one of {', '.join(BODIES)}, or JSON data")
        if self.nth < 1 or (self.times is not None and self.times < 1):
            raise ValueError("nth and times start at 1")
        if not 100 <= self.status <= 599 or self.seconds < 0:
            raise ValueError("status or seconds out of range")
        self._pattern = re.compile(self.path or "")

    def hits(self, call: Call) -> bool:
        """Count a matching request and tell whether its turn has come."""
        if self.api not in (None, call.api):
            return False
        if self.method is not None and self.method.upper() != call.request.method:
            return False
        if not self._pattern.search(call.request.path):
            return False
        if self.instance is not None and self.instance not in (call.guid, call.request.path.rpartition("/")[2]):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)

    @property
    def processes(self) -> bool:
        """Tell whether the request is processed."""
        if self.action in SHAPED or self.action == "reset_before":
            return False
        if self.processed is not None:
            return self.processed
        return self.action != "status"

    def as_dict(self) -> dict[str, Any]:
        """Return what was asked for, and how often it matched."""
        return {
            "id": self.id,
            "action": self.action,
            "api": self.api,
            "method": self.method,
            "path": self.path,
            "instance": self.instance,
            "nth": self.nth,
            "times": self.times,
            "status": self.status,
            "body": self.body,
            "headers": self.headers,
            "seconds": self.seconds,
            "processed": self.processed,
            "seen": self.seen,
        }


class Faults:
    """All planned faults; the first that hits wins, the others still count the request."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self._number = 0

    def add(self, action: str, **details: Any) -> Fault:
        """Plan a fault."""
        allowed = set(Fault.__dataclass_fields__) - {"id", "action", "seen"}
        unknown = set(details) - allowed
        if unknown:
            raise ValueError(f"unknown fault member {sorted(unknown)[0]!r}; one of {', '.join(sorted(allowed))}")
        try:
            fault = Fault(self._number + 1, action, **details)
        except (TypeError, re.error) as problem:
            raise ValueError(str(problem)) from None
        self._number += 1
        self.planned.append(fault)
        return fault

    def clear(self, number: int | None = None) -> None:
        """Forget one fault, or all."""
        self.planned = [fault for fault in self.planned if number is not None and fault.id != number]

    def next(self, call: Call) -> Fault | None:
        """Return the fault for this request."""
        hits = [fault for fault in self.planned if fault.hits(call)]
        return hits[0] if hits else None


__all__ = ["ACTIONS", "EFFECTS", "HTML", "SHAPED", "Fault", "Faults"]
