# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of PromQL, operation by operation as in Prometheus 2.42, so that results are equal to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

Sample = tuple[int, float]
"""Milliseconds and a value; the value is never the stale marker."""


def written(value: float) -> str:
    """Return a value the way the HTTP API and the exposition formats write it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value).removesuffix(".0")
    if value == 0 or not 1e-6 <= abs(value) < 1e21:
        return text
    return format(Decimal(text), "f")


def _plus(more: float, total: float, lost: float) -> tuple[float, float]:
    """Add with the compensation of Kahan and Neumaier."""
    result = total + more
    lost += (total - result) + more if abs(total) >= abs(more) else (more - result) + total
    return result, lost


# -- aggregations over the series of one moment


def _largest(values: Sequence[float]) -> float:
    """Return the largest value; NaN counts only when there is nothing else."""
    result = values[0]
    for value in values[1:]:
        if value > result or math.isnan(result):
            result = value
    return result


def _smallest(values: Sequence[float]) -> float:
    result = values[0]
    for value in values[1:]:
        if value < result or math.isnan(result):
            result = value
    return result


def _sum(values: Sequence[float]) -> float:
    result = values[0]
    for value in values[1:]:
        result += value
    return result


def _keeps_infinity(mean: float, value: float) -> bool:
    """Tell whether an infinite mean stays as it is."""
    return math.isinf(mean) and not math.isnan(value) and (not math.isinf(value) or (mean > 0) == (value > 0))


def _average(values: Sequence[float]) -> float:
    mean = values[0]
    for count, value in enumerate(values[1:], 2):
        if not _keeps_infinity(mean, value):
            mean += value / count - mean / count
    return mean


def _count(values: Sequence[float]) -> float:
    return float(len(values))


AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": _sum,
    "max": _largest,
    "min": _smallest,
    "avg": _average,
    "count": _count,
}


# -- functions over the samples of one series


def _average_over_time(samples: Sequence[Sample]) -> float:
    mean = lost = 0.0
    for count, (_moment, value) in enumerate(samples, 1):
        if not _keeps_infinity(mean, value):
            mean, lost = _plus(value / count - mean / count, mean, lost)
    return mean if math.isinf(mean) else mean + lost


def _slope(samples: Sequence[Sample]) -> float | None:
    """Return the slope of the least-squares line; one sample has none."""
    if len(samples) < 2:
        return None
    start, first = samples[0]
    if all(value == first for _moment, value in samples):
        return math.nan if math.isinf(first) else 0.0
    sums = [(0.0, 0.0)] * 4
    for moment, value in samples:
        x = (moment - start) / 1e3
        terms = (x, value, x * value, x * x)
        sums = [_plus(term, *pair) for term, pair in zip(terms, sums, strict=True)]
    sum_x, sum_y, sum_xy, sum_xx = (total + lost for total, lost in sums)
    count = float(len(samples))
    return (sum_xy - sum_x * sum_y / count) / (sum_xx - sum_x * sum_x / count)


def _of_values(function: Callable[[Sequence[float]], float]) -> Callable[[Sequence[Sample]], float | None]:
    return lambda samples: function([value for _moment, value in samples])


FUNCTIONS: dict[str, Callable[[Sequence[Sample]], float | None]] = {
    "max_over_time": _of_values(_largest),
    "min_over_time": _of_values(_smallest),
    "count_over_time": _of_values(_count),
    "last_over_time": lambda samples: samples[-1][1],
    "avg_over_time": _average_over_time,
    "deriv": _slope,
}
