# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as text for a real Prometheus: the present in its own format, the past as OpenMetrics."""

from __future__ import annotations

from collections.abc import Iterable

from .metrics import Series
from .promql_parser import NAME_LABEL
from .promql_values import written

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def _families(series: Iterable[Series]) -> dict[str, list[Series]]:
    found: dict[str, list[Series]] = {}
    for one in series:
        found.setdefault(one.name, []).append(one)
    return {name: found[name] for name in sorted(found)}


def _named(series: Series) -> str:
    """Return the metric with its labels."""
    labels = [f'{name}="{text.translate(_ESCAPES)}"' for name, text in series.labels.items() if name != NAME_LABEL]
    return f"{series.name}{{{','.join(labels)}}}"


def present(series: Iterable[Series]) -> str:
    """Return what a scrape gets now; a series without a sample in the present interval is left out."""
    lines = []
    for name, members in _families(series).items():
        samples = [(one, one.present()) for one in members]
        shown = [f"{_named(one)} {written(value)}" for one, value in samples if value is not None]
        lines += [f"# TYPE {name} gauge", *shown] if shown else []
    return "".join(line + "\n" for line in lines)


def history(series: Iterable[Series], first: int, last: int, step: int) -> str:
    """Return the samples from first to last, at most one in each step; stale markers cannot be written."""
    lines = []
    for name, members in _families(series).items():
        lines.append(f"# TYPE {name} gauge")
        for one in members:
            named, due = _named(one), first
            for moment, value in one.points(first, last):
                if value is not None and moment >= due:
                    lines.append(f"{named} {written(value)} {written(moment / 1000)}")
                    due = moment + step
    return "".join(line + "\n" for line in [*lines, "# EOF"])
