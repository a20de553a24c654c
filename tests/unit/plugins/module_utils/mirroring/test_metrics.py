# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import (
    Lag,
    check_lag,
    lag_finding,
    read_lag,
    slope_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    NAMES,
    TOPIC,
    by_topic,
    covered,
    of_instance,
    of_selected,
    of_topics,
    peak_of,
    read_names,
    read_window,
    step_of,
    together,
    value_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable


def of(topic: str, *values: float | None, start: float = 0.0) -> Series:
    return Series({TOPIC: topic}, [(start + 60.0 * number, value) for number, value in enumerate(values)])


def test_queries() -> None:
    assert of_instance("m", "g") == 'max(m{ibm_service_instance="g"})'
    assert of_instance("m", "g", 90.5) == 'max(max_over_time(m{ibm_service_instance="g"}[91s]))'
    assert of_topics("m", "g") == 'max(m{ibm_service_instance="g"}) by (ibm_eventstreams_topic)'
    assert of_instance("m", 'a"b\\c') == 'max(m{ibm_service_instance="a\\"b\\\\c"})'


def test_queries_for_selected_topics_are_short() -> None:
    (query,) = of_selected("m", "g", ["a.b", "c-d_e"], 60)
    selected = r'm{ibm_service_instance="g",ibm_eventstreams_topic=~"a\\.b|c\\-d_e"}'
    assert query == f"sum(max(max_over_time({selected}[60s])) by (ibm_eventstreams_topic))"
    (query,) = of_selected("m", "g", ["a.b", "c-d_e"], 60, numbers=True)
    assert query == f"sum(max(max_over_time({selected}[60s])) by (ibm_eventstreams_topic) > -Inf)"
    many = of_selected("m", "g", [f"topic-{number:04}" for number in range(1000)], 60)
    assert len(many) > 1
    assert all(len(query) < 3000 for query in many)
    assert sum(query.count("topic\\\\-") for query in many) == 1000
    assert of_selected("m", "g", [], 60) == []


def test_sums_over_the_same_times() -> None:
    one, other = [Series({}, [(0.0, 1.0), (60.0, 2.0)])], [Series({}, [(0.0, 10.0), (60.0, None), (120.0, 5.0)])]
    assert together([one, other]) == [Series({}, [(0.0, 11.0), (60.0, None), (120.0, 5.0)])]
    assert peak_of(together([one, other])) == 11.0
    assert together([]) == together([[], []]) == []


def test_how_much_of_a_time_is_known() -> None:
    some = [Series({}, [(0.0, 1.0), (60.0, None), (120.0, 5.0)])]
    assert (covered(some, 4), covered([], 4), covered(some, 1)) == (0.5, 0.0, 1.0)


