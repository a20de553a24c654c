# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which metrics Event Streams has, how to ask for them in PromQL, and what the answers mean (API §7.2). Pure.

Private to this collection: it may change at any time. A value that is not there, or is no number, is None, never 0.
"""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput

PREFIX = "ibm_eventstreams_instance_"
NAMES = {
    "mirroring_latency": f"{PREFIX}mirroring_latency_seconds",
    "mirroring_throughput": f"{PREFIX}mirroring_throughput_bytes_per_second",
    "bytes_in": f"{PREFIX}bytes_in_per_second",
    "bytes_out": f"{PREFIX}bytes_out_per_second",
    "topic_bytes_in": f"{PREFIX}topic_bytes_in_per_second",
    "topic_bytes_out": f"{PREFIX}topic_bytes_out_per_second",
    "partitions": f"{PREFIX}partitions",
    "utilization": f"{PREFIX}utilization",
}
"""The names of today; older ones had no units (API §7.2), so they can be given."""

INSTANCE, TOPIC = "ibm_service_instance", "ibm_eventstreams_topic"
SAMPLED_EVERY = 60.0
"""Seconds between two samples of a metric, as platform metrics have it (inferred)."""

LOOKBACK = 300.0
"""Seconds after which a value that nothing has followed is no newest one any more (API §7.1)."""

KEPT, ROLLED_UP = 2 * 86400.0, 600.0
"""Seconds for which all samples are kept, and between two samples of what is older, as the vendor of Monitoring has it (inferred)."""

MOST_STEPS = 1440
LONGEST_BATCH = 2000
"""Characters of names of topics in one query."""

SHORTEST_WINDOW, LONGEST_WINDOW = 300.0, 7 * 86400.0
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


class Rate(t.NamedTuple):
    """Bytes per second: now, and at the peak of the window."""

    now: float | None
    peak: float | None

    def to_result(self) -> dict[str, float | None]:
        """The shape that modules return."""
        return {"now": self.now, "peak": self.peak}


UNKNOWN_RATE = Rate(None, None)


def read_names(given: dict[str, str] | None) -> dict[str, str]:
    """The names of all metrics, those that were given in place of the usual ones. Raises InvalidInput."""
    for name, metric in (given or {}).items():
        if name not in NAMES:
            raise InvalidInput(
                f"metric_names has {name!r}, which is none of {', '.join(NAMES)}", remedy="Correct the name."
            )
        if not isinstance(metric, str) or not _NAME.fullmatch(metric):
            raise InvalidInput(
                f"metric_names gives {metric!r} for {name}, which is no name of a metric",
                remedy=f"Give a name such as {NAMES[name]}.",
            )
    return {**NAMES, **(given or {})}


def read_window(seconds: float, option: str = "window") -> float:
    """How far to look back, in seconds, as this option says. Raises InvalidInput."""
    if not SHORTEST_WINDOW <= seconds <= LONGEST_WINDOW:
        raise InvalidInput(
            f"{option} is {seconds:g} s",
            remedy=f"Give between {SHORTEST_WINDOW:g} s and {LONGEST_WINDOW:g} s, which is a week.",
        )
    return seconds


def check_lag(most: float | None, wait: bool) -> None:
    """Raises InvalidInput for a limit that makes no sense, and for waiting without one."""
    if most is not None and not 0 <= most < math.inf:
        raise InvalidInput("max_lag must be 0 or more, in seconds")
    if wait and most is None:
        raise InvalidInput(
            "wait_for_lag is set without max_lag", remedy="Set max_lag to the seconds that are accepted."
        )


def step_of(window: float) -> float:
    """Seconds between the points of a window: as often as there are samples, and few enough for every server."""
    return max(SAMPLED_EVERY if window <= KEPT else ROLLED_UP, math.ceil(window / MOST_STEPS))


def reach_of(step: float) -> float:
    """Seconds within which a value of a step is looked for: samples may come a little late."""
    return 2 * SAMPLED_EVERY if step <= 2 * SAMPLED_EVERY else 2 * step


def of_instance(metric: str, guid: str, within: float | None = None) -> str:
    """A query for the metric of an instance; ``within`` so many seconds, its largest value there."""
    return f"max({_selected(metric, guid, within)})"


def of_least(metric: str, guid: str, within: float) -> str:
    """The same with its smallest value there."""
    return f"min({_over_time('min', _selected(metric, guid, None), within)})"


def of_topics(metric: str, guid: str, within: float | None = None) -> str:
    """The same for each of its topics."""
    return f"max({_selected(metric, guid, within)}) by ({TOPIC})"


def of_largest(metric: str, guid: str, within: float, most: int) -> str:
    """The same for so many of its topics, those with the largest values."""
    return f"topk({most}, {of_topics(metric, guid, within)})"


def of_last(metric: str, guid: str, within: float) -> str:
    """A query for the last value of each topic within so many seconds."""
    return f"max(last_over_time({_selected(metric, guid, None)}[{math.ceil(within)}s])) by ({TOPIC})"


def of_last_number(metric: str, guid: str, within: float) -> str:
    """The same, of the values that are numbers: what a topic had before its value became none."""
    each = _selected(metric, guid, SAMPLED_EVERY)
    return f"max(last_over_time(({each} > -Inf)[{math.ceil(within)}s:{SAMPLED_EVERY:g}s])) by ({TOPIC})"


def of_selected(metric: str, guid: str, topics: t.Iterable[str], within: float, *, numbers: bool = False) -> list[str]:
    """Queries for what these topics have together, each for some of them. Where a topic's value is no number the sum is none either; with
    ``numbers``, it is that of the others."""
    each = of_each(metric, guid, topics, within)
    return [f"sum({one} > -Inf)" if numbers else f"sum({one})" for one in each]


def of_each(metric: str, guid: str, topics: t.Iterable[str], within: float) -> list[str]:
    """Queries for what each of these topics has, each for some of them: a query is part of a URL."""
    return [f"max({_selected(metric, guid, within, chosen)}) by ({TOPIC})" for chosen in _batches(topics)]


def _batches(topics: t.Iterable[str]) -> list[str]:
    """Regular expressions for some of the topics each, as a query has them between double quotes."""
    texts = [_quoted(re.escape(topic)) for topic in topics]
    batches: list[list[str]] = []
    for text in texts:
        if not batches or sum(map(len, batches[-1])) + len(text) > LONGEST_BATCH:
            batches.append([])
        batches[-1].append(text)
    return ["|".join(batch) for batch in batches]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def together(answers: t.Iterable[t.Sequence[Series]]) -> list[Series]:
    """The sum of answers over the same times. A time of which any of them has no number tells nothing."""
    sums: dict[float, float | None] = {}
    for found in answers:
        for when, value in (point for one in found for point in one.points):
            before = sums.get(when, 0.0)
            sums[when] = None if value is None or before is None else before + value
    return [Series({}, sorted(sums.items()))] if sums else []


def without(found: t.Sequence[Series], part: t.Sequence[Series]) -> list[Series]:
    """An answer less another one over the same times, where that has a number."""
    less = {when: value for one in part for when, value in one.points if value is not None}
    return [
        Series(
            one.labels, [(when, None if value is None else value - less.get(when, 0.0)) for when, value in one.points]
        )
        for one in found
    ]


def _selected(metric: str, guid: str, within: float | None, topics: str | None = None) -> str:
    chosen = "" if topics is None else f',{TOPIC}=~"{topics}"'
    selector = f'{metric}{{{INSTANCE}="{_quoted(guid)}"{chosen}}}'
    return selector if within is None else _over_time("max", selector, within)


def _over_time(which: str, selector: str, within: float) -> str:
    return f"{which}_over_time({selector}[{math.ceil(within)}s])"


def value_of(found: t.Sequence[Series]) -> float | None:
    """The newest value of an answer without labels."""
    return found[0].points[-1][1] if found and found[0].points else None


def by_topic(found: t.Sequence[Series]) -> dict[str, float | None]:
    """The newest value of each topic."""
    return {one.labels.get(TOPIC, ""): one.points[-1][1] for one in found if one.points and one.labels.get(TOPIC)}


def covered(found: t.Sequence[Series], steps: int) -> float:
    """The share of so many steps of a time at which an answer without labels has a number."""
    known = {when for one in found for when, value in one.points if value is not None}
    return min(1.0, len(known) / steps)


def peak_of(found: t.Sequence[Series]) -> float | None:
    """The largest value of an answer over a time."""
    return max((value for one in found for _when, value in one.points if value is not None), default=None)
