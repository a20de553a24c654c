# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws how the cases grow with the fleet, both axes logarithmic, as SVG."""

from __future__ import annotations

import math

from figures import Figures

PANELS = (("wall", "Wall time in seconds"), ("cpu", "CPU time in seconds"))
WIDTH, HEIGHT, LEFT, TOP, APART, LINE = 300, 260, 50, 40, 410, 13
COLOURS = {
    "collection": ("#0969da", "#58a6ff"),
    "floor": ("#57606a", "#9aa4af"),
    "modules": ("#8250df", "#bc8cff"),
    "uri": ("#cf222e", "#ff7b72"),
    "limit": ("#1a7f37", "#56d364"),
}


def _style() -> str:
    light, dark = ("".join(f".{case}{{--c:{pair[shade]}}}" for case, pair in COLOURS.items()) for shade in (0, 1))
    return (
        "svg{--ink:#1f2328;--rule:#d0d7de;font:12px sans-serif}text{fill:var(--ink)}.title{font-weight:bold}"
        ".rule{stroke:var(--rule)}polyline{fill:none;stroke:var(--c);stroke-width:2}circle{fill:var(--c)}"
        f".name{{fill:var(--c)}}{light}"
        f"@media(prefers-color-scheme:dark){{svg{{--ink:#e6edf3;--rule:#3d444d}}{dark}}}"
    )


class Axis:
    """Puts values between two powers of ten on a line."""

    def __init__(self, values: list[float], start: float, length: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self._start, self._length = start, length

    def place(self, value: float) -> float:
        """Where a value is."""
        return round(self._start + self._length * (math.log10(value) - self.low) / (self.high - self.low), 1)

    def marks(self) -> list[tuple[float, str]]:
        """Place and text of each power of ten."""
        return [(self.place(10.0**power), f"{10.0**power:g}") for power in range(self.low, self.high + 1)]


def _panel(figures: Figures, what: str, title: str, left: float) -> list[str]:
    lines = {
        case: [(size, value) for size in figures.sizes if (value := figures.value(case, size, what))]
        for case in figures.cases
        if case in COLOURS
    }
    across = Axis([float(size) for size in figures.sizes], left, WIDTH)
    up = Axis([value for line in lines.values() for _size, value in line], TOP + HEIGHT, -HEIGHT)
    drawn = [f'<text class="title" x="{left}" y="{TOP - 18}">{title}</text>']
    for x, text in across.marks():
        drawn.append(f'<line class="rule" x1="{x}" x2="{x}" y1="{TOP}" y2="{TOP + HEIGHT}"/>')
        drawn.append(f'<text x="{x}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{text}</text>')
    for y, text in up.marks():
        drawn.append(f'<line class="rule" x1="{left}" x2="{left + WIDTH}" y1="{y}" y2="{y}"/>')
        drawn.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{text}</text>')
    drawn.append(f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">pairs</text>')
    names: list[tuple[float, float, str]] = []
    for case, line in lines.items():
        points = [(across.place(size), up.place(value)) for size, value in line]
        drawn.append(f'<g class="{case}"><polyline points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
        drawn += [*(f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in points), "</g>"]
        names.append((*points[-1], case))
    return drawn + _names(names)


def _names(wanted: list[tuple[float, float, str]]) -> list[str]:
    """The names at the ends of the lines, none over another."""
    drawn = []
    lowest: dict[float, float] = {}
    for x, y, case in sorted(wanted):
        free = max(y, lowest.get(x, 0) + LINE)
        lowest[x] = free
        drawn.append(f'<g class="{case}"><text class="name" x="{x + 7}" y="{free + 4}">{case}</text></g>')
    return drawn


def svg(figures: Figures) -> str:
    """The picture."""
    drawn = [line for number, panel in enumerate(PANELS) for line in _panel(figures, *panel, LEFT + number * APART)]
    size = f"0 0 {2 * APART + 20} {TOP + HEIGHT + 50}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img" aria-label="Growth with the fleet">'
    return "\n".join([head, f"<style>{_style()}</style>", *drawn, "</svg>", ""])
