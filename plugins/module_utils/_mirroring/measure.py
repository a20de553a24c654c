# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks Monitoring for everything that concerns mirroring. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Account
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Monitoring, Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import (
    Abandoned,
    ExchangeError,
    InvalidInput,
    MirrorOpsError,
    NotUnique,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import MEGABYTE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import (
    MOST_NAMES,
    NOTHING_KNOWN,
    REMEMBERED,
    TREND,
    Counting,
    Lag,
    read_lag,
    seconds,
    trend,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    LOOKBACK,
    SAMPLED_EVERY,
    TOPIC,
    UNKNOWN_RATE,
    Rate,
    by_topic,
    of_each,
    of_instance,
    of_largest,
    of_last,
    of_last_number,
    of_topics,
    peak_of,
    reach_of,
    step_of,
    value_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time, parse_time

PATIENCE = 15.0
"""Seconds that a check waits for metrics, which it can do without."""

NOTHING = (
    "There is no value of anything: this may be the wrong instance of IBM Cloud Monitoring, or platform metrics are not enabled for the "
    "region"
)
DRAWN = 8
"""How many topics a page has lines for: those that are furthest behind now, or were at their peaks."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """What Monitoring knows of an instance at a time, in seconds since the epoch, and over so many seconds before.

    ``latency`` (of a few topics, in seconds) and ``throughput`` (of mirroring, in bytes per second) are what a page draws; no result
    has them.
    """

    at: float
    window: float
    lag: Lag
    rates: dict[str, Rate]
    topics: dict[str, dict[str, Rate]]
    values: dict[str, float | None]
    latency: list[Series] = dataclasses.field(default_factory=list)
    throughput: list[Series] = dataclasses.field(default_factory=list)

    def unknown(self) -> list[str]:
        """The names of the metrics of which there is no value now."""
        found = {"mirroring_latency": self.lag.worst is not None}
        found |= {name: rate.now is not None for name, rate in self.rates.items()}
        for name in ("topic_bytes_in", "topic_bytes_out"):
            which = name.removeprefix("topic_")
            found[name] = any(rates[which].now is not None for rates in self.topics.values())
        found |= {name: value is not None for name, value in self.values.items()}
        return [name for name, known in found.items() if not known]

    def to_result(self, most: int) -> dict[str, t.Any]:
        """The shape that modules return, with so many topics at most."""
        order = sorted(self.topics.items(), key=lambda one: (_size(one[1]), one[0]), reverse=True)
        return {
            "at": format_time(self.at),
            "window": self.window,
            "lag": self.lag.to_result(most),
            **{name: rate.to_result() for name, rate in self.rates.items()},
            "topics": [
                {"topic": name, **{which: rate.to_result() for which, rate in rates.items()}}
                for name, rates in order[:most]
            ],
            "topic_count": len(self.topics),
            **self.values,
            "unknown": self.unknown(),
        }

    def lines(self, name: str) -> list[str]:
        """What people want to read."""
        worst = self.lag.worst
        told = [
            f"{name}: how far its topics are behind is not known"
            if worst is None
            else f"{name} is behind by {seconds(worst[1])} at most ({worst[0]}), {trend(self.lag)}"
        ]
        for which, rate in self.rates.items():
            told.append(f"{which}: {_megabytes(rate.now)} now, {_megabytes(rate.peak)} at the peak")
        unknown = self.unknown()
        told += [f"Not known: {', '.join(unknown)}"] if unknown else []
        return [*told, *([NOTHING] if self._nothing() else [])]

    def _nothing(self) -> bool:
        """Whether no query had any value, of now or of before."""
        values = [
            *self.lag.topics.values(),
            *self.values.values(),
            *(value for rate in self.rates.values() for value in rate),
        ]
        return not self.lag.ended and not self.topics and all(value is None for value in values)


def measure(
    monitoring: Monitoring,
    names: dict[str, str],
    guid: str,
    window: float,
    *,
    since: float | None = None,
    traffic: bool = True,
    draw: bool = False,
) -> Measured:
    """Everything about one instance, with a few requests for each metric; ``since`` as measure_lag() has it, without ``traffic`` not what
    each topic takes in and hands out, with ``draw`` also what a page draws of topics. Raises ExchangeError."""
    step = step_of(window)
    lag = measure_lag(monitoring, names, guid, since)
    now = lag.at

    def over(query: str, what: str) -> t.Any:
        return monitoring.over(query, now - window, now, step, what)

    latency: list[Series] = []
    if draw:
        metric = names["mirroring_latency"]
        peaks = monitoring.instant(of_largest(metric, guid, window, DRAWN), "the peaks of the latency of mirroring")
        drawn = dict.fromkeys([*list(by_topic(peaks))[:DRAWN], *lag.furthest(DRAWN)])
        for query in of_each(metric, guid, drawn, reach_of(step)):
            latency += over(query, "the latency of mirroring over time")
    rates: dict[str, Rate] = {}
    throughput: list[Series] = []
    for name in ("mirroring_throughput", "bytes_in", "bytes_out"):
        found = over(of_instance(names[name], guid, reach_of(step)), f"{name} over time")
        rates[name] = Rate(value_of(monitoring.instant(of_instance(names[name], guid), name)), peak_of(found))
        throughput = found if name == "mirroring_throughput" else throughput
    topics: dict[str, dict[str, Rate]] = {}
    for name in ("bytes_in", "bytes_out") if traffic else ():
        metric = names[f"topic_{name}"]
        at_present = by_topic(monitoring.instant(of_topics(metric, guid), f"{name} by topic"))
        largest = by_topic(monitoring.instant(of_topics(metric, guid, window), f"peaks of {name} by topic"))
        for topic in sorted({*at_present, *largest}):
            both = topics.setdefault(topic, {"bytes_in": UNKNOWN_RATE, "bytes_out": UNKNOWN_RATE})
            both[name] = Rate(at_present.get(topic), largest.get(topic))
    values = {
        name: value_of(monitoring.instant(of_instance(names[name], guid), name))
        for name in ("partitions", "utilization")
    }
    return Measured(now, window, lag, rates, topics, values, latency, throughput)


def _size(rates: dict[str, Rate]) -> float:
    return max((rate.peak for rate in rates.values() if rate.peak is not None), default=-1.0)


def _megabytes(value: float | None) -> str:
    return "not known" if value is None else f"{value / MEGABYTE:.2f} MB/s"


def since_of(instance: Instance) -> float | None:
    """When the last operation of an instance ended, in seconds since the epoch, if it succeeded and that is known: it may have begun
    mirroring anew, and what was before tells nothing of it."""
    operation = instance.operation
    return parse_time(operation.updated_at) if operation.phase == "succeeded" else None


def measure_lag(
    monitoring: Monitoring, names: dict[str, str], guid: str, since: float | None = None, fresh: float | None = None
) -> Lag:
    """The latency of all topics, where that is going, and what it was where it ended, with three requests, or a few more where it ended
    with a value that is no number. What was before ``since``, in seconds since the epoch, does not count. A value may be as old as
    LOOKBACK; where ``fresh`` is given, it is also asked whether all are from within so many seconds. Raises ExchangeError."""
    metric = names["mirroring_latency"]
    newest = monitoring.instant(of_topics(metric, guid), "the latency of mirroring")
    now = monitoring.now
    old: set[str] = set()
    if fresh is not None and fresh < LOOKBACK:
        query = of_last(metric, guid, math.floor(fresh))
        new = by_topic(monitoring.instant(query, "the newest latency of mirroring")) if fresh >= 1 else {}
        old = by_topic(newest).keys() - new.keys()
    known = float(math.floor(min(REMEMBERED, now - _begun(since, now))))
    if known < LOOKBACK:
        present = by_topic(newest)
        recorded = (
            monitoring.instant(of_last(metric, guid, known), "the latency of mirroring since then") if known else []
        )
        newest = [one for one in recorded if one.labels.get(TOPIC) in present]
    trend_of = min(TREND, known - LOOKBACK)
    recent: list[Series] = []
    if trend_of > 0:
        recent = monitoring.over(
            of_topics(metric, guid), now - trend_of, now, SAMPLED_EVERY, "where the latency of mirroring is going"
        )
    last = monitoring.instant(of_last(metric, guid, known), "the last latency of mirroring") if known else []
    if None in by_topic(last).values() and known > SAMPLED_EVERY:
        query = of_last_number(metric, guid, known - SAMPLED_EVERY)
        last += monitoring.instant(query, "the last number of its latency")
    found = read_lag(newest, recent, last)
    return dataclasses.replace(found, at=now, partial="; ".join(dict.fromkeys(monitoring.warnings)), old=frozenset(old))


def _begun(since: float | None, now: float) -> float:
    """From when on values count; a time in the future is none that is known."""
    return now - REMEMBERED if since is None or since > now + SAMPLED_EVERY else min(since, now)


def try_lag(
    account: Account, target: Instance, given: str | None, names: dict[str, str], fresh: float | None = None
) -> Lag | Unreadable:
    """The latency since the last operation, through an account, in a given instance of Monitoring or else in that of the region; ``fresh`` as
    measure_lag() has it. Raises what options of the task are to blame for. Where no instance of Monitoring was asked for, none is to blame."""
    try:
        monitoring = account.monitoring(target, given, most=PATIENCE)
        return measure_lag(monitoring, names, target.guid, since_of(target), fresh)
    except MirrorOpsError as error:
        if isinstance(error, Abandoned) or (isinstance(error, InvalidInput) and not isinstance(error, NotUnique)):
            raise
        return _unreadable(error)


def lag_result(
    lag: Lag | Unreadable, finding: Finding, most: float | None, expected: Counting, now: float
) -> dict[str, t.Any]:
    """What modules return of lag beside its finding; ``most`` is the limit, None if there is none; ``now`` is when it was
    asked, should Monitoring not tell."""
    known = "measured" if most is None else "within"
    shown = lag.judged(most, expected).to_result(MOST_NAMES) if isinstance(lag, Lag) else NOTHING_KNOWN
    return {
        "state": {"fail": "behind", "unknown": "unknown"}.get(finding.status, known),
        "accepted": most,
        "at": format_time(lag.at if isinstance(lag, Lag) else now),
        "silent": finding.evidence.get("silent", []),
        "stopped": finding.evidence.get("stopped", []),
        **shown,
    }


def _unreadable(error: MirrorOpsError) -> Unreadable:
    """An error in short, and what to do about it."""
    told = error.failure()
    status = f" (HTTP {told['status']})" if told["status"] else ""
    lasting = not (isinstance(error, ExchangeError) and error.transient)
    return Unreadable(f"{told['reason'].rstrip('. ')}{status}", lasting, told["remedy"] or "")
