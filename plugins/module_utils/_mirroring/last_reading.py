# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far topics were behind when Monitoring last knew: all that can be said of a loss when the source is gone (API §7, §10.1). Private to
this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Monitoring
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import REMEMBERED, seconds
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import measure_lag
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    SAMPLED_EVERY,
    of_each,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import format_time

NO_VALUE = "Monitoring has no value of the last six hours of a topic that is selected"


@dataclasses.dataclass(frozen=True)
class Reading:
    """The topic that was furthest behind, by how many seconds, and when that was, in seconds since the epoch; None if that is not known.
    ``reason`` says why nothing is known."""

    topic: str | None = None
    behind: float | None = None
    at: float | None = None
    reason: str = ""

    def to_result(self) -> dict[str, t.Any]:
        """The shape that modules return."""
        known = self.behind is not None
        return {
            "known": known,
            "worst": {"topic": self.topic, "seconds": self.behind} if known else None,
            "at": None if self.at is None else format_time(self.at),
            "reason": self.reason,
        }

    def words(self, source: str) -> str:
        """What is known of the loss, and what is not."""
        if self.behind is None:
            return f"How much is lost is not known: {self.reason.rstrip('. ')}. Lost is what was written to {source} and had not arrived when it stopped."
        when = "at some time within the last six hours" if self.at is None else f"at {format_time(self.at)}"
        return (
            f"At the last reading, {when}, the worst topic, {self.topic}, was behind by {seconds(self.behind)}: about so much of what was "
            f"written to {source} before it stopped is lost. How far it was behind after that reading is not known, nor is anything of topics "
            "that had no value there."
        )


def read_last(
    monitoring: Monitoring, names: dict[str, str], guid: str, counts: t.Callable[[t.Iterable[str]], set[str]]
) -> Reading:
    """The last reading of the topics that count, by the names that Monitoring gives them, within six hours. Raises ExchangeError."""
    lag = measure_lag(monitoring, names, guid)
    counted = counts([*lag.topics, *lag.ended])
    fresh = {name: value for name, value in lag.topics.items() if value is not None and name in counted}
    ended = {name: value for name, value in lag.ended.items() if name in counted}
    worst = max({**ended, **fresh}.items(), key=lambda one: (one[1], one[0]), default=None)
    if worst is None:
        return Reading(reason=NO_VALUE)
    at = _last_time(monitoring, names["mirroring_latency"], guid, worst[0], lag.at)
    return Reading(worst[0], worst[1], at)


def _last_time(monitoring: Monitoring, metric: str, guid: str, topic: str, now: float) -> float | None:
    """When a topic had its last value, to the minute."""
    (query,) = of_each(metric, guid, [topic], SAMPLED_EVERY)
    found = monitoring.over(query, now - REMEMBERED, now, SAMPLED_EVERY, "the time of the last latency of mirroring")
    return max((when for one in found for when, value in one.points if value is not None), default=None)
