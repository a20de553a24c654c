# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates the part of PromQL that is simulated, as Prometheus 2.42 does. Times are whole milliseconds."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Protocol

from .promql_parser import (
    NAME_LABEL,
    Above,
    Aggregation,
    Expression,
    Function,
    PromqlError,
    Selector,
    Subquery,
    Topk,
    parse,
)
from .promql_values import AGGREGATIONS, FUNCTIONS, Sample, written

LOOKBACK = 300_000
Point = tuple[int, float | None]
"""Milliseconds and a value; None is the stale marker."""


class Series(Protocol):
    """One time series as a store hands it out."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the labels, the metric's name as ``__name__``."""

    def points(self, first: int, last: int) -> list[Point]:
        """Return the points from first to last, both included, in order of time."""


class ExecutionError(ValueError):
    """The expression is right, but cannot be answered."""


@dataclass(frozen=True)
class Result:
    """One series of a result: a value for each moment that has one."""

    labels: dict[str, str]
    values: dict[int, float]


def evaluate(expression: Expression, moments: Sequence[int], store: Sequence[Series]) -> list[Result]:
    """Return the result at each of the moments (in order of time), sorted by labels."""
    if isinstance(expression, Selector):
        return _select(expression, moments, store)
    if isinstance(expression, Function):
        return _apply(expression, moments, store)
    if isinstance(expression, Above):
        return _above(expression, moments, store)
    if isinstance(expression, Topk):
        return _largest(expression, moments, store)
    return _aggregate(expression, moments, store)


def _chosen(selector: Selector, store: Sequence[Series]) -> list[Series]:
    found = [one for one in store if all(matcher.matches(one.labels) for matcher in selector.matchers)]
    return sorted(found, key=lambda one: sorted(one.labels.items()))


def _select(selector: Selector, moments: Sequence[int], store: Sequence[Series]) -> list[Result]:
    """Return the newest value that is at most five minutes old, unless the series has ended."""
    results = []
    for one in _chosen(selector, store):
        points = one.points(moments[0] - LOOKBACK, moments[-1])
        values: dict[int, float] = {}
        for moment in moments:
            place = bisect_right(points, moment, key=itemgetter(0))
            if place and points[place - 1][0] >= moment - LOOKBACK:
                value = points[place - 1][1]
                if value is not None:
                    values[moment] = value
        if values:
            results.append(Result(dict(one.labels), values))
    return results


def _apply(call: Function, moments: Sequence[int], store: Sequence[Series]) -> list[Result]:
    function: Callable[[Sequence[Sample]], float | None] = FUNCTIONS[call.name]
    span = call.argument.span
    results = []
    for labels, samples in _samples(call.argument, moments, store):
        values: dict[int, float] = {}
        for moment in moments:
            first = bisect_left(samples, moment - span, key=itemgetter(0))
            after = bisect_right(samples, moment, key=itemgetter(0))
            value = function(samples[first:after]) if first < after else None
            if value is not None:
                values[moment] = value
        if values:
            keeps_name = call.name == "last_over_time"
            kept = {name: text for name, text in labels.items() if keeps_name or name != NAME_LABEL}
            results.append(Result(kept, values))
    return _unique(results)


def _samples(
    argument: Selector | Subquery, moments: Sequence[int], store: Sequence[Series]
) -> Iterator[tuple[Mapping[str, str], list[Sample]]]:
    """Yield labels and samples of each series, all that any of the moments needs."""
    first, last = moments[0] - argument.span, moments[-1]
    if isinstance(argument, Selector):
        for one in _chosen(argument, store):
            yield one.labels, [(moment, value) for moment, value in one.points(first, last) if value is not None]
        return
    steps = range(-(-first // argument.step) * argument.step, last + 1, argument.step)
    for result in evaluate(argument.argument, steps, store) if steps else ():
        yield result.labels, sorted(result.values.items())


def _above(call: Above, moments: Sequence[int], store: Sequence[Series]) -> list[Result]:
    found = evaluate(call.argument, moments, store)
    kept = [
        Result(one.labels, {moment: value for moment, value in one.values.items() if value > call.limit})
        for one in found
    ]
    return [one for one in kept if one.values]


def _groups(
    call: Aggregation | Topk, moments: Sequence[int], store: Sequence[Series]
) -> dict[tuple[tuple[str, str], ...], list[Result]]:
    """Return the series of the argument by their values of the labels that count."""
    groups: dict[tuple[tuple[str, str], ...], list[Result]] = {}
    for one in evaluate(call.argument, moments, store):
        key = tuple((name, one.labels[name]) for name in sorted(set(call.by)) if one.labels.get(name))
        groups.setdefault(key, []).append(one)
    return groups


def _largest(call: Topk, moments: Sequence[int], store: Sequence[Series]) -> list[Result]:
    """Return the series with the largest values of each moment; NaN is smaller than every number. Of equals, Prometheus takes any."""
    results = []
    for group in _groups(call, moments, store).values():
        kept: list[dict[int, float]] = [{} for _one in group]
        for moment in moments:
            present = [number for number, one in enumerate(group) if moment in one.values]
            values = {number: group[number].values[moment] for number in present}
            present.sort(key=lambda number: (not math.isnan(values[number]), values[number]), reverse=True)
            for number in present[: call.most]:
                kept[number][moment] = values[number]
        results += [Result(one.labels, values) for one, values in zip(group, kept, strict=True) if values]
    return sorted(results, key=lambda one: sorted(one.labels.items()))


def _aggregate(call: Aggregation, moments: Sequence[int], store: Sequence[Series]) -> list[Result]:
    groups = _groups(call, moments, store)
    results = []
    for key in sorted(groups):
        values: dict[int, float] = {}
        for moment in moments:
            present = [one.values[moment] for one in groups[key] if moment in one.values]
            if present:
                values[moment] = AGGREGATIONS[call.name](present)
        results.append(Result(dict(key), values))
    return results


def _unique(results: list[Result]) -> list[Result]:
    """Refuse two series that differ only in the name they lost."""
    results.sort(key=lambda one: sorted(one.labels.items()))
    for one, other in pairwise(results):
        if one.labels == other.labels:
            raise ExecutionError("vector cannot contain metrics with the same labelset")
    return results


__all__ = ["ExecutionError", "Expression", "Point", "PromqlError", "Result", "Series", "evaluate", "parse", "written"]
