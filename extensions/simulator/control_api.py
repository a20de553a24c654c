# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control routes under /_control: the Python API over HTTP, for tests in another process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import shapes
from .exposition import OPENMETRICS, TEXT, history, present
from .metrics import milliseconds
from .wire import Answer, Refusal, Request, Route, find

if TYPE_CHECKING:
    from .simulator import Simulator

PREFIX = "/_control"
_CLOCK = shapes.mapping(optional={"advance": shapes.number, "speed": shapes.number})
_SWITCHES = shapes.mapping(others=shapes.anything)
_FAULT = shapes.mapping({"action": shapes.text()}, others=shapes.anything)
_TOPICS = shapes.mapping(
    {"instance": shapes.text()},
    {"create": shapes.text(), "delete": shapes.text(), "partitions": shapes.whole(1, 100000)},
)


def _health(simulator: Simulator, body: Any) -> Any:
    return {"status": "ok", "url": simulator.url, "now": simulator.clock.now()}


def _journal(simulator: Simulator, body: Any) -> Any:
    return simulator.journal


def _clear(simulator: Simulator, body: Any) -> Any:
    simulator.clear_journal()
    return {}


def _state(simulator: Simulator, body: Any) -> Any:
    return simulator.snapshot()


def _clock(simulator: Simulator, body: Any) -> Any:
    if "speed" in body:
        simulator.clock.speed = body["speed"]
    simulator.clock.advance(body.get("advance", 0))
    return {"now": simulator.clock.now(), "speed": simulator.clock.speed}


def _switches(simulator: Simulator, body: Any) -> Any:
    for name, value in (body or {}).items():
        simulator.set_switch(name, value)
    return simulator.switches


def _faults(simulator: Simulator, body: Any) -> Any:
    if body is not None:
        return {"id": simulator.add_fault(**body)}
    return simulator.faults


def _clear_faults(simulator: Simulator, body: Any) -> Any:
    simulator.clear_faults()
    return {}


def _reset(simulator: Simulator, body: Any) -> Any:
    simulator.reset()
    return {}


def _topics(simulator: Simulator, body: Any) -> Any:
    if "create" in body:
        simulator.create_topic(body["instance"], body["create"], body.get("partitions", 1))
    if "delete" in body:
        simulator.delete_topic(body["instance"], body["delete"])
    return {}


def _stop_producers(simulator: Simulator, body: Any) -> Any:
    simulator.stop_producers()
    return {}


def _shutdown(simulator: Simulator, body: Any) -> Any:
    simulator.ended.set()
    return {}


def _metrics(simulator: Simulator, query: dict[str, str]) -> Answer:
    return Answer(200, present(simulator.metrics()).encode(), content_type=TEXT)


def _openmetrics(simulator: Simulator, query: dict[str, str]) -> Answer:
    hours, step = float(query.pop("hours", "24")), float(query.pop("step", "60"))
    if query or not 0 < hours <= 1000 or not 1 <= step <= 1e6:
        raise ValueError("only hours (up to 1000) and step (seconds, 1 or more) are known")
    now = milliseconds(simulator.clock.now())
    text = history(simulator.metrics(), now - milliseconds(hours * 3600), now, milliseconds(step))
    return Answer(200, text.encode(), content_type=OPENMETRICS)


Action = Callable[["Simulator", Any], Any]
ACTIONS: dict[tuple[str, str], tuple[Action, shapes.Shape | None]] = {
    ("GET", "/health"): (_health, None),
    ("GET", "/journal"): (_journal, None),
    ("DELETE", "/journal"): (_clear, None),
    ("GET", "/state"): (_state, None),
    ("POST", "/clock"): (_clock, _CLOCK),
    ("GET", "/switches"): (_switches, None),
    ("POST", "/switches"): (_switches, _SWITCHES),
    ("GET", "/faults"): (_faults, None),
    ("POST", "/faults"): (_faults, _FAULT),
    ("DELETE", "/faults"): (_clear_faults, None),
    ("POST", "/reset"): (_reset, None),
    ("POST", "/topics"): (_topics, _TOPICS),
    ("POST", "/stop_producers"): (_stop_producers, None),
    ("POST", "/shutdown"): (_shutdown, None),
}
EXPORTS: dict[tuple[str, str], Callable[[Simulator, dict[str, str]], Answer]] = {
    ("GET", "/metrics"): _metrics,
    ("GET", "/openmetrics"): _openmetrics,
}
_ROUTES = [Route(method, path, lambda call: Answer(200)) for method, path in [*ACTIONS, *EXPORTS]]


def control(simulator: Simulator, request: Request) -> Answer:
    """Answer a control request; mistakes are 400, 404 and 405 with a message."""
    request.path = request.path[len(PREFIX) :]
    try:
        route, _dummy = find(_ROUTES, request)
    except Refusal as refusal:
        return Answer(404 if refusal.status == 501 else 405, {"message": str(refusal)})
    chosen = route.method, route.path
    try:
        if chosen in EXPORTS:
            return EXPORTS[chosen](simulator, dict(request.query))
        action, shape = ACTIONS[chosen]
        body = json.loads(request.body) if shape is not None else None
        problems = list(shape(body, "body")) if shape is not None else []
        if problems:
            raise ValueError(problems[0])
        return Answer(200, action(simulator, body))
    except (ValueError, KeyError, TypeError) as problem:
        return Answer(400, {"message": str(problem.args[0] if problem.args else problem)})
