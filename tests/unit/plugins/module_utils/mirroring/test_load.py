# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import types
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance, parse_instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.headroom import (
    Load,
    Missing,
    headroom_rules,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.load import LONGEST, read_load
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    EPOCH,
    SOURCE,
    TARGET,
    FakeClock,
    document,
)

PARAMS = {
    "metric_names": None,
    "headroom_window": 3600.0,
    "source_monitoring_instance": None,
    "monitoring_instance": None,
}


class Asked:
    """A Monitoring that takes so many seconds for every answer, or raises an error."""

    def __init__(
        self, clock: FakeClock, seconds: float = 0.0, error: Exception | None = None, after: int = 0, rate: float = 0.0
    ) -> None:
        self.queries: list[str] = []
        self.warnings: list[str] = []
        self.now = EPOCH
        self.ends: list[float] = []
        self._clock, self._seconds, self._error, self._after, self._rate = clock, seconds, error, after, rate

    def monitoring(self, instance: Instance, given: str | None, most: float, option: str) -> Asked:
        return self

    def instant(self, query: str, what: str) -> list[Series]:
        return self._answer(query)

    def over(self, query: str, start: float, end: float, step: float, what: str) -> list[Series]:
        self.ends.append(end)
        return self._answer(query)

    def _answer(self, query: str) -> list[Series]:
        self.queries.append(query)
        self._clock.sleep(self._seconds)
        if self._error and len(self.queries) > self._after:
            raise self._error
        return [Series({}, [(0.0, self._rate)])] if self._rate else []


def load(clock: FakeClock, source: Asked, target: Asked, topics: list[str] | None) -> Load | Missing:
    cloud: t.Any = types.SimpleNamespace(source=source, target=target)
    both = [parse_instance(document(guid=guid, name=guid)) for guid in (SOURCE, TARGET)]
    assert both[0]
    assert both[1]
    return read_load(cloud, PARAMS, both[0], both[1], topics, clock)


def test_asking_about_thousands_of_topics_takes_its_time_and_no_more() -> None:
    clock = FakeClock()
    source, target = Asked(clock, 2.0), Asked(clock, 2.0)
    topics = [f"topic-{number:05}-{'x' * 100}" for number in range(2000)]
    found = load(clock, source, target, topics)
    assert isinstance(found, Load)
    assert len(source.queries) == LONGEST / 2
    assert len(target.queries) == 2
    assert f"took more than {LONGEST:g} s" in found.missing["selected"].reason
    assert "metrics_info" in found.missing["selected"].remedy


def test_what_a_user_gave_wrong_and_a_run_that_has_ended_are_not_taken_for_missing() -> None:
    for error in (_errors.InvalidInput("wrong"), _errors.Abandoned("ended")):
        clock = FakeClock()
        with pytest.raises(type(error)):
            load(clock, Asked(clock, error=error), Asked(clock), [])


def test_what_monitoring_warns_of_makes_its_answers_a_part() -> None:
    clock = FakeClock()
    source, target = Asked(clock, rate=1e6), Asked(clock, rate=1e6)
    source.warnings = ["results were cut off"]
    found = load(clock, source, target, ["a"])
    assert isinstance(found, Load)
    assert set(found.missing) == {"source_out", "selected", "topics"}
    assert "it warns: results were cut off" in found.missing["selected"].reason


def test_both_sides_are_asked_about_the_same_times_of_their_own_clock() -> None:
    clock = FakeClock()
    source, target = Asked(clock, 1.0, rate=1e6), Asked(clock, 1.0, rate=1e6)
    source.now = target.now = EPOCH + 7200
    load(clock, source, target, ["a"])
    assert {*source.ends, *target.ends} == {EPOCH + 7200}


def test_both_sides_missing_is_one_reason() -> None:
    clock = FakeClock()
    refused = _errors.PermissionDenied("no", attempt="ask", status=403, remedy="Ask for the role.")
    sides = [Asked(clock, error=refused) for _side in range(2)]
    assert load(clock, *sides, ["a"]) == Missing("failed to ask: no (HTTP 403)", "Ask for the role.")


def test_what_was_read_before_an_error_counts() -> None:
    clock = FakeClock()
    refused = _errors.PermissionDenied("no", attempt="ask", status=403, remedy="Ask for the role.")
    source = Asked(clock, error=refused, after=3, rate=9e7)
    found = load(clock, source, Asked(clock, error=refused), ["a"])
    assert isinstance(found, Load)
    assert (found.source_out, found.selected, found.topics) == (9e7, 9e7, {})
    both = [parse_instance(document(guid=guid, name=guid)) for guid in (SOURCE, TARGET)]
    assert both[0]
    assert both[1]
    rules = {one.rule: one for one in headroom_rules(both[0], both[1], [], found, 150)}
    assert rules["headroom_source"].status == rules["headroom_target"].status == "fail"
    calm = headroom_rules(both[0], both[1], [], dataclasses.replace(found, source_out=1e6, selected=1e6), 150)
    assert {one.status for one in calm} == {"unknown"}
    assert "HTTP 403" in calm[0].message
