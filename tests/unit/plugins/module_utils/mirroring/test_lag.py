# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import types
import typing as t

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected, expected_of
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import (
    Lag,
    lag_finding,
    misses,
    seconds,
    wait_until,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable


def selected(*names: tuple[str, str], others: tuple[str, ...] = (), certain: bool = True) -> Expected:
    """Selected topics by their names on the source and on the target."""
    return Expected([Preview(name, remote, 1, certain, ("x",)) for name, remote in names], others)


CHAIN = selected(("orders", "dr-orders"), ("dr-orders", "dr-dr-orders"))


@pytest.mark.parametrize(
    ("lag", "status", "told"),
    [
        (Lag({"dr-orders": 1.0}), "warn", {"silent": ["orders", "dr-orders"]}),
        (Lag({"dr-orders": 1.0}, ended={"orders": 900.0}), "unknown", {"stopped": ["orders"]}),
        (Lag({"dr-orders": 1.0, "orders": None}), "warn", {"silent": ["orders"]}),
        (Lag({"dr-orders": 1.0, "orders": 2.0}), "pass", {"silent": []}),
        (Lag({"dr-orders": 1.0, "dr-dr-orders": 2.0}), "pass", {"silent": []}),
        (Lag({"dr-dr-orders": 2.0}, ended={"dr-orders": 900.0}), "unknown", {"stopped": ["orders"]}),
        (Lag({"dr-orders": 900.0}), "fail", {"late": ["dr-orders"]}),
    ],
)
def test_a_name_of_two_topics_stands_for_the_one_that_the_others_show(
    lag: Lag, status: str, told: dict[str, t.Any]
) -> None:
    found = lag_finding(lag, 60.0, CHAIN)
    assert (found.status, {name: found.evidence[name] for name in told}) == (status, told)


def test_a_topic_that_is_not_selected_and_is_called_as_another_one_on_the_target() -> None:
    one = selected(("orders", "dr-orders"), others=("dr-orders", "audit"))
    found = lag_finding(Lag({"orders": 1.0, "dr-orders": 900.0}), 60.0, one)
    assert (found.status, found.evidence["others"]) == ("pass", ["dr-orders"])
    assert lag_finding(Lag({"dr-orders": 900.0}), 60.0, one).status == "fail"
    assert lag_finding(Lag({"dr-orders": 1.0}), 60.0, one).evidence["silent"] == ["orders"]


topic_names = st.sampled_from(["a", "x-a", "x-x-a", "b", "x-b"])


@hypothesis.given(st.data(), st.sets(topic_names, min_size=1), st.sets(topic_names))
def test_a_value_never_stands_for_two_topics(data: st.DataObject, chosen: set[str], others: set[str]) -> None:
    """Whichever names Monitoring uses, one that leaves out a topic is never taken for well."""
    expected = selected(*((name, f"x-{name}") for name in sorted(chosen)), others=tuple(others - chosen))
    named = data.draw(st.sets(st.sampled_from(sorted(chosen))))
    for labels in (named, {f"x-{name}" for name in named}):
        found = lag_finding(Lag(dict.fromkeys(labels, 1.0)), 60.0, expected)
        assert (found.status == "pass") <= (named == chosen)


@pytest.mark.parametrize("expected", [None, Unreadable("those of the source could not be read", remedy="Look.")])
def test_without_an_expectation_what_has_no_number_is_silent(expected: Unreadable | None) -> None:
    found = lag_finding(Lag({"orders": 1.0, "audit": None}, ended={"old": 2.0}), 60.0, expected)
    assert (found.status, found.evidence["silent"]) == ("warn", ["audit", "old"])
    found = lag_finding(Lag({"orders": 1.0, "audit": None}, ended={"audit": 900.0}), 60.0, expected)
    assert (found.status, found.evidence["stopped"], found.evidence["silent"]) == ("unknown", ["audit"], [])


def test_a_topic_that_may_be_selected_counts_as_silent_if_monitoring_lists_it() -> None:
    maybe = Expected([*selected(("orders", "orders.x")).previews, *selected(("eu", "eu.x"), certain=False).previews])
    assert lag_finding(Lag({"orders": 1.0}), 60.0, maybe).status == "pass"
    for lag in (Lag({"orders": 1.0, "eu.x": None}), Lag({"orders": 1.0}, ended={"eu.x": 2.0})):
        found = lag_finding(lag, 60.0, maybe)
        assert (found.status, found.evidence["silent"]) == ("warn", ["eu"])


@pytest.mark.parametrize("lag", [Lag({}), Lag({"audit": 900.0}), Lag({"audit": None}), Unreadable("HTTP 403", True)])
@pytest.mark.parametrize(
    "expected", [Expected([]), Expected([Preview("long", "longer", 1, True, ("x",), "it is not mirrored")])]
)
def test_nothing_selected_is_never_behind_and_not_waited_for(lag: Lag | Unreadable, expected: Expected) -> None:
    found = lag_finding(lag, 60.0, expected)
    assert (found.status, found.message) == ("pass", "No topic of the source is selected, so none can be behind.")
    assert not misses(found)
    assert wait_until(lag, found, 1000.0, 300.0) is None


def test_an_answer_that_may_be_a_part_does_not_pass() -> None:
    part = Lag({"orders": 1.0}, partial="results were cut off.")
    found = lag_finding(part, 60.0, selected(("orders", "orders.x")))
    assert found.status == "unknown"
    assert "Monitoring warns: results were cut off." in found.message
    assert wait_until(part, found, 1000.0, 300.0) == 300.0
    assert lag_finding(dataclasses.replace(part, topics={"orders": 61.0}), 60.0, None).status == "fail"


@pytest.mark.parametrize(
    ("value", "limit", "told"),
    [
        (300.4, 300.0, "300.4 s"),
        (299.6, 300.0, "300 s"),
        (60.04, 60.0, "60.04 s"),
        (1.5, None, "1.5 s"),
        (0.0, 0.0, "0 s"),
    ],
)
def test_digits_tell_on_which_side_of_the_limit_it_is(value: float, limit: float | None, told: str) -> None:
    assert seconds(value, limit) == told


def test_limits_are_written_as_they_were_given() -> None:
    told = lag_finding(Lag({"orders": 1.0}), 1234567.0, selected(("orders", "x"))).message
    assert "Accepted are 1234567 s." in told


def evidence(topics: list[str] | None, selection: t.Any, source: t.Any) -> t.Any:
    state = types.SimpleNamespace(selection=selection)
    previews = [Preview("orders", "orders.x", 1, True, ("^orders$",))]
    return types.SimpleNamespace(topics=topics, state=state, source_topics=source, previews=previews)


def test_which_topics_are_expected() -> None:
    source = [types.SimpleNamespace(name=name) for name in ("orders", "audit")]
    found = expected_of(evidence(None, ["^orders$"], source))
    assert isinstance(found, Expected)
    assert (found.selected, found.others) == ({"orders"}, ["audit"])
    for given, reason in (
        (evidence(None, ["^orders$"], Unreadable("HTTP 403")), "those of the source could not be read"),
        (evidence(None, Unreadable("HTTP 503"), source), "the selection could not be read"),
        (evidence(["^orders$", "^a?+$"], ["^a?+$"], source), "can only be told by the service: ^a?+$"),
        (evidence(None, ["^a?+$"], source), "can only be told by the service: ^a?+$"),
    ):
        unknown = expected_of(given)
        assert isinstance(unknown, Unreadable)
        assert reason in unknown.reason
        assert lag_finding(Lag({"anything": 900.0}), 60.0, unknown).status == "fail"
        warned = lag_finding(Lag({"anything": 1.0}), 60.0, unknown)
        assert (warned.status, warned.remedy) == ("warn", unknown.remedy)
        assert reason in warned.message
