# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where values and times are in a chart, and which of them are written beside it. Pure.

Private to this collection: it may change at any time.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import typing as t

LEAST, MOST = 1e-9, 1e15
"""What is beyond has no place of its own; nothing that is drawn is so small or so large."""

FAR_APART = 15.0
"""How many times as large as the smaller one the larger one of limit and data may be, for both to be readable on a plain scale."""

STEPS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800)
"""Seconds between two times that are written."""

MOST_TIMES = 5
HOUR, DAY = 3600.0, 86400.0


@dataclasses.dataclass(frozen=True)
class Scale:
    """From values to places, 0 at the bottom and 1 at the top. Beyond ``bend`` (None: nowhere) it is as good as logarithmic."""

    low: float
    high: float
    bend: float | None
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Where a value is; one that is beyond the scale is at its end."""
        low, high, at = (self._bent(one) for one in (self.low, self.high, min(max(value, self.low), self.high)))
        return (at - low) / (high - low)

    def _bent(self, value: float) -> float:
        return value if self.bend is None else math.asinh(value / self.bend)


def scale_of(values: t.Sequence[float], limit: float | None) -> Scale:
    """A scale for some values, one at least, and a limit, that begins at 0 or below."""
    low, peak = (max(-MOST, min(MOST, end)) for end in (min(0.0, *values), max(0.0, *values)))
    most = None if limit is None else min(MOST, max(0.0, limit))
    both = sorted(one for one in (peak, most) if one is not None and one > LEAST)
    high = both[-1] if both else (1.0 if -low < LEAST else LEAST)
    if len(both) == 2 and both[1] > FAR_APART * both[0] and low > -LEAST:
        return _wide(both[0] / 3, high * 1.3)
    step = _nice((high - low) / 4)
    bottom, top = math.floor(low / step + 1e-9) * step, math.ceil(high * 1.04 / step) * step
    return Scale(bottom, top, None, tuple(bottom + step * number for number in range(round((top - bottom) / step) + 1)))


def times_of(start: float, end: float) -> list[tuple[float, str]]:
    """Round times in UTC within a window, and how they are written; all in seconds since the epoch."""
    span = end - start
    step = next((step for step in STEPS if span / step <= MOST_TIMES), STEPS[-1])
    first = math.ceil(start / step) * step
    return [(when, _written(when, step)) for when in range(first, math.floor(end) + 1, step)]


def number(value: float) -> str:
    """A number with as many digits as tell something."""
    size = abs(value)
    if size >= MOST or 0 < size < 0.001:
        return f"{value:.2g}"
    return f"{value:,.0f}" if size >= 100 else f"{value:.3g}"


def seconds(value: float) -> str:
    """So many seconds."""
    return f"{number(value)} s"


def rate(value: float) -> str:
    """So many bytes per second."""
    for size, unit in ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")):
        if abs(value) >= size:
            return f"{number(value / size)} {unit}"
    return f"{number(value)} B/s"


def duration(value: float) -> str:
    """How long a window is, in seconds."""
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (60.0, "minute")):
        if value >= size and not value % size:
            return f"{value / size:g} {unit}{'' if value == size else 's'}"
    return f"{value:g} seconds"


def moment(when: float) -> str:
    """A time for people, in UTC; seconds since the epoch."""
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def _wide(bend: float, high: float) -> Scale:
    """A scale for values that are far apart; powers of ten are written where there is room for them."""
    plain = Scale(0.0, high, bend, ())
    chosen = [0.0]
    for power in range(math.ceil(math.log10(bend)), math.floor(math.log10(high)) + 1):
        at = plain.place(10.0**power)
        if at - plain.place(chosen[-1]) >= 0.13 and at <= 1:
            chosen.append(10.0**power)
    return dataclasses.replace(plain, ticks=tuple(chosen))


def _nice(step: float) -> float:
    """The next round number."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((power * factor for factor in (1, 2, 2.5, 5) if step <= power * factor * (1 + 1e-9)), power * 10)


def _written(when: int, step: int) -> str:
    at = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    return f"{at.day} {at.strftime('%b')}" if step >= DAY else at.strftime("%H:%M")
