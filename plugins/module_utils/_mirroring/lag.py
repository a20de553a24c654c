# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far mirrored topics are behind, and where that is going. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import statistics
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Point, Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import TOPIC, by_topic

STEADY = 0.001
"""A slope, in seconds per second, below which lag neither grows nor shrinks: less than four seconds in an hour."""


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


def read_lag(now: t.Sequence[Series], window: t.Sequence[Series]) -> Lag:
    """From the newest values by topic, and the values over a window."""
    lag = Lag(by_topic(now), None)
    if lag.worst is None:
        return lag
    points = next((one.points for one in window if one.labels.get(TOPIC) == lag.worst[0]), [])
    return dataclasses.replace(lag, slope=slope_of(points))


def slope_of(points: t.Sequence[Point]) -> float | None:
    """The change per second of a line through the points; None with less than three values."""
    known = [(when, value) for when, value in points if value is not None]
    if len(known) < 3:
        return None
    return statistics.linear_regression([when for when, _value in known], [value for _when, value in known]).slope
