# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far mirrored topics are behind, and where that is going. Pure. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import functools
import math
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Point, Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, Status, some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import TOPIC, by_topic
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable

MOST_NAMES = 100
HOW_TO_KNOW = (
    "Enable platform metrics for the region of the target in IBM Cloud Monitoring, and let the identity see and read it. Metrics come a few "
    "minutes after mirroring begins."
)
HOW_TO_KNOW_ALL = "Look in IBM Cloud Monitoring what it warns of."
GROWS = "if it grows, see the headroom findings of the setup role."
REMEDY = f"Wait until it has caught up, with wait_for_lag; {GROWS}"
REMEDY_NOT_WAITED = f"Wait until it has caught up: wait_for_lag does so only with wait, and not in check mode; {GROWS}"
REMEDY_WAITED = f"If it shrinks, give it more time, with wait_timeout; {GROWS}"
NONE_SELECTED = "No topic of the source is selected, so none can be behind."
LOOK_AT_STOPPED = (
    "Does the target still mirror them? What Monitoring knew last says nothing about how far they are behind now."
)
TREND = 600.0
"""Seconds over which the trend is looked at: what was before says little about when it will have caught up."""

REMEMBERED = 6 * 3600.0
"""Seconds for which the last value of a topic that has none now is looked for."""

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

Counting: t.TypeAlias = "Expected | Unreadable | None"
"""The topics that count; Unreadable if nobody knows which they are, None if nobody asks. All count then."""


@dataclasses.dataclass(frozen=True)
class Lag:
    """The mirroring latency of topics, which is the recovery point: seconds by topic, None where the value is no number.

    ``slopes`` is how each topic's latency changes, in seconds per second, None where that cannot be told. ``ended`` is what topics
    that have no value now had when they last had one. ``accepted`` is the limit, None if there is none. ``expected`` are the
    topics that count; None: all do. ``at`` is when that was, in seconds since the epoch; ``partial`` what Monitoring warned of; ``old``
    the topics whose values are older than was asked for.
    """

    topics: dict[str, float | None]
    slopes: dict[str, float | None] = dataclasses.field(default_factory=dict)
    ended: dict[str, float] = dataclasses.field(default_factory=dict)
    accepted: float | None = None
    expected: Expected | None = None
    at: float = 0.0
    partial: str = ""
    old: frozenset[str] = frozenset()

    def judged(self, accepted: float | None, expected: Counting) -> Lag:
        """The same beside a limit, and with the topics that count."""
        counting = expected if isinstance(expected, Expected) else None
        return dataclasses.replace(self, accepted=accepted, expected=counting)

    @functools.cached_property
    def _meanings(self) -> dict[str, frozenset[str]]:
        return {} if self.expected is None else self.expected.meanings({*self.topics, *self.ended})

    def counts(self, name: str) -> bool:
        """Whether a topic, by the name that Monitoring gives it, decides anything."""
        return self.expected is None or bool(self._meanings.get(name, frozenset()) & self.expected.selected)

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        """The topics that count, by their names on the source, of which a value is known for certain."""
        meant = [self._meanings.get(name, frozenset()) for name in self.counted]
        return frozenset(topic for topics in meant if len(topics) == 1 for topic in topics)

    @functools.cached_property
    def counted(self) -> dict[str, float]:
        """The seconds of the topics that count, as far as they are known."""
        return {name: value for name, value in self.topics.items() if value is not None and self.counts(name)}

    @functools.cached_property
    def worst(self) -> tuple[str, float] | None:
        """The topic that is furthest behind, and how far; None if nothing is known."""
        return max(self.counted.items(), key=lambda one: (one[1], one[0]), default=None)

    @functools.cached_property
    def late(self) -> list[str]:
        """The topics that are behind by more than is accepted, the worst first."""
        if self.accepted is None:
            return []
        late = [(value, name) for name, value in self.counted.items() if value > self.accepted]
        return [name for _value, name in sorted(late, reverse=True)]

    @functools.cached_property
    def stopped(self) -> list[str]:
        """The topics that count, have no value now, and were behind by more than is accepted when they last had one."""
        if self.accepted is None:
            return []
        late = {name for name, value in self.ended.items() if value > self.accepted}
        if self.expected is None:
            return sorted(late)
        meant = {topic for name in late for topic in self._meanings.get(name, ())} - self._known
        return [one.topic for one in self.expected.previews if one.topic in meant]

    @functools.cached_property
    def silent(self) -> list[str]:
        """The topics that should have a value, have none, and were not behind by more than is accepted when they last had one. Of those
        that are selected only if patterns match parts of names, the ones that Monitoring lists."""
        listed = {name for name, value in self.topics.items() if value is None} | self.ended.keys()
        if self.expected is None:
            return sorted(listed - set(self.stopped))
        meant = {topic for name in listed for topic in self._meanings.get(name, ())}
        seen = {*self._known, *self.stopped}
        should = [one.topic for one in self.expected.mirrored if one.certain or one.topic in meant]
        return [topic for topic in should if topic not in seen]

    @property
    def others(self) -> list[str]:
        """The topics that do not count, those that are furthest behind first."""
        known = [name for name in self.furthest(len(self.topics)) if not self.counts(name)]
        return [*known, *sorted(name for name in self.ended if name not in self.topics and not self.counts(name))]

    @property
    def slope(self) -> float | None:
        """How the latency of the worst topic changes, in seconds per second; None if that cannot be told."""
        return None if self.worst is None else self.slopes.get(self.worst[0])

    @property
    def behind(self) -> list[str]:
        """The topics that are to catch up: those that are late; without a limit, the worst."""
        return self.late if self.accepted is not None else [] if self.worst is None else [self.worst[0]]

    @property
    def catching_up(self) -> bool | None:
        """Whether the latency of all topics that are to catch up shrinks; None if that cannot be told."""
        slopes = [self.slopes.get(name) for name in self.behind]
        if any(slope is not None and slope >= -STEADY for slope in slopes):
            return False
        unknown = self.worst is None or (self.accepted is not None and self.stopped)
        return None if unknown or None in slopes else True

    @property
    def slowest(self) -> tuple[str, float] | None:
        """The topic that will be the last to have caught up at the present rate, and in how many seconds; None if there is none, or if
        any does not shrink."""
        if not self.catching_up:
            return None
        times = [
            ((self.topics[name] or 0.0) - (self.accepted or 0.0), -(self.slopes[name] or 0.0), name)
            for name in self.behind
        ]
        return max(((name, left / rate) for left, rate, name in times), key=lambda one: (one[1], one[0]), default=None)

    @property
    def caught_up_in(self) -> float | None:
        """Seconds until all topics are within the limit (without one: until the worst has no latency left) at the present rate; None if
        any does not shrink, or that cannot be told."""
        if not self.catching_up:
            return None
        return 0.0 if self.slowest is None else self.slowest[1]

    def furthest(self, most: int) -> list[str]:
        """So many topics at most, those that are furthest behind first."""
        order = sorted(self.topics.items(), key=lambda one: (-1.0 if one[1] is None else one[1], one[0]), reverse=True)
        return [name for name, _seconds in order[:most]]

    def to_result(self, most: int) -> dict[str, t.Any]:
        """The shape that modules return, with so many topics at most."""
        return {
            "worst": None if self.worst is None else {"topic": self.worst[0], "seconds": self.worst[1]},
            "topics": [{"topic": name, "seconds": self.topics[name]} for name in self.furthest(most)],
            "topic_count": len(self.topics),
            "slope": self.slope,
            "catching_up": self.catching_up,
            "caught_up_in": self.caught_up_in,
        }


