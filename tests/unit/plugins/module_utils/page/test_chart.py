# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import math
import random
import re
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.chart import (
    HEIGHT,
    MOST_POINTS,
    NARROWS,
    WIDTH,
    Chart,
    Limit,
    Line,
    draw,
    fit,
    ranked,
    thin,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.document import render
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.scale import (
    duration,
    number,
    rate,
    scale_of,
    seconds,
    times_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.style import LINES, STYLE
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.module_utils.page.reader import Page
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import EPOCH

END = EPOCH + 3600.0
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
BARE = Chart("Lag", EPOCH, END, 90.0, seconds, reason="nobody asked")


def every_minute(*values: float | None) -> list[tuple[float, float | None]]:
    """One value a minute, the last one at the end of the window."""
    return [(END - 60.0 * ago, value) for ago, value in enumerate(reversed(values))][::-1]


def page_of(*lines: Line, **changes: t.Any) -> Page:
    """A page with nothing but a chart of the lines."""
    return Page(render("x", draw(dataclasses.replace(BARE, lines=lines, **changes))))


def paths(page: Page) -> list[list[tuple[float, float]]]:
    """The coordinates of the lines."""
    found = []
    for path in page.attributes("path", "d"):
        numbers = [float(one) for one in NUMBER.findall(path)]
        assert re.fullmatch(r"(M[-\d. ]+(L[-\d. ]+)+)+", path), path
        found.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return found


def limits(page: Page) -> list[float]:
    """How far down the lines of limits are."""
    return [float(one["y1"]) for tag, one, _text in page.elements if tag == "line" and one["class"] == "limit"]


ANY_POINTS = st.lists(
    st.tuples(
        st.floats(EPOCH - 600, END + 600) | st.floats(),
        st.none() | st.floats() | st.sampled_from([0.0, -1.0, 5e-324, 1e308]),
    ),
    max_size=40,
)


@given(
    st.lists(ANY_POINTS, max_size=3),
    st.none() | st.floats(0, allow_nan=False, allow_infinity=False),
    st.sampled_from([seconds, rate]),
)
@example([[(END, 5e-324)]], 1e308, seconds)
@example([[(END, 1e308)]], 5e-324, rate)
@example([[(END, -1e308), (END, 1e308)]], None, rate)
@example([[(END, 0.0)]], 0.0, seconds)
def test_whatever_is_measured_is_drawn_within_the_picture(
    series: list[t.Any], limit: float | None, written: t.Callable[[float], str]
) -> None:
    lines = [Line(str(at), points) for at, points in enumerate(series)]
    page = page_of(*lines, limit=None if limit is None else Limit(limit, "accepted"), written=written)
    for path in paths(page):
        assert all(0 <= across <= WIDTH and 0 <= down <= HEIGHT for across, down in path)
    assert all(0 <= down <= HEIGHT for down in limits(page))
    for kind in ("value", "time", "most"):
        for tag, attributes, _text in page.elements:
            if tag == "span" and attributes.get("class") == kind:
                assert 0 <= float(NUMBER.findall(attributes["style"])[0]) <= 100
    assert "nan" not in page.text.lower().replace("nanosecond", "")
    known = [
        value
        for points in series
        for when, value in points
        if EPOCH <= when <= END and value is not None and math.isfinite(value)
    ]
    assert bool(page.attributes("path", "d")) == bool(known)
    assert bool(known) or "Not known: nobody asked" in page.text


def test_higher_is_more_and_later_is_further_right() -> None:
    (path,) = paths(page_of(Line("orders", every_minute(1, 5, 3))))
    (first, high, last) = path
    assert first[0] < high[0] < last[0] == WIDTH
    assert high[1] < last[1] < first[1] < HEIGHT


def test_nothing_known_is_a_gap_and_not_zero() -> None:
    """None, no number, and no point at all."""
    page = page_of(Line("orders", [*every_minute(4, 4, None, 4, math.nan, 4, 4)[:6], (END, 4.0)]))
    (drawn,) = page.attributes("path", "d")
    assert drawn.count("M") == 3
    missing = [(END - 600, 4.0), (END - 540, 4.0), (END - 60, 4.0), (END, 4.0)]
    page = page_of(Line("orders", missing))
    (drawn,) = page.attributes("path", "d")
    assert drawn.count("M") == 2
    assert len({down for _across, down in paths(page)[0]}) == 1


def test_what_ended_is_not_known_now() -> None:
    page = page_of(Line("orders", every_minute(7, 3)[:1]), end=END + 600)
    assert "not known now, 7 s at the peak" in page.text


@pytest.mark.parametrize(
    ("value", "limit", "narrows"),
    [(2, 60, True), (250, 60, False), (2, 86400, True), (5000, 0.5, True), (0, 60, False), (50, 0, False)],
)
def test_line_and_limit_are_both_readable(value: float, limit: float, narrows: bool) -> None:
    """Neither is within a twentieth of the height of the other, or of the bottom, unless it is 0."""
    page = page_of(Line("orders", every_minute(value, value)), limit=Limit(limit, "accepted"))
    (down,) = limits(page)
    (line,) = {at for _across, at in paths(page)[0]}
    assert (line < down) == (value > limit)
    assert abs(line - down) > HEIGHT / 20
    assert value == 0 or HEIGHT - line > HEIGHT / 20
    assert limit == 0 or HEIGHT - down > HEIGHT / 20
    assert (NARROWS in page.text) == narrows
    assert page.texts("span", "most") == ["accepted"]


def test_at_most_so_many_lines_the_worst_first() -> None:
    lines = [Line(f"t{at}", every_minute(100 - at, at)) for at in range(20)]
    page = page_of(*lines)
    assert page.texts("bdi") == [f"t{at}" for at in range(19, 19 - LINES, -1)]
    assert "and 12 more, which are not drawn" in page.text
    assert len(page.attributes("path", "d")) == LINES == 8
    silent = Line("silent", every_minute(1000, None))
    old = Line("old", every_minute(500, 400)[:1])
    chart = dataclasses.replace(BARE, lines=[*lines, silent, old])
    assert [line.name for line in ranked(chart)[:3]] == ["silent", "old", "t19"]


def test_every_line_differs_by_dashes_and_by_colour() -> None:
    dashes, colours = set(), set()
    for number_ in range(1, LINES + 1):
        (rule,) = re.findall(rf"^\.line-{number_} {{(.*?)}}", STYLE, re.MULTILINE)
        dashes.add("".join(re.findall(r"stroke-dasharray: [\d ]+", rule)))
        colours.add("".join(re.findall(r"var\(--line-\d\)", rule)))
    assert len(dashes) == len(colours) == LINES


@given(st.integers(MOST_POINTS + 1, 3000), st.integers())
def test_peaks_survive_thinning(count: int, seed: int) -> None:
    chance = random.Random(seed)
    values = [chance.choice((None, *[chance.uniform(-1e6, 1e6)] * 99)) for _dummy in range(count)]
    points = [(float(at), value) for at, value in enumerate(values)]
    kept = thin(points)
    assert len(kept) <= MOST_POINTS
    assert kept[-1] == points[-1]
    assert [point for point in points if point in set(kept)] == list(kept)
    known = [value for value in values if value is not None]
    if known:
        left = [value for _when, value in kept if value is not None]
        assert (max(left), min(left)) == (max(known), min(known))
    assert (None in values) == any(value is None for _when, value in kept)


def test_a_short_gap_survives_thinning() -> None:
    points = [(EPOCH + at, None if at == 1800 else 1.0) for at in range(3601)]
    page = page_of(Line("orders", thin(fit(points, BARE))))
    assert page.attributes("path", "d")[0].count("M") == 2


def test_it_is_told_in_words_too() -> None:
    page = page_of(
        Line("orders", every_minute(1, 250, 3)), limit=Limit(60, "accepted: 60 s"), note="One value a minute"
    )
    assert page.attributes("svg", "role") == ["img"]
    assert page.texts("title") == ["x", "Lag"]
    assert page.texts("desc") == [
        "From 2026-01-01 00:00:00 UTC to 2026-01-01 01:00:00 UTC. orders: 3 s now, 250 s at the peak. accepted: 60 s."
    ]
    assert page.texts("figcaption") == ["Lag. One value a minute."]
    assert page.texts("span", "value") == ["0", "100 s", "200 s", "300 s"]
    assert page.texts("span", "time") == ["00:00", "00:15", "00:30", "00:45", "01:00"]


@given(st.lists(st.floats(-1e18, 1e18), min_size=1, max_size=5), st.none() | st.floats(0, 1e18))
def test_scales_have_few_ticks_in_order(values: list[float], limit: float | None) -> None:
    scale = scale_of(values, limit)
    places = [scale.place(tick) for tick in scale.ticks]
    assert places == sorted(places)
    assert 1 <= len(places) <= 9
    assert all(0 <= place <= 1 for place in places)
    assert scale.low <= 0 < scale.high


@pytest.mark.parametrize(
    ("window", "first"),
    [(300, "00:00"), (3600, "00:00"), (86400, "00:00"), (2 * 86400, "00:00"), (7 * 86400, "1 Jan")],
)
def test_times_are_round_and_few(window: float, first: str) -> None:
    found = times_of(EPOCH, EPOCH + window)
    assert 3 <= len(found) <= 6
    assert found[0][1] == first


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (number(0), "0"),
        (number(2.84174), "2.84"),
        (number(99.96), "100"),
        (number(1234.5), "1,234"),
        (number(1e-7), "1e-07"),
        (number(1e300), "1e+300"),
        (seconds(60), "60 s"),
        (rate(35e6), "35 MB/s"),
        (rate(2e9), "2 GB/s"),
        (rate(1500), "1.5 kB/s"),
        (rate(0), "0 B/s"),
        (duration(3600), "1 hour"),
        (duration(7 * 86400), "7 days"),
        (duration(5400), "90 minutes"),
        (duration(301.5), "301.5 seconds"),
    ],
)
def test_values_in_words(told: str, wanted: str) -> None:
    assert told == wanted
