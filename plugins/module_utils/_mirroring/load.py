# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks Monitoring what a pair is under before it is mirrored. Private to this collection: it may change at any time."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Clock
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import Cloud
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Monitoring, Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import some
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import (
    HOW_TO_MEASURE,
    Load,
    Missing,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.measure import PATIENCE
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    by_topic,
    covered,
    of_instance,
    of_least,
    of_selected,
    of_topics,
    peak_of,
    reach_of,
    read_names,
    read_window,
    step_of,
    together,
    without,
)

VARIABLES = {"source_out": "source_monitoring_instance", "target_in": "target_monitoring_instance"}
LONGEST = 60.0
"""Seconds that all questions about one side may take together: with thousands of topics there are hundreds of them."""


def read_load(
    cloud: Cloud,
    params: dict[str, t.Any],
    source: Instance,
    target: Instance,
    topics: t.Sequence[str] | None,
    clock: Clock,
    unclear: t.Sequence[str] = (),
) -> Load | Missing:
    """What source and target are under, and what the topics would add, within the window before now; None are topics of which nobody
    said which they are, ``unclear`` patterns of which only the service knows which more they match. What cannot be read is missing.
    Raises InvalidInput, and Abandoned."""
    asking = _Asking(read_names(params["metric_names"]), read_window(params["headroom_window"]), clock)
    load = Load(asking.window)
    troubles: list[tuple[str, Missing]] = []
    for part, account, instance, option in (
        ("source_out", cloud.source, source, "source_monitoring_instance"),
        ("target_in", cloud.target, target, "monitoring_instance"),
    ):
        asking.begin()
        try:
            monitoring = account.monitoring(instance, params[option], most=PATIENCE, option=option)
            load = asking.side(load, monitoring, instance.guid, part)
            if part == "source_out" and topics is not None:
                load = asking.together(load, monitoring, instance.guid, topics)
                load = asking.each(load, monitoring, instance.guid, topics)
            if monitoring.warnings:
                told = f"what Monitoring tells may be a part only: it warns: {'; '.join(dict.fromkeys(monitoring.warnings))}"
                troubles.append((part, Missing(told, "Look in IBM Cloud Monitoring what it warns of.")))
        except _errors.NotUnique as error:
            troubles.append(
                (
                    part,
                    Missing(
                        error.reason,
                        f"Give the GUID of the right one as {option} (in a role: mirroring_{VARIABLES[part]}).",
                    ),
                )
            )
        except (_errors.Abandoned, _errors.InvalidInput):
            raise
        except _errors.MirrorOpsError as error:
            remedy = HOW_TO_MEASURE if isinstance(error, _errors.NotFound) or not error.remedy else error.remedy
            troubles.append((part, Missing(_why(error), remedy)))
    if len(troubles) == 2 and load.source_out is None and load.selected is None:
        reasons = dict.fromkeys(trouble.reason.rstrip(". ") for _part, trouble in troubles)
        return Missing("; ".join(reasons), troubles[0][1].remedy)
    missing = dict(troubles)
    if "source_out" in missing:
        missing |= dict.fromkeys(("selected", "topics"), missing["source_out"])
    if unclear:
        told = f"what these patterns match can only be told by the service: {some(unclear)}"
        missing["selected"] = Missing(told, "Write them without constructs of Java.")
    if topics is None:
        missing["selected"] = Missing(
            "no topics are asked for, so what they add cannot be told", "Set mirroring_topics."
        )
    return dataclasses.replace(load, missing=missing)


class _Asking:
    """Questions about one window, each side within a time of its own."""

    def __init__(self, names: dict[str, str], window: float, clock: Clock) -> None:
        self.window = window
        self._names = names
        self._clock = clock
        self._now: float | None = None
        self._out: list[Series] = []
        self._step = step_of(window)
        self._reach = reach_of(self._step)
        self._deadline = 0.0

    def begin(self) -> None:
        """Begins with another side."""
        self._deadline = self._clock.monotonic() + LONGEST

    def side(self, load: Load, monitoring: Monitoring, guid: str, part: str) -> Load:
        """What an instance hands out or takes in. Of a target, what was mirrored to it is left out, and told of the source: it is what
        mirroring will add, and what it had added if it was on within the window. Raises MirrorOpsError."""
        if part == "source_out":
            query = of_instance(self._names["bytes_out"], guid, self._reach)
            found = self._out = self._over(monitoring, guid, query, "what the source hands out")
        else:
            query = of_instance(self._names["bytes_in"], guid, self._reach)
            found = self._over(monitoring, guid, query, "what the target takes in")
            query = of_least(self._names["mirroring_throughput"], guid, self._reach)
            mirrored = self._over(monitoring, guid, query, "what was mirrored to the target")
            found = without(found, mirrored)
            load = dataclasses.replace(load, source_own=peak_of(without(self._out, mirrored)))
        changes: dict[str, t.Any] = {part: peak_of(found), "covered": {**load.covered, part: self._covered(found)}}
        return dataclasses.replace(load, **changes)

    def together(self, load: Load, monitoring: Monitoring, guid: str, topics: t.Sequence[str]) -> Load:
        """What the topics take in together: at least what those take in that have numbers. Raises MirrorOpsError."""
        if not topics:
            return dataclasses.replace(load, selected=0.0)
        metric = self._names["topic_bytes_in"]
        sums = self._sums(monitoring, guid, of_selected(metric, guid, topics, self._reach))
        if any(value is None for one in sums for _when, value in one.points):
            sums = self._sums(monitoring, guid, of_selected(metric, guid, topics, self._reach, numbers=True))
        covering = {**load.covered, "selected": self._covered(sums)}
        return dataclasses.replace(load, selected=peak_of(sums), covered=covering)

    def each(self, load: Load, monitoring: Monitoring, guid: str, topics: t.Sequence[str]) -> Load:
        """What each topic takes in; all take in what the largest does, at least. Raises MirrorOpsError."""
        if not topics:
            return load
        query = of_topics(self._names["topic_bytes_in"], guid, self.window)
        peaks = by_topic(monitoring.instant(query, "peaks of topics"))
        found = {name: value for name in topics if (value := peaks.get(name)) is not None}
        selected = max((value for value in (load.selected, *found.values()) if value is not None), default=None)
        return dataclasses.replace(load, selected=selected, topics=found, silent=len(topics) - len(found))

    def _sums(self, monitoring: Monitoring, guid: str, queries: t.Iterable[str]) -> list[Series]:
        return together([self._over(monitoring, guid, query, "what the selected topics take in") for query in queries])

    def _over(self, monitoring: Monitoring, guid: str, query: str, what: str) -> list[Series]:
        if self._clock.monotonic() >= self._deadline:
            raise _errors.MirrorOpsError(
                f"Monitoring took more than {LONGEST:g} s to tell {what}",
                remedy="Look at the busiest topics with the module metrics_info, or select fewer at a time.",
            )
        if self._now is None:
            # Both sides are asked about the same times, by Monitoring's clock, which the answer to a question about now shows.
            monitoring.instant(of_instance(self._names["bytes_out"], guid), what)
            self._now = monitoring.now
        return monitoring.over(query, self._now - self.window, self._now, self._step, what)

    def _covered(self, found: t.Sequence[Series]) -> float:
        return covered(found, int(self.window // self._step))


def _why(error: _errors.MirrorOpsError) -> str:
    """An error in short, with what was attempted."""
    told = error.failure()
    status = getattr(error, "status", None)
    attempt = f"failed to {told['attempt']}: " if told["attempt"] else ""
    return f"{attempt}{told['reason'].rstrip('. ')}{f' (HTTP {status})' if status else ''}"