def read_lag(now: t.Sequence[Series], recent: t.Sequence[Series], last: t.Sequence[Series]) -> Lag:
    """From the newest values by topic, those of the last ``TREND`` seconds, and the last ones within ``REMEMBERED`` seconds."""
    topics = by_topic(now)
    named = [(one.labels[TOPIC], one.points) for one in recent if one.labels.get(TOPIC)]
    slopes = {name: slope_of(points) for name, points in named if topics.get(name) is not None}
    ended = {name: value for name, value in by_topic(last).items() if value is not None and topics.get(name) is None}
    return Lag(topics, slopes, ended)


def slope_of(points: t.Sequence[Point]) -> float | None:
    """The change per second of a line through the points; None with less than three values, at one time, or beyond what can
    be calculated with."""
    # Imported where it is needed, because everything else has to be in every worker.
    import statistics

    known = [(when, value) for when, value in points if value is not None]
    if len(known) < 3:
        return None
    times, values = [when for when, _value in known], [value for _when, value in known]
    try:
        slope = statistics.linear_regression(times, values).slope
    except (ValueError, OverflowError):
        return None
    return slope if math.isfinite(slope) else None


def wait_until(lag: Lag | Unreadable, finding: Finding, deadline: float, missing_until: float) -> float | None:
    """Until when what a finding tells is waited for: lag may shrink until the deadline; values that are not there, and an answer of
    Monitoring, may come for a shorter time. None if no later look changes it, or needs to."""
    if isinstance(lag, Unreadable):
        return None if lag.lasting else min(deadline, missing_until)
    if finding.status == "fail":
        return deadline
    return min(deadline, missing_until) if misses(finding) else None


def misses(finding: Finding) -> bool:
    """Whether a value is not there that may come, or come back."""
    told = finding.evidence
    return finding.status == "unknown" or bool(told["stopped"] or told["silent"])