def test_names() -> None:
    assert read_names(None) == read_names({}) == NAMES
    old = "ibm_eventstreams_instance_mirroring_latency"
    assert read_names({"mirroring_latency": old}) == {**NAMES, "mirroring_latency": old}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"latency": "x"}, "which is none of mirroring_latency"),
        ({"bytes_in": "1x"}, "no name of a metric"),
        ({"bytes_in": "a{b}"}, "no name of a metric"),
        ({"bytes_in": ""}, "no name of a metric"),
        ({"bytes_in": 5}, "no name of a metric"),
    ],
)
def test_names_that_are_none(given: dict[str, t.Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_names(given)


@pytest.mark.parametrize("seconds", [0, 299, 604801, float("nan"), float("inf"), -1])
def test_windows_that_are_too_short_or_too_long(seconds: float) -> None:
    with pytest.raises(InvalidInput, match="window is"):
        read_window(seconds)


@pytest.mark.parametrize(("window", "step"), [(300, 60), (86400, 60), (604800, 420)])
def test_steps(window: float, step: float) -> None:
    assert step_of(read_window(window)) == step


def test_what_is_not_there_is_none() -> None:
    assert value_of([]) is value_of([Series({}, [])]) is None
    assert peak_of([]) is peak_of([of("a", None)]) is None
    assert by_topic([Series({}, [(0.0, 1.0)]), Series({TOPIC: "a"}, [])]) == {}
    assert by_topic([of("a", 1.0), of("b", None)]) == {"a": 1.0, "b": None}
    assert peak_of([of("a", 1.0, None, 3.0), of("b", 2.0)]) == 3.0


def test_the_worst_topic_and_its_trend() -> None:
    lag = read_lag([of("a", 10.0), of("b", 30.0), of("c", None)], [of("a", 1.0, 5.0, 10.0), of("b", 90.0, 60.0, 30.0)])
    assert lag.worst == ("b", 30.0)
    assert lag.slope == pytest.approx(-0.5)
    assert (lag.catching_up, lag.caught_up_in) == (True, pytest.approx(60.0))
    assert lag.to_result(2) == {
        "worst": {"topic": "b", "seconds": 30.0},
        "topics": [{"topic": "b", "seconds": 30.0}, {"topic": "a", "seconds": 10.0}],
        "topic_count": 3,
        "slope": pytest.approx(-0.5),
        "catching_up": True,
        "caught_up_in": pytest.approx(60.0),
    }


@pytest.mark.parametrize(
    ("values", "catching_up"), [((1.0, 2.0, 3.0), False), ((2.0, 2.0, 2.0), False), ((2.0, 2.0), None), ((), None)]
)
def test_lag_that_does_not_shrink(values: tuple[float, ...], catching_up: bool | None) -> None:
    lag = read_lag([of("a", 2.0)], [of("a", *values)])
    assert (lag.catching_up, lag.caught_up_in) == (catching_up, None)


@pytest.mark.parametrize("now", [[], [of("a", None)]])
def test_nothing_known(now: list[Series]) -> None:
    lag = read_lag(now, [of("a", 1.0, 2.0, 3.0)])
    assert (lag.worst, lag.slope, lag.catching_up, lag.caught_up_in) == (None, None, None, None)


def test_values_that_are_no_numbers_do_not_bend_the_line() -> None:
    assert slope_of(of("a", 0.0, None, 120.0, None, 240.0).points) == pytest.approx(1.0)
    assert slope_of([]) is None


numbers = st.one_of(st.none(), st.floats(0, 1e6))


@hypothesis.given(st.dictionaries(st.text(min_size=1), numbers), st.lists(numbers, max_size=20), st.integers(1, 5))
def test_what_is_told_is_what_was_found(topics: dict[str, float | None], values: list[float | None], most: int) -> None:
    lag = Lag(topics, slope_of(of("x", *values).points))
    told = lag.to_result(most)
    assert len(told["topics"]) == min(most, len(topics))
    assert all(topics[one["topic"]] == one["seconds"] for one in told["topics"])
    known = [seconds for seconds in topics.values() if seconds is not None]
    assert (told["worst"] or {}).get("seconds") == max(known, default=None)
    if known:
        assert told["topics"][0] == told["worst"]
    assert told["caught_up_in"] is None or told["caught_up_in"] >= 0


PREVIEWS = [Preview(name, f"{name}.x", 1, True, ("^a$",)) for name in ("orders", "payments")]


@pytest.mark.parametrize(
    ("topics", "status", "told"),
    [
        ({"orders": 1.0, "payments": 60.0}, "pass", "The worst topic, payments, is behind by 60 s"),
        ({"orders.x": 1.0, "payments": 2.0}, "pass", "payments, is behind by 2 s"),
        ({"orders": 60.5, "payments": 2.0}, "fail", "Behind by more: orders."),
        ({"orders": 1.0}, "warn", "Nothing is known of payments."),
        ({"orders": 1.0, "payments": None}, "warn", "Nothing is known of payments."),
        ({"orders": 61.0, "payments": None}, "fail", "Behind by more: orders."),
        ({"orders": None}, "unknown", "no value that is younger than five minutes"),
        ({}, "unknown", "no value that is younger than five minutes"),
    ],
)
def test_a_limit_for_lag(topics: dict[str, float | None], status: str, told: str) -> None:
    found = lag_finding(Lag(topics, None), 60.0, PREVIEWS)
    assert found.status == status
    assert told in found.message
    assert bool(found.remedy) == (status != "pass")


def test_a_limit_without_metrics() -> None:
    found = lag_finding(Unreadable("HTTP 403"), 60.0, PREVIEWS)
    assert (found.status, "HTTP 403" in found.message) == ("unknown", True)


@pytest.mark.parametrize(
    ("slope", "told"), [(0.5, "grows by 30.0 s each minute"), (0.0, "and steady"), (-0.5, "caught up in 120 s")]
)
def test_where_it_is_going(slope: float, told: str) -> None:
    assert told in lag_finding(Lag({"orders": 60.0}, slope), 60.0, PREVIEWS[:1]).message


@pytest.mark.parametrize(
    ("most", "wait", "told"),
    [
        (-1.0, False, "0 or more"),
        (float("nan"), False, "0 or more"),
        (float("inf"), True, "0 or more"),
        (None, True, "without"),
    ],
)
def test_limits_that_make_no_sense(most: float | None, wait: bool, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        check_lag(most, wait)
    check_lag(0.0, True)
    check_lag(None, False)
