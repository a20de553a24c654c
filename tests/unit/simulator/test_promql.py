# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evaluator of PromQL over series made by hand; moments are seconds, T is the moment of evaluation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import pytest

from simulator.promql import ExecutionError, Point, PromqlError, evaluate, parse, written
from simulator.promql_parser import duration

T = 100_000
NAN = math.nan


class Made(NamedTuple):
    """A series of pairs of seconds and value; None is the stale marker."""

    labels: dict[str, str]
    pairs: list[tuple[float, float | None]]

    def points(self, first: int, last: int) -> list[Point]:
        made = [(round(second * 1000), value) for second, value in self.pairs]
        return [point for point in made if first <= point[0] <= last]


def lag(topic: str, *pairs: tuple[float, float | None], name: str = "lag", **more: str) -> Made:
    """Return a series whose times count from T."""
    labels = {"__name__": name, "topic": topic, **more}
    return Made(labels, [(T + second, value) for second, value in pairs])


STORE = [
    lag("a", (-120, 1.0), (-60, 5.0), (0, 2.0), zone="x"),
    lag("b", (-120, 10.0), (-60, NAN), (0, 30.0), zone="x"),
    lag("c", (-60, 7.0), (0, NAN), zone="y"),
    lag("ended", (-60, 4.0), (-30, None), zone="y"),
    lag("old", (-300.001, 6.0)),
    lag("edge", (-300, 8.0)),
    lag("later", (0.001, 9.0)),
    lag("back", (-90, 3.0), (-60, None), (-10, 11.0)),
    lag("a.b", (0, 0.5), name="other"),
]


def values(text: str, at: float = T, store: Any = None) -> dict[str, str]:
    """Return the written values by the labels that are left."""
    moment = round(at * 1000)
    found = {}
    for one in evaluate(parse(text), [moment], STORE if store is None else store):
        assert list(one.values) == [moment]
        labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
        assert labels not in found
        found[labels] = written(one.values[moment])
    return found


def topics(text: str, at: float = T) -> dict[str, str]:
    """Return the values by topic."""
    return {key.partition("topic=")[2].partition(",")[0]: value for key, value in values(text, at).items()}


