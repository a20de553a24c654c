# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far mirrored topics are behind, and where that is going. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import math
import statistics
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Point, Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import TOPIC, by_topic
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable

MOST_NAMES = 100
HOW_TO_KNOW = (
    "Enable platform metrics for the region of the target in IBM Cloud Monitoring, and let the identity see and read it. Metrics come a few "
    "minutes after mirroring begins."
)
REMEDY = "Wait until it has caught up, with wait_for_lag; if it grows, see the headroom findings of the setup role."
TREND = 600.0
"""Seconds over which the trend is looked at: what was before says little about when it will have caught up."""

STEADY = 0.001
"""A slope, in seconds per second, below which lag neither grows nor shrinks: less than four seconds in an hour."""

NOTHING_KNOWN: dict[str, t.Any] = {
    "worst": None,
    "topics": [],
    "topic_count": None,
    "slope": None,
    "catching_up": None,
    "caught_up_in": None,
}
"""What is returned in place of a lag that could not be read."""


@dataclasses.dataclass(frozen=True)
class Lag:
    """The mirroring latency of topics, which is the recovery point: seconds by topic, None where the value is no number.

    ``slope`` is how the worst topic's latency changes, in seconds per second, None if that cannot be told.
    """

    topics: dict[str, float | None]
    slope: float | None

    @property
    def worst(self) -> tuple[str, float] | None:
        """The topic that is furthest behind, and how far; None if nothing is known."""
        known = [(name, seconds) for name, seconds in self.topics.items() if seconds is not None]
        return max(known, key=lambda one: (one[1], one[0]), default=None)

    @property
    def catching_up(self) -> bool | None:
        """Whether the worst topic's latency shrinks."""
        return None if self.slope is None else self.slope < -STEADY

    @property
    def caught_up_in(self) -> float | None:
        """Seconds until there is no latency left at the present rate; None if it does not shrink, or nothing is known."""
        if self.worst is None or self.slope is None or not self.catching_up:
            return None
        return self.worst[1] / -self.slope

    def to_result(self, most: int) -> dict[str, t.Any]:
        """The shape that modules return, with so many topics at most, those that are furthest behind first."""
        order = sorted(self.topics.items(), key=lambda one: (-1.0 if one[1] is None else one[1], one[0]), reverse=True)
        return {
            "worst": None if self.worst is None else {"topic": self.worst[0], "seconds": self.worst[1]},
            "topics": [{"topic": name, "seconds": seconds} for name, seconds in order[:most]],
            "topic_count": len(self.topics),
            "slope": self.slope,
            "catching_up": self.catching_up,
            "caught_up_in": self.caught_up_in,
        }


def read_lag(now: t.Sequence[Series], recent: t.Sequence[Series]) -> Lag:
    """From the newest values by topic, and those of the last ``TREND`` seconds."""
    lag = Lag(by_topic(now), None)
    if lag.worst is None:
        return lag
    points = next((one.points for one in recent if one.labels.get(TOPIC) == lag.worst[0]), [])
    return dataclasses.replace(lag, slope=slope_of(points))


def slope_of(points: t.Sequence[Point]) -> float | None:
    """The change per second of a line through the points; None with less than three values."""
    known = [(when, value) for when, value in points if value is not None]
    if len(known) < 3:
        return None
    return statistics.linear_regression([when for when, _value in known], [value for _when, value in known]).slope


def check_lag(most: float | None, wait: bool) -> None:
    """Raises InvalidInput for a limit that makes no sense, and for waiting without one."""
    if most is not None and not 0 <= most < math.inf:
        raise InvalidInput("max_lag must be 0 or more, in seconds")
    if wait and most is None:
        raise InvalidInput(
            "wait_for_lag is set without max_lag", remedy="Set max_lag to the seconds that are accepted."
        )


def lag_finding(lag: Lag | Unreadable, most: float, previews: t.Iterable[Preview]) -> Finding:
    """Whether topics are within the accepted recovery point, in seconds. Monitoring may call a topic by its name on the source or on
    the target (API §11.19)."""
    if isinstance(lag, Unreadable):
        return Finding("lag", "unknown", f"How far the topics are behind is not known: {lag.reason}", HOW_TO_KNOW)
    expected = [one for one in previews if one.certain and not one.problem]
    known = {name for name, seconds in lag.topics.items() if seconds is not None}
    silent = [one.topic for one in expected if not known & {one.topic, one.remote_topic}]
    late = sorted(name for name, seconds in lag.topics.items() if seconds is not None and seconds > most)
    evidence = {
        "accepted": most,
        "worst": lag.to_result(1)["worst"],
        "late": late[:MOST_NAMES],
        "silent": silent[:MOST_NAMES],
    }
    if lag.worst is None:
        message = (
            "How far the topics are behind is not known: Monitoring has no value that is younger than five minutes."
        )
        return Finding("lag", "unknown", message, HOW_TO_KNOW, evidence)
    told = (
        f"The worst topic, {lag.worst[0]}, is behind by {seconds(lag.worst[1])}, {trend(lag)}. Accepted are {most:g} s."
    )
    if late:
        return Finding("lag", "fail", f"{told} Behind by more: {some(late)}.", REMEDY, evidence)
    if silent:
        return Finding(
            "lag",
            "warn",
            f"{told} Nothing is known of {some(silent)}.",
            "Topics without traffic may have no value.",
            evidence,
        )
    return Finding("lag", "pass", told, evidence=evidence)


def seconds(value: float) -> str:
    """So many seconds, with as many digits as tell something."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s"


def trend(lag: Lag) -> str:
    """Where the latency of the worst topic is going, in words."""
    if lag.slope is None:
        return "and whether that grows is not known"
    if lag.caught_up_in is not None:
        return f"and will have caught up in {lag.caught_up_in:.0f} s at the present rate"
    return "and steady" if abs(lag.slope) <= STEADY else f"and that grows by {lag.slope * 60:.1f} s each minute"
