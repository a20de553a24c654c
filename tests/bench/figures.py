# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measurements say: medians, ratios within a round, growth, goals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from cases import Measurement

RATIOS = (
    ("collection", "floor", "cpu"),
    ("collection", "floor", "wall"),
    ("collection", "floor", "memory"),
    ("collection", "uri", "cpu"),
    ("collection", "uri", "wall"),
    ("collection", "uri", "memory"),
    ("collection", "uri", "requests"),
    ("collection", "modules", "cpu"),
    ("collection", "modules", "wall"),
    ("collection", "limit", "cpu"),
    ("collection", "limit", "wall"),
)
TOKEN = "POST /identity/token"
STEADY = 1.05


@dataclass(frozen=True)
class Spread:
    """The median of all rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of some values, at least one."""
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}..{self.high:.2f})"


@dataclass(frozen=True)
class Goal:
    """Something to reach. ``met`` is None where it was not measured."""

    text: str
    measured: str
    met: bool | None


class Figures:
    """All measurements of one benchmark."""

    def __init__(self, measurements: list[Measurement]) -> None:
        self.all = measurements
        self.sizes = sorted({one.pairs for one in measurements})
        self.cases = list(dict.fromkeys(one.case for one in measurements))
        self._runs = {(one.case, one.pairs, one.number): one for one in measurements}
        self._rounds = sorted({one.number for one in measurements})

    def runs(self, case: str, pairs: int) -> list[Measurement]:
        """A case with so many pairs, in all rounds."""
        found = (self._runs.get((case, pairs, number)) for number in self._rounds)
        return [one for one in found if one]

    def value(self, case: str, pairs: int, what: str) -> float | None:
        """The median of what was measured."""
        runs = self.runs(case, pairs)
        return statistics.median(getattr(one, what) for one in runs) if runs else None

    def ratio(self, case: str, other: str, pairs: int, what: str) -> Spread | None:
        """How much more one case takes than another, round by round."""
        both = list(zip(self.runs(case, pairs), self.runs(other, pairs), strict=False))
        return Spread.of(getattr(one, what) / getattr(two, what) for one, two in both) if both else None

    def growth(self, case: str, what: str) -> float | None:
        """The exponent of the fleet's size with which a case grows, what it takes with the smallest fleet left out: 1 is linear."""
        known = [(pairs, value) for pairs in self.sizes if (value := self.value(case, pairs, what)) is not None]
        first, points = known[:1], known[1:]
        if len(points) < 2 or any(value <= first[0][1] for _pairs, value in points):
            return None
        logs = [(math.log(pairs - first[0][0]), math.log(value - first[0][1])) for pairs, value in points]
        return statistics.linear_regression(*zip(*logs, strict=True)).slope

    def goals(self) -> list[Goal]:
        """What is to be reached, and what was."""
        start = [
            one.wall - two.wall for one, two in zip(self.runs("collection", 1), self.runs("empty", 1), strict=False)
        ]
        runs = [one for one in self.all if one.case == "collection"]
        tokens = {one.endpoints.get(TOKEN, 0) for one in runs}
        most = max((one.requests - one.endpoints.get(TOKEN, 0)) / one.pairs for one in runs)
        exponents = self._exponents("collection")
        floor = self._exponents("floor")
        return [
            self._at_most(1.5, "CPU of the floor", self.ratio("collection", "floor", 100, "cpu"), 100),
            self._at_most(0.2, "CPU of `uri`", self.ratio("collection", "uri", 100, "cpu"), 100),
            self._at_most(0.2, "wall time of `uri`", self.ratio("collection", "uri", 100, "wall"), 100),
            self._at_most(1.2, "peak memory of the floor", self.ratio("collection", "floor", 100, "memory"), 100),
            Goal(
                "one pair takes at most 1.0 s more than an empty play",
                str(Spread.of(start)) if start else "not measured",
                Spread.of(start).median <= 1.0 if start else None,
            ),
            Goal(
                f"wall time, CPU and requests grow linearly or better (N^{STEADY} at most)",
                (_powers(exponents) or "not measured") + (f" (the floor: {_powers(floor)})" if floor else ""),
                max(exponents) <= STEADY if exponents else None,
            ),
            Goal("at most 10 requests for a pair besides the token, with every N", f"{most:.1f} at most", most <= 10),
            Goal("one token request in a run", ", ".join(map(str, sorted(tokens))), tokens == {1}),
        ]

    def _exponents(self, case: str) -> list[float]:
        grows = [self.growth(case, what) for what in ("wall", "cpu", "requests")]
        return [exponent for exponent in grows if exponent is not None]

    @staticmethod
    def _at_most(most: float, of: str, found: Spread | None, pairs: int) -> Goal:
        text = f"at most {most} times the {of}, {pairs} pairs"
        return Goal(text, str(found) if found else "not measured", found.median <= most if found else None)


def _powers(exponents: list[float]) -> str:
    return ", ".join(f"N^{exponent:.2f}" for exponent in exponents)