def lag_finding(
    lag: Lag | Unreadable, most: float, expected: Counting, waited: float = 0.0, remedy: str = REMEDY
) -> Finding:
    """Whether the topics that count are within the accepted recovery point, in seconds; ``waited`` is how long that was waited for,
    ``remedy`` what to do about topics that are behind if it was not."""
    nothing = isinstance(expected, Expected) and not expected.mirrored
    if isinstance(lag, Unreadable):
        if nothing:
            return Finding("lag", "pass", NONE_SELECTED, evidence={"stopped": [], "silent": []})
        message = f"How far the topics are behind is not known: {lag.reason.rstrip('. ')}."
        return _found("unknown", message, lag.remedy or HOW_TO_KNOW, waited, {})
    lag = lag.judged(most, expected)
    evidence = {
        "accepted": most,
        "worst": lag.to_result(0)["worst"],
        "late": lag.late[:MOST_NAMES],
        "silent": lag.silent[:MOST_NAMES],
        "stopped": lag.stopped[:MOST_NAMES],
        "others": lag.others[:MOST_NAMES],
    }
    if nothing:
        return Finding("lag", "pass", NONE_SELECTED, evidence=evidence)
    words = _words(lag, most)
    which_count = (
        f" Which topics should be there is not known, because {expected.reason}."
        if isinstance(expected, Unreadable)
        else ""
    )
    if lag.late:
        told = f"{words} Behind by more: {some(sorted(lag.late))}.{which_count}"
        return _found("fail", told, REMEDY_WAITED if waited else remedy, waited, evidence)
    if lag.stopped:
        told = f"{words} Monitoring has no value of {some(lag.stopped)} now; the last one was above what is accepted."
        return _found("unknown", told, LOOK_AT_STOPPED, waited, evidence)
    if lag.worst is None:
        return _found("unknown", words, HOW_TO_KNOW, waited, evidence)
    if lag.partial:
        return _found("unknown", f"{words} {_part(lag)}", HOW_TO_KNOW_ALL, waited, evidence)
    if isinstance(expected, Unreadable):
        return _found("warn", words + which_count, expected.remedy, waited, evidence)
    if lag.silent:
        told = f"{words} Nothing is known of {some(lag.silent)}."
        return _found("warn", told, "Topics without traffic may have no value.", waited, evidence)
    return Finding("lag", "pass", words, evidence=evidence)


def lag_told(lag: Lag | Unreadable, expected: Counting) -> Finding:
    """How far the topics that count are behind, where there is no limit to judge it by: it passes if it is known."""
    if isinstance(lag, Unreadable) or (isinstance(expected, Expected) and not expected.mirrored):
        return lag_finding(lag, math.inf, expected)
    lag = lag.judged(None, expected)
    if lag.worst is None:
        return Finding("lag", "unknown", _words(lag, math.inf), HOW_TO_KNOW)
    worst, behind = lag.worst
    told = f"The worst topic, {worst}, is behind by {seconds(behind)}, {trend(lag)}. No limit is set (max_lag)."
    evidence = {"worst": lag.to_result(0)["worst"]}
    if lag.partial:
        return Finding("lag", "unknown", f"{told} {_part(lag)}", HOW_TO_KNOW_ALL, evidence)
    return Finding("lag", "pass", told, evidence=evidence)


def _words(lag: Lag, most: float) -> str:
    """How far the worst topic is behind and where that is going, and which topics that do not count are late."""
    late = [name for name in lag.others if (lag.topics.get(name) or 0.0) > most]
    more = f" Not selected, and not counted: {some(late)}." if late else ""
    if lag.worst is None:
        which = "" if lag.expected is None else " of a selected topic"
        return f"How far the topics are behind is not known: Monitoring has no value{which} that is younger than five minutes.{more}"
    worst, behind = lag.worst
    return f"The worst topic, {worst}, is behind by {seconds(behind, most)}, {trend(lag)}. Accepted are {most:.15g} s.{more}"


def _part(lag: Lag) -> str:
    return f"That may be a part only: Monitoring warns: {lag.partial.rstrip('. ')}."


def _found(status: Status, message: str, remedy: str, waited: float, evidence: dict[str, t.Any]) -> Finding:
    told = f"{message} This task has waited for {seconds(waited)}." if waited else message
    return Finding("lag", status, told, remedy, evidence)


def seconds(value: float, limit: float | None = None) -> str:
    """So many seconds, with as many digits as tell something: also on which side of a limit it is."""
    text = f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    if limit is not None and (float(text) > limit) != (value > limit):
        text = repr(value)
    return f"{text} s"


def trend(lag: Lag) -> str:
    """Where the latency of the worst topic, or of those that are late, is going, in words."""
    worst = "" if lag.worst is None else lag.worst[0]
    topics = lag.behind or [worst]
    slopes = [(slope, name) for name in topics if (slope := lag.slopes.get(name)) is not None]
    most, name = max(slopes, default=(None, worst))
    if most is not None and most >= -STEADY:
        if most <= STEADY:
            return "and steady" if name == worst else f"and {name} does not catch up"
        return f"and {'that' if name == worst else name} grows by {most * 60:.1f} s each minute"
    if most is None or len(slopes) < len(topics):
        return "and whether that grows is not known"
    if lag.slowest is None:
        return f"and that shrinks by {-most * 60:.1f} s each minute"
    last, left = lag.slowest
    if lag.accepted is None:
        return f"and will have caught up in {left:.0f} s at the present rate"
    every = "will" if last == worst else f"all, {last} last, will"
    return f"and {every} be within what is accepted in {left:.0f} s at the present rate"
