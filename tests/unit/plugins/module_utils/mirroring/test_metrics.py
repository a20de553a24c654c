# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import typing as t

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import InvalidInput
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.expected import Expected
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import (
    Lag,
    lag_finding,
    read_lag,
    slope_of,
    trend,
    wait_until,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import (
    NAMES,
    TOPIC,
    by_topic,
    check_lag,
    covered,
    of_each,
    of_instance,
    of_largest,
    of_last_number,
    of_least,
    of_selected,
    of_topics,
    peak_of,
    read_names,
    read_window,
    step_of,
    together,
    value_of,
    without,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import Preview
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable


def of(topic: str, *values: float | None, start: float = 0.0) -> Series:
    return Series({TOPIC: topic}, [(start + 60.0 * number, value) for number, value in enumerate(values)])


def test_queries() -> None:
    assert of_instance("m", "g") == 'max(m{ibm_service_instance="g"})'
    assert of_instance("m", "g", 90.5) == 'max(max_over_time(m{ibm_service_instance="g"}[91s]))'
    assert of_topics("m", "g") == 'max(m{ibm_service_instance="g"}) by (ibm_eventstreams_topic)'
    last = 'max(last_over_time((max_over_time(m{ibm_service_instance="g"}[60s]) > -Inf)[21600s:60s])) by (ibm_eventstreams_topic)'
    assert of_last_number("m", "g", 21600) == last
    assert of_least("m", "g", 120) == 'min(min_over_time(m{ibm_service_instance="g"}[120s]))'
    assert of_instance("m", 'a"b\\c') == 'max(m{ibm_service_instance="a\\"b\\\\c"})'


def test_queries_for_a_few_topics() -> None:
    worst = 'topk(8, max(max_over_time(m{ibm_service_instance="g"}[90s])) by (ibm_eventstreams_topic))'
    assert of_largest("m", "g", 90, 8) == worst
    chosen = r'm{ibm_service_instance="g",ibm_eventstreams_topic=~"a\\.b|c\"d"}'
    assert of_each("m", "g", ["a.b", 'c"d'], 60) == [f"max(max_over_time({chosen}[60s])) by (ibm_eventstreams_topic)"]
    assert of_each("m", "g", [], 60) == []


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


def test_an_answer_less_another_one() -> None:
    one, other = [Series({}, [(0.0, 10.0), (60.0, None), (120.0, 5.0)])], [Series({}, [(0.0, 4.0), (120.0, None)])]
    assert without(one, other) == [Series({}, [(0.0, 6.0), (60.0, None), (120.0, 5.0)])]
    assert (without(one, []), without([], other)) == (one, [])


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
    with pytest.raises(InvalidInput, match=r"^window is"):
        read_window(seconds)
    with pytest.raises(InvalidInput, match="headroom_window is"):
        read_window(seconds, "headroom_window")


@pytest.mark.parametrize(("window", "step"), [(300, 60), (86400, 60), (604800, 600)])
def test_steps(window: float, step: float) -> None:
    assert step_of(read_window(window)) == step


def test_what_is_not_there_is_none() -> None:
    assert value_of([]) is value_of([Series({}, [])]) is None
    assert peak_of([]) is peak_of([of("a", None)]) is None
    assert by_topic([Series({}, [(0.0, 1.0)]), Series({TOPIC: "a"}, [])]) == {}
    assert by_topic([of("a", 1.0), of("b", None)]) == {"a": 1.0, "b": None}
    assert peak_of([of("a", 1.0, None, 3.0), of("b", 2.0)]) == 3.0


def test_the_worst_topic_and_its_trend() -> None:
    lag = read_lag(
        [of("a", 10.0), of("b", 30.0), of("c", None)], [of("a", 1.0, 5.0, 10.0), of("b", 90.0, 60.0, 30.0)], []
    )
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
    lag = read_lag([of("a", 2.0)], [of("a", *values)], [])
    assert (lag.catching_up, lag.caught_up_in) == (catching_up, None)


@pytest.mark.parametrize("now", [[], [of("a", None)]])
def test_nothing_known(now: list[Series]) -> None:
    lag = read_lag(now, [of("a", 1.0, 2.0, 3.0)], [of("a", 3.0)])
    assert (lag.worst, lag.slope, lag.catching_up, lag.caught_up_in) == (None, None, None, None)


def test_values_that_are_no_numbers_do_not_bend_the_line() -> None:
    assert slope_of(of("a", 0.0, None, 120.0, None, 240.0).points) == pytest.approx(1.0)
    assert slope_of([]) is None


@pytest.mark.parametrize(
    "points",
    [
        [(60.0, 1.0), (60.0, 2.0), (60.0, 3.0)],
        [(0.0, 1.5e308), (60.0, -1.5e308), (120.0, 1.5e308)],
        [(0.0, -1.5e308), (60.0, 0.0), (120.0, 1.5e308)],
    ],
)
def test_points_that_have_no_slope(points: list[tuple[float, float]]) -> None:
    assert slope_of(points) is None


@hypothesis.given(st.lists(st.tuples(st.floats(0, 4e9), st.floats(allow_nan=False, allow_infinity=False)), max_size=6))
def test_every_slope_is_a_number(points: list[tuple[float, float]]) -> None:
    slope = slope_of(points)
    assert slope is None or math.isfinite(slope)


numbers = st.one_of(st.none(), st.floats(0, 1e6))
slopes = st.one_of(st.none(), st.floats(-1e3, 1e3))
names = st.sampled_from("abcdef")


@hypothesis.given(
    st.dictionaries(names, numbers),
    st.dictionaries(names, slopes),
    st.dictionaries(names, st.floats(0, 1e6)),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.one_of(st.none(), st.lists(names, max_size=4)),
    st.integers(1, 7),
)
def test_what_is_told_is_what_was_found(
    topics: dict[str, float | None],
    rates: dict[str, float | None],
    ended: dict[str, float],
    accepted: float | None,
    selected: list[str] | None,
    most: int,
) -> None:
    expected = None if selected is None else Expected([Preview(name, f"{name}.x", 1, True, ()) for name in selected])
    lag = Lag(topics, rates, {name: value for name, value in ended.items() if topics.get(name) is None})
    lag = lag.judged(accepted, expected)
    told = lag.to_result(most)
    assert len(told["topics"]) == min(most, len(topics))
    assert all(topics[one["topic"]] == one["seconds"] for one in told["topics"])
    counted = {name: value for name, value in topics.items() if selected is None or name in selected}
    known = [value for value in counted.values() if value is not None]
    assert (told["worst"] or {}).get("seconds") == max(known, default=None)
    if known and selected is None:
        assert told["topics"][0] == told["worst"]
    assert (told["caught_up_in"] is None) == (told["catching_up"] is not True)
    if told["caught_up_in"] is not None:
        then = {name: (topics[name] or 0.0) + (rates[name] or 0.0) * told["caught_up_in"] for name in lag.behind}
        assert all(value <= (accepted or 0.0) + 1e-3 for value in then.values())
    status = lag_finding(lag, 60.0, expected).status
    late = any(value > 60.0 for value in known)
    assert (status == "fail") == late
    if selected == []:
        assert status == "pass"
    elif not late and (lag.judged(60.0, expected).stopped or not known):
        assert status == "unknown"


PREVIEWS = Expected([Preview(name, f"{name}.x", 1, True, ("^a$",)) for name in ("orders", "payments")])
ORDERS = Expected(PREVIEWS.previews[:1])


@pytest.mark.parametrize(
    ("topics", "status", "told"),
    [
        ({"orders": 1.0, "payments": 60.0}, "pass", "The worst topic, payments, is behind by 60 s"),
        ({"orders.x": 1.0, "payments": 2.0}, "pass", "payments, is behind by 2 s"),
        ({"orders": 60.5, "payments": 2.0}, "fail", "Behind by more: orders."),
        ({"orders": 1.0}, "warn", "Nothing is known of payments."),
        ({"orders": 1.0, "payments": None}, "warn", "Nothing is known of payments."),
        ({"orders": 61.0, "payments": None}, "fail", "Behind by more: orders."),
        ({"orders": None}, "unknown", "no value of a selected topic that is younger than five minutes"),
        ({}, "unknown", "no value of a selected topic that is younger than five minutes"),
    ],
)
def test_a_limit_for_lag(topics: dict[str, float | None], status: str, told: str) -> None:
    found = lag_finding(Lag(topics), 60.0, PREVIEWS)
    assert found.status == status
    assert told in found.message
    assert bool(found.remedy) == (status != "pass")


def test_a_topic_that_stopped_reporting_is_unknown() -> None:
    lag = read_lag([of("orders", 1.0)], [], [of("orders", 1.0), of("payments.x", 61.0)])
    found = lag_finding(lag, 60.0, PREVIEWS)
    assert (found.status, found.evidence["stopped"], found.evidence["silent"]) == ("unknown", ["payments"], [])
    assert "Monitoring has no value of payments now; the last one was above what is accepted." in found.message
    assert lag_finding(lag, 60.0, ORDERS).status == "pass"
    assert lag_finding(lag, 60.0, None).status == "unknown"
    assert lag_finding(lag, 0.5, PREVIEWS).status == "fail"


@pytest.mark.parametrize("last", [60.0, None])
def test_a_topic_that_was_well_and_is_quiet_is_a_warning(last: float | None) -> None:
    """Topics without traffic may have no value."""
    found = lag_finding(read_lag([of("orders", 1.0)], [], [of("payments", last)]), 60.0, PREVIEWS)
    assert (found.status, found.evidence["stopped"], found.evidence["silent"]) == ("warn", [], ["payments"])


def test_a_topic_that_is_called_otherwise_now_has_not_stopped() -> None:
    lag = read_lag([of("orders.x", 1.0)], [of("orders.x", 1.0)], [of("orders", 90.0)])
    assert lag_finding(lag, 60.0, ORDERS).status == "pass"


def test_topics_that_are_not_selected_decide_nothing() -> None:
    lag = Lag({"orders": 1.0, "payments.x": 2.0, "audit": 900.0, "old": None})
    found = lag_finding(lag, 60.0, PREVIEWS)
    assert (found.status, found.evidence["others"]) == ("pass", ["audit", "old"])
    assert found.evidence["worst"] == {"topic": "payments.x", "seconds": 2.0}
    assert found.message.endswith("Not selected, and not counted: audit.")
    assert lag_finding(lag, 60.0, None).status == "fail"
    many = Lag({f"t{number}": 900.0 for number in range(1000)})
    assert len(lag_finding(many, 60.0, PREVIEWS).evidence["others"]) == 100


def test_selected_topics_that_could_not_be_read() -> None:
    hidden = Unreadable("HTTP 403")
    found = lag_finding(Lag({"audit": 1.0}), 60.0, hidden)
    assert found.status == "warn"
    assert "Which topics should be there is not known" in found.message
    assert lag_finding(Lag({"audit": 61.0}), 60.0, hidden).status == "fail"
    assert lag_finding(Lag({}), 60.0, hidden).status == "unknown"


def test_a_limit_without_metrics() -> None:
    found = lag_finding(Unreadable("no right (HTTP 403)", True, "Get the role."), 60.0, PREVIEWS)
    assert (found.status, found.remedy) == ("unknown", "Get the role.")
    assert found.message == "How far the topics are behind is not known: no right (HTTP 403)."
    assert "Enable platform metrics" in lag_finding(Unreadable("gone"), 60.0, PREVIEWS).remedy


@pytest.mark.parametrize(
    ("values", "most", "told"),
    [
        ({"orders": (60.0, 0.5)}, 60.0, "and that grows by 30.0 s each minute"),
        ({"orders": (60.0, 0.0)}, 60.0, "and steady"),
        ({"orders": (60.0, -0.5)}, 60.0, "and that shrinks by 30.0 s each minute"),
        ({"orders": (60.0, -0.5)}, None, "and will have caught up in 120 s"),
        ({"orders": (60.0, -0.5)}, 30.0, "and will be within what is accepted in 60 s"),
        (
            {"orders": (90.0, -1.0), "payments": (80.0, -0.1)},
            30.0,
            "and all, payments last, will be within what is accepted in 500 s",
        ),
        ({"orders": (90.0, -1.0), "payments": (80.0, 0.5)}, 30.0, "and payments grows by 30.0 s each minute"),
        ({"orders": (90.0, -1.0), "payments": (80.0, 0.0)}, 30.0, "and payments does not catch up"),
        ({"orders": (90.0, -1.0), "payments": (80.0, None)}, 30.0, "and whether that grows is not known"),
        ({"orders": (90.0, -1.0), "payments": (20.0, 0.5)}, 30.0, "and will be within what is accepted in 60 s"),
    ],
)
def test_where_it_is_going(values: dict[str, tuple[float, float | None]], most: float | None, told: str) -> None:
    lag = Lag({name: both[0] for name, both in values.items()}, {name: both[1] for name, both in values.items()})
    assert told in trend(lag.judged(most, PREVIEWS))


@pytest.mark.parametrize(
    ("values", "catching_up", "caught_up_in"),
    [
        ({"orders": (90.0, -1.0), "payments": (80.0, -0.1)}, True, 500.0),
        ({"orders": (90.0, -1.0), "payments": (80.0, 0.1)}, False, None),
        ({"orders": (90.0, -1.0), "payments": (80.0, None)}, None, None),
        ({"orders": (90.0, None), "payments": (80.0, 0.1)}, False, None),
        ({"orders": (20.0, 0.1), "payments": (10.0, None)}, True, 0.0),
        ({"orders": (90.0, -1.0), "audit": (900.0, 1.0)}, True, 60.0),
        ({}, None, None),
    ],
)
def test_when_all_will_be_within_the_limit(
    values: dict[str, tuple[float, float | None]], catching_up: bool | None, caught_up_in: float | None
) -> None:
    lag = Lag({name: both[0] for name, both in values.items()}, {name: both[1] for name, both in values.items()})
    judged = lag.judged(30.0, PREVIEWS)
    assert (judged.catching_up, judged.caught_up_in) == (catching_up, caught_up_in)


def test_nobody_knows_when_a_topic_that_stopped_will_be_within_the_limit() -> None:
    lag = Lag({"orders": 90.0}, {"orders": -1.0}, {"payments": 900.0}).judged(30.0, PREVIEWS)
    assert (lag.catching_up, lag.caught_up_in) == (None, None)


def test_after_waiting_it_is_said_for_how_long() -> None:
    before, after = (lag_finding(Lag({"orders": 90.0}), 60.0, ORDERS, waited) for waited in (0.0, 120.0))
    assert "with wait_for_lag" in before.remedy
    assert "waited" not in before.message
    assert after.message == f"{before.message} This task has waited for 120 s."
    assert "wait_for_lag" not in after.remedy
    assert "with wait_timeout" in after.remedy


@pytest.mark.parametrize(
    ("lag", "until"),
    [
        (Unreadable("HTTP 403", True), None),
        (Unreadable("HTTP 503"), 300.0),
        (Lag({"orders": 90.0}), 1000.0),
        (Lag({"orders": 90.0}, ended={"payments": 900.0}), 1000.0),
        (Lag({"orders": 9.0}, ended={"payments": 900.0}), 300.0),
        (Lag({"orders": 9.0}), 300.0),
        (Lag({}), 300.0),
        (Lag({"orders": 9.0, "payments": 1.0}), None),
    ],
)
def test_until_when_it_is_waited(lag: Lag | Unreadable, until: float | None) -> None:
    assert wait_until(lag, lag_finding(lag, 60.0, PREVIEWS), 1000.0, 300.0) == until


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
