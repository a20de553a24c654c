# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""IBM Cloud Monitoring on the wire: queries in the manner of the Prometheus HTTP API (API §7)."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from .metrics import all_series, milliseconds
from .monitors import Monitor
from .promql import ExecutionError, Expression, PromqlError, Result, evaluate, parse, written
from .promql_parser import duration
from .search_api import authenticate as find_caller
from .wire import Answer, Call, Refusal, Route

MOST_POINTS = 11_000
LARGEST = 9_223_372_036_854
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_PROMETHEUS = {"bad_data": 400, "execution": 422}


def authenticate(call: Call) -> None:
    """Find the caller, and the monitoring instance that is asked (API §7.1)."""
    find_caller(call)
    known = call.who
    guid = call.request.headers.get("ibminstanceid")
    monitor = call.world.monitors.get(guid or "")
    if monitor is None or known.instances == "none" or known.account != monitor.account:
        status = int(call.world.switches["monitoring_refusal"])
        words = f"IBMInstanceID is not a monitoring instance that the caller may see: {guid}"
        raise Refusal(status, "forbidden", words if guid else "IBMInstanceID is missing", violation=not guid)
    call.guid = monitor.guid


def error(refusal: Refusal, call: Call) -> Answer:
    """Put a refusal into a shape: that of Prometheus if it is one of its errors; no source shows the others."""
    if refusal.code in _PROMETHEUS:
        body: dict[str, Any] = {"status": "error", "errorType": refusal.code, "error": refusal.message}
    else:
        body = {"errors": [{"reason": refusal.code, "message": refusal.message}]}
    return Answer(refusal.status, body, dict(refusal.headers))


def _bad(message: str, *, violation: bool = False) -> Refusal:
    return Refusal(400, "bad_data", message, violation=violation)


# -- parameters


def _expression(call: Call) -> Expression:
    text = call.query.get("query", "")
    if not text:
        raise _bad('invalid parameter "query": unknown position: parse error: no expression found', violation=True)
    try:
        return parse(text)
    except PromqlError as problem:
        raise _bad(f'invalid parameter "query": {problem}') from None


def _number(text: str) -> float | None:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return number if abs(number) < LARGEST / 1000 else None


def _moment(call: Call, name: str, default: float | None = None) -> int:
    """Return a time in milliseconds: epoch seconds, or RFC 3339."""
    text = call.query.get(name, "")
    if not text and default is not None:
        return milliseconds(default)
    number = _number(text)
    if number is not None:
        return milliseconds(number)
    found = _RFC3339.fullmatch(text)
    try:
        if found is not None:
            zone = "+00:00" if found[3] == "Z" else found[3]
            return milliseconds(datetime.fromisoformat(found[1] + zone).timestamp() + float(found[2] or 0))
    except (ValueError, OverflowError):
        pass
    words = f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp'
    raise _bad(words, violation=True)


def _step(call: Call) -> int:
    """Return the step in milliseconds: seconds, or a duration."""
    text = call.query.get("step", "")
    number = _number(text)
    try:
        step = duration(text) if number is None else int(number * 1000)
    except PromqlError:
        words = f'invalid parameter "step": cannot parse "{text}" to a valid duration'
        raise _bad(words, violation=True) from None
    if step <= 0:
        words = "zero or negative query resolution step widths are not accepted. Try a positive integer"
        raise _bad(f'invalid parameter "step": {words}', violation=True)
    return step


# -- queries


def _evaluated(call: Call, expression: Expression, moments: range) -> list[Result]:
    monitor: Monitor = call.world.monitors[call.guid or ""]
    instances = [instance for instance in call.world.instances.values() if monitor.sees(instance)]
    try:
        return evaluate(expression, moments, all_series(call.world, call.now, instances))
    except ExecutionError as problem:
        raise Refusal(422, "execution", str(problem)) from None


def _pair(moment: int, value: float) -> list[Any]:
    return [moment // 1000 if moment % 1000 == 0 else moment / 1000, written(value)]


def _success(kind: str, result: list[dict[str, Any]]) -> Answer:
    return Answer(200, {"status": "success", "data": {"resultType": kind, "result": result}})


def query(call: Call) -> Answer:
    """Evaluate an expression at one time."""
    moment = _moment(call, "time", call.now)
    expression = _expression(call)
    found = _evaluated(call, expression, range(moment, moment + 1))
    return _success(
        "vector",
        [{"metric": one.labels, "value": _pair(moment, value)} for one in found for value in one.values.values()],
    )


def query_range(call: Call) -> Answer:
    """Evaluate an expression at every step of a time."""
    start, end = _moment(call, "start"), _moment(call, "end")
    if end < start:
        raise _bad('invalid parameter "end": end timestamp must not be before start time', violation=True)
    step = _step(call)
    if (end - start) // step > MOST_POINTS:
        words = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"
        raise _bad(words)
    found = _evaluated(call, _expression(call), range(start, end + 1, step))
    matrix = [
        {"metric": one.labels, "values": [_pair(moment, value) for moment, value in one.values.items()]}
        for one in found
    ]
    return _success("matrix", matrix)


_BASE = "/api/prometheus/api/v1"
ROUTES = (
    Route("GET", f"{_BASE}/query", query, ["query", "time"]),
    Route("GET", f"{_BASE}/query_range", query_range, ["query", "start", "end", "step"]),
)