NOW = {"a": "2", "b": "30", "c": "NaN", "edge": "8", "back": "11"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lag", NOW),
        ("(lag)", NOW),
        ('{__name__="lag"}', NOW),
        ('{__name__=~"l.g"}', NOW),
        (' lag { topic = "a" , zone = "x" , } ', {"a": "2"}),
        ('lag{topic!="a",zone!=""}', {"b": "30", "c": "NaN"}),
        ('lag{zone=""}', {"edge": "8", "back": "11"}),
        ('lag{topic=~"a|edg"}', {"a": "2"}),
        ('lag{topic=~"a|edg.*"}', {"a": "2", "edge": "8"}),
        ('lag{topic!~"[abc]|back"}', {"edge": "8"}),
        (r'{topic=~"a\\.b"}', {"a.b": "0.5"}),
        (r'{topic="\x61\056\u0062"}', {"a.b": "0.5"}),
        ('{topic=~"(?i)A\\\\.B"}', {"a.b": "0.5"}),
        ("nothing", {}),
    ],
)
def test_selectors_find_the_newest_value_of_five_minutes(text: str, expected: dict[str, str]) -> None:
    assert topics(text) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (-0.001, {"a": "5", "b": "NaN", "c": "7", "old": "6", "edge": "8", "back": "11"}),
        (-0.002, {"a": "5", "b": "NaN", "c": "7", "old": "6", "edge": "8", "back": "11"}),
        (-10.001, {"a": "5", "b": "NaN", "c": "7", "old": "6", "edge": "8"}),
        (-30, {"a": "5", "b": "NaN", "c": "7", "old": "6", "edge": "8"}),
        (-30.001, {"a": "5", "b": "NaN", "c": "7", "ended": "4", "old": "6", "edge": "8"}),
        (0.001, {"a": "2", "b": "30", "c": "NaN", "later": "9", "back": "11"}),
        (290, {"a": "2", "b": "30", "c": "NaN", "later": "9", "back": "11"}),
        (290.001, {"a": "2", "b": "30", "c": "NaN", "later": "9"}),
        (300, {"a": "2", "b": "30", "c": "NaN", "later": "9"}),
        (300.001, {"later": "9"}),
        (300.002, {}),
    ],
)
def test_the_lookback_is_closed_and_a_stale_marker_ends_a_series(at: float, expected: dict[str, str]) -> None:
    assert topics("lag", T + at) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(lag)", {"": "30"}),
        ("max(topk(2, lag))", {"": "30"}),
        ("min(topk(2, lag))", {"": "11"}),
        ("count(topk(4, lag))", {"": "4"}),
        ("min(topk(4, lag))", {"": "2"}),
        ("count(topk(9, lag))", {"": "5"}),
        ("topk(0, lag)", {}),
        ("sum(topk(1, lag) by (zone)) by (zone)", {"zone=x": "30", "zone=y": "NaN", "": "11"}),
        (
            "TOPK by (zone) (1, max(lag) by (topic, zone))",
            {"topic=b,zone=x": "30", "topic=c,zone=y": "NaN", "topic=back": "11"},
        ),
        ('max(lag{topic="c"})', {"": "NaN"}),
        ('min(lag{topic=~"b|c|edge"})', {"": "8"}),
        ("sum(lag)", {"": "NaN"}),
        ('sum(lag{topic!="c"})', {"": "51"}),
        ('avg(lag{topic=~"a|edge"})', {"": "5"}),
        ("count(lag)", {"": "5"}),
        ("COUNT(lag) BY (zone)", {"": "2", "zone=x": "2", "zone=y": "1"}),
        ("max by (zone) (lag)", {"": "11", "zone=x": "30", "zone=y": "NaN"}),
        ("max(lag) by (zone,)", {"": "11", "zone=x": "30", "zone=y": "NaN"}),
        ("sum by () (lag{zone='x'})".replace("'", '"'), {"": "32"}),
        ('count by (__name__, nothing) ({topic=~"a.*"})', {"__name__=lag": "1", "__name__=other": "1"}),
        ("max(min by (zone) (lag))", {"": "8"}),
        ("max(nothing)", {}),
        ("sum(max_over_time(lag[2m]))", {"": "57"}),
        ("sum(lag > -Inf)", {"": "51"}),
        ("count((lag) > 5)", {"": "3"}),
        ("sum(max by (zone) (lag) > -Inf)", {"": "41"}),
        ("lag > 11", {"__name__=lag,topic=b,zone=x": "30"}),
        ("lag > 10.5 > 11", {"__name__=lag,topic=b,zone=x": "30"}),
        ("max(lag > 100)", {}),
        ("max by (zone) (last_over_time(lag[1m]))", {"": "11", "zone=x": "30", "zone=y": "4"}),
    ],
)
def test_aggregations(text: str, expected: dict[str, str]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ('max_over_time(lag{topic="a"}[2m])', 0, {"topic=a,zone=x": "5"}),
        ('min_over_time(lag{topic="a"}[2m])', 0, {"topic=a,zone=x": "1"}),
        ('min_over_time(lag{topic="a"}[119s999ms])', 0, {"topic=a,zone=x": "2"}),
        ('min_over_time(lag{topic="a"}[2m])', 0.001, {"topic=a,zone=x": "2"}),
        ('count_over_time(lag{topic="a"}[2m])', 0, {"topic=a,zone=x": "3"}),
        ('count_over_time(lag{topic="b"}[2m])', 0, {"topic=b,zone=x": "3"}),
        ('max_over_time(lag{topic="b"}[2m])', 0, {"topic=b,zone=x": "30"}),
        ('max_over_time(lag{topic="b"}[1m])', -1, {"topic=b,zone=x": "NaN"}),
        ('min_over_time(lag{topic="b"}[1m])', 0, {"topic=b,zone=x": "30"}),
        ('avg_over_time(lag{topic="b"}[2m])', 0, {"topic=b,zone=x": "NaN"}),
        ('avg_over_time(lag{topic="a"}[1m])', 0, {"topic=a,zone=x": "3.5"}),
        ('last_over_time(lag{topic="a"}[1m])', -1, {"__name__=lag,topic=a,zone=x": "5"}),
        ('last_over_time(lag{topic="ended"}[1m])', 0, {"__name__=lag,topic=ended,zone=y": "4"}),
        ('count_over_time(lag{topic="ended"}[1m])', 0.001, {}),
        ('count_over_time(lag{topic="back"}[1d])', 0, {"topic=back": "2"}),
        ('deriv(lag{topic="a"}[1m])', 0, {"topic=a,zone=x": "-0.05"}),
        ('deriv(lag{topic="b"}[2m])', 0, {"topic=b,zone=x": "NaN"}),
        ('deriv(lag{topic="edge"}[1h])', 0, {}),
        ('deriv(lag{topic="later"}[5m])', 0, {}),
        ('last_over_time((lag{topic="c"} > -Inf)[2m:1m])', 0, {"__name__=lag,topic=c,zone=y": "7"}),
        ('count_over_time(lag{topic="a"}[2m:30s])', 0, {"topic=a,zone=x": "4"}),
        ('count_over_time(lag{topic="a"}[2m : 30s])', 20, {"topic=a,zone=x": "5"}),
        ('max_over_time(max(lag{topic="a"})[2m:1m])', 0, {"": "5"}),
        ('count_over_time(max_over_time(lag{topic="a"}[60s])[10s:60s])', 59, {}),
    ],
)
def test_functions_over_a_closed_range(text: str, at: float, expected: dict[str, str]) -> None:
    assert values(text, T + at) == expected


