# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Line charts: the lines are SVG, what is written beside them is text of the page, so that it stays legible on narrow screens. Pure.

Private to this collection: it may change at any time. What is not known is a gap, or is said in words; it is never drawn as 0.
"""

from __future__ import annotations

import dataclasses
import math
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.document import Child, element, name
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.scale import (
    Scale,
    moment,
    scale_of,
    times_of,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._page.style import LINES

WIDTH, HEIGHT = 1000.0, 300.0
"""The view box, which is stretched to whatever room there is."""

MOST_POINTS = 300
NARROWS = "The scale narrows upwards, for both the values and the limit to be readable"
ROOM = 0.12
"""The share of the height that what a limit is called takes."""

Points: t.TypeAlias = "t.Sequence[tuple[float, float | None]]"
"""Seconds since the epoch, and the value; in order of time."""


class Line(t.NamedTuple):
    """What a line shows, and its points."""

    name: str
    points: Points


class Limit(t.NamedTuple):
    """A value, and what it means in words."""

    value: float
    words: str


@dataclasses.dataclass(frozen=True)
class Chart:
    """What to draw between two times, in seconds since the epoch. Points that are further apart than ``gap`` seconds are not joined.
    ``total`` is how many lines there would be, if more than ``lines``. ``written`` puts a value into words;
    ``note`` is told of a chart that has values, ``reason`` in place of one that has none."""

    title: str
    start: float
    end: float
    gap: float
    written: t.Callable[[float], str]
    lines: t.Sequence[Line] = ()
    total: int = 0
    limit: Limit | None = None
    note: str = ""
    reason: str = ""


def draw(chart: Chart) -> ET.Element:
    """The chart as a figure."""
    lines = [Line(one.name, thin(fit(one.points, chart))) for one in ranked(chart)[:LINES]]
    shown = [one for one in lines if _known(one.points)]
    if not shown:
        return element("figure", None, _caption(chart.title), element("p", None, f"Not known: {chart.reason}"))
    values = [value for one in shown for value in _known(one.points)]
    scale = scale_of(values, chart.limit.value if chart.limit else None)
    caption = _caption(chart.title, chart.note, "" if scale.bend is None else NARROWS)
    return element("figure", None, caption, _plot(chart, scale, shown), _legend(chart, shown))


def _caption(*sentences: str) -> ET.Element:
    return element("figcaption", None, " ".join(f"{one}." for one in sentences if one))


def ranked(chart: Chart) -> list[Line]:
    """The lines, those with the largest newest values first; of one that has none now, its peak counts."""

    def size(line: Line) -> float:
        newest = [point for point in line.points[-1:] if chart.end - point[0] <= chart.gap]
        return max(_known(newest) or _known(line.points), default=-math.inf)

    return sorted(chart.lines, key=lambda line: (-size(line), line.name))


def fit(points: Points, chart: Chart) -> list[tuple[float, float | None]]:
    """The points within the window, with None wherever nothing is known."""
    found: list[tuple[float, float | None]] = []
    for when, value in points:
        if not chart.start <= when <= chart.end:
            continue
        if found and when - found[-1][0] > chart.gap:
            found.append((when, None))
        found.append((when, value if value is not None and math.isfinite(value) else None))
    if found and chart.end - found[-1][0] > chart.gap:
        found.append((chart.end, None))
    return found


def thin(points: Points) -> Points:
    """So many points at most, among them the largest, the smallest and a gap of each piece, and the newest."""
    if len(points) <= MOST_POINTS:
        return points
    pieces = MOST_POINTS // 3 - 1
    kept: set[int] = {len(points) - 1}
    for piece in range(pieces):
        within = range(piece * len(points) // pieces, (piece + 1) * len(points) // pieces)
        known = {at: value for at in within if (value := points[at][1]) is not None}
        if known:
            kept |= {max(known, key=lambda at: known[at]), min(known, key=lambda at: known[at])}
        kept |= set([at for at in within if at not in known][:1])
    return [points[at] for at in sorted(kept)]


def path_of(points: Points, scale: Scale, start: float, end: float) -> str:
    """The line as SVG has it, interrupted at gaps; a point alone is drawn as one."""
    pieces: list[list[str]] = [[]]
    for when, value in points:
        if value is None:
            pieces.append([])
            continue
        across = (when - start) / (end - start) * WIDTH
        pieces[-1].append(f"{across:.1f} {(1 - scale.place(value)) * HEIGHT:.1f}")
    return "".join(f"M{'L'.join(piece if len(piece) > 1 else piece * 2)}" for piece in pieces if piece)


def _known(points: Points) -> list[float]:
    return [value for _when, value in points if value is not None and math.isfinite(value)]


def _plot(chart: Chart, scale: Scale, lines: t.Sequence[Line]) -> ET.Element:
    """The picture, and what is written around it."""
    drawn: list[Child] = [element("title", None, chart.title), element("desc", None, _described(chart, lines))]
    written: list[Child] = []
    for value in scale.ticks:
        place = scale.place(value)
        drawn.append(_across(place, "grid" if value else "axis"))
        written.append(
            element("span", {"class": "value", "style": f"bottom: {place:.2%}"}, chart.written(value) if value else "0")
        )
    for when, text in times_of(chart.start, chart.end):
        place = (when - chart.start) / (chart.end - chart.start)
        at = f"{place * WIDTH:.1f}"
        drawn.append(element("line", {"class": "grid", "x1": at, "x2": at, "y1": "0", "y2": f"{HEIGHT:g}"}))
        written.append(element("span", {"class": "time", "style": f"left: {place:.2%}"}, text))
    for number, line in enumerate(lines, 1):
        path = path_of(line.points, scale, chart.start, chart.end)
        drawn.append(element("path", {"class": f"line line-{number}", "d": path}))
    if chart.limit:
        place = scale.place(chart.limit.value)
        drawn.append(_across(place, "limit"))
        side = f"top: {1 - place:.2%}" if _is_below(chart, scale, lines) else f"bottom: {place:.2%}"
        written.append(element("span", {"class": "most", "style": side}, chart.limit.words))
    svg = {"role": "img", "viewBox": f"0 0 {WIDTH:g} {HEIGHT:g}", "preserveAspectRatio": "none"}
    return element("div", {"class": "plot"}, element("svg", svg, *drawn), *written)


def _is_below(chart: Chart, scale: Scale, lines: t.Sequence[Line]) -> bool:
    """Whether what a limit is called stands below its line: there is no room above, or lines are there and not below."""
    place = scale.place(chart.limit.value) if chart.limit else 0.0
    late = chart.end - (chart.end - chart.start) / 3
    above, below = (
        any(
            bottom < scale.place(value) < bottom + ROOM
            for line in lines
            for when, value in line.points
            if value is not None and when > late
        )
        for bottom in (place, place - ROOM)
    )
    return place + ROOM > 1 or (above and not below and place > ROOM)


def _across(place: float, kind: str) -> ET.Element:
    at = f"{(1 - place) * HEIGHT:.1f}"
    return element("line", {"class": kind, "x1": "0", "x2": f"{WIDTH:g}", "y1": at, "y2": at})


def _legend(chart: Chart, lines: t.Sequence[Line]) -> ET.Element:
    """What each line is, and how many there are that are not drawn."""
    items = []
    for number, line in enumerate(lines, 1):
        sample = element("line", {"class": f"line line-{number}", "x1": "1", "x2": "35", "y1": "5", "y2": "5"})
        svg = element("svg", {"viewBox": "0 0 36 10", "aria-hidden": "true"}, sample)
        told = element("span", {"class": "soft"}, _told(chart, line))
        items.append(element("li", None, svg, element("div", None, name(line.name), " ", told)))
    more = max(chart.total, len(chart.lines)) - len(lines)
    if more:
        items.append(element("li", {"class": "soft"}, f"and {more} more, which are not drawn"))
    return element("ul", {"class": "legend"}, *items)


def _told(chart: Chart, line: Line) -> str:
    newest = line.points[-1][1]
    now = "not known now" if newest is None else f"{chart.written(newest)} now"
    return f"{now}, {chart.written(max(_known(line.points)))} at the peak"


def _described(chart: Chart, lines: t.Sequence[Line]) -> str:
    """The chart in words."""
    told = [f"From {moment(chart.start)} to {moment(chart.end)}."]
    told += [f"{line.name}: {_told(chart, line)}." for line in lines]
    return " ".join([*told, *([f"{chart.limit.words}."] if chart.limit else [])])