def test_the_slope_is_that_of_least_squares() -> None:
    line = [(60.0 * step - 240, 3.0 + 0.25 * 60 * step) for step in range(5)]
    assert values("deriv(lag[4m])", store=[lag("a", *line)]) == {"topic=a": "0.25"}
    flat = [(second, 4.2) for second, _value in line]
    assert values("deriv(lag[4m])", store=[lag("a", *flat)]) == {"topic=a": "0"}
    bent = [lag("a", (-2, 0.0), (-1, 0.0), (0, 3.0))]
    assert values("deriv(lag[1m])", store=bent) == {"topic=a": "1.5"}


def test_a_range_of_moments() -> None:
    moments = range((T - 120) * 1000, T * 1000 + 1, 60_000)
    (result,) = evaluate(parse('lag{topic="c"}'), moments, STORE)
    assert [(moment // 1000 - T, written(value)) for moment, value in result.values.items()] == [(-60, "7"), (0, "NaN")]
    (result,) = evaluate(parse('sum(count_over_time(lag{topic=~"a|c"}[1m]))'), moments, STORE)
    assert list(result.values.values()) == [1.0, 3.0, 4.0]


def test_equal_labels_after_the_name_is_gone_are_an_error() -> None:
    twice = [lag("a", (0, 1.0)), lag("a", (0, 2.0), name="other")]
    assert values('last_over_time({topic="a"}[1m])', store=twice) == {
        "__name__=lag,topic=a": "1",
        "__name__=other,topic=a": "2",
    }
    with pytest.raises(ExecutionError, match="same labelset"):
        values('max_over_time({topic="a"}[1m])', store=twice)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unexpected 'end of input'"),
        ("lag{", "expected a label name"),
        ("lag{topic}", "expected =, !="),
        ("lag{topic=a}", "expected a string"),
        ("lag{topic='a'}", "not PromQL"),
        ('lag{topic="a}', "not PromQL"),
        (r'lag{topic=~"a\.b"}', "unknown escape sequence"),
        (r'lag{topic="\ud800"}', "not a character"),
        ('lag{topic=~"("}', "error parsing regexp"),
        ('lag{topic=~"(?=a)a"}', "error parsing regexp"),
        (r'lag{topic=~"(a)\\1"}', "error parsing regexp"),
        ('lag{topic=~"a*+"}', "error parsing regexp"),
        ('lag{topic="a" zone="x"}', "expected '}'"),
        ('lag{zone:x="a"}', "expected a label name"),
        ('lag{__name__="lag"}', "must not be set twice"),
        ("{}", "non-empty matcher"),
        ('{zone=~".*"}', "non-empty matcher"),
        ('{zone!="x"}', "non-empty matcher"),
        ("lag[5m]", "range vector"),
        ("lag[0s]", "greater than 0"),
        ("max_over_time(lag[0s:1m])", "greater than 0"),
        ("max_over_time(lag[5m:0s])", "greater than 0"),
        ("max_over_time(lag[5m:1x])", "not a valid duration"),
        ("max_over_time(lag[5m:])", "not PromQL"),
        ("max_over_time(lag[5m][5m:1m])", "only allowed on instant vector"),
        ("lag[5m:1m]", "end of input"),
        ("lag[5]", "expected a duration"),
        ("max_over_time(lag[5m1h])", "not a valid duration"),
        ("max_over_time(lag[5x])", "not PromQL"),
        ("max_over_time(lag)", "expected type range vector"),
        ("max_over_time(max(lag))", "expected type range vector"),
        ("max(lag[5m])", "expected type instant vector"),
        ("topk(2, lag[5m])", "expected type instant vector"),
        ("topk(lag)", "expected a whole number"),
        ("topk(lag, lag)", "expected a whole number"),
        ("topk(2 lag)", "expected ','"),
        ("rate(lag[5m])", "'rate'"),
        ("MAX_OVER_TIME(lag[5m])", "'MAX_OVER_TIME'"),
        ("max without (zone) (lag)", "'by'"),
        ("max(lag) by (zone) by (zone)", "end of input"),
        ("max(lag) lag", "'by'"),
        ("lag offset 5m", "end of input"),
        ("lag >= 5", "not PromQL"),
        ("lag > lag", "expected a number"),
        ("lag > -", "expected a number"),
        ("lag[5m] > 5", "instant vector types"),
        ("1", "expected a metric name"),
        ("(" * 60 + "lag" + ")" * 60, "too many levels"),
    ],
)
def test_everything_else_is_an_error(text: str, words: str) -> None:
    with pytest.raises(PromqlError, match=words):
        parse(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (5000000.0, "5000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.000001, "0.000001"),
        (1e-7, "1e-07"),
        (0.1 + 0.2, "0.30000000000000004"),
        (-0.0, "-0"),
        (NAN, "NaN"),
        (-math.inf, "-Inf"),
    ],
)
def test_values_are_written_as_go_does(value: float, text: str) -> None:
    assert written(value) == text


def test_durations() -> None:
    assert [duration(text) for text in ("1h30m", "1d", "2w", "1y", "5s3ms")] == [
        5_400_000,
        86_400_000,
        1_209_600_000,
        31_536_000_000,
        5003,
    ]
    with pytest.raises(PromqlError):
        duration("")


@pytest.mark.parametrize(
    ("numbers", "over_time", "at_once"),
    [
        ([0.1, 0.2, 0.3], "0.19999999999999998", "0.2"),
        ([math.inf, 1.0], "+Inf", "+Inf"),
        ([1.0, math.inf, math.inf, 2.0], "+Inf", "+Inf"),
        ([math.inf, -math.inf], "NaN", "NaN"),
        ([math.inf, NAN], "NaN", "NaN"),
    ],
)
def test_averages_are_made_as_prometheus_does(numbers: list[float], over_time: str, at_once: str) -> None:
    one = [lag("a", *((index - 10.0, number) for index, number in enumerate(numbers)))]
    assert values("avg_over_time(lag[1m])", store=one) == {"topic=a": over_time}
    many = [lag(f"t{index}", (0, number)) for index, number in enumerate(numbers)]
    assert values("avg(lag)", store=many) == {"": at_once}
