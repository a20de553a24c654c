# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.monitoring import Series
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.last_reading import Reading, read_last
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.metrics import NAMES

NOW = 1_767_225_600.0


class Answers:
    """Monitoring with values of topics: those of now, and the last ones, with when those were."""

    now = NOW
    warnings: tuple[str, ...] = ()

    def __init__(self, now: dict[str, float], last: dict[str, tuple[float, float]]) -> None:
        self._present, self._last = now, last

    def instant(self, query: str, what: str) -> list[Series]:
        values = (
            {name: value for name, (_when, value) in self._last.items()} if "last_over_time" in query else self._present
        )
        return [Series({"ibm_eventstreams_topic": name}, [(NOW, value)]) for name, value in values.items()]

    def over(self, query: str, start: float, end: float, step: float, what: str) -> list[Series]:
        found = [(name, point) for name, point in self._last.items() if f'"{name}"' in query]
        return [Series({"ibm_eventstreams_topic": name}, [point, (NOW, None)]) for name, point in found]


def read(now: dict[str, float], last: dict[str, tuple[float, float]] | None = None, *others: str) -> Reading:
    answers: t.Any = Answers(now, {**{name: (NOW, value) for name, value in now.items()}, **(last or {})})
    return read_last(answers, NAMES, "guid", lambda names: set(names) - set(others))


@pytest.mark.parametrize(
    ("reading", "worst", "at"),
    [
        (read({"orders": 12.0, "payments": 3.0}), ("orders", 12.0), NOW),
        (read({"orders": 12.0}, {"payments": (NOW - 3600, 40.0)}), ("payments", 40.0), NOW - 3600),
        # A value that is good now may be some minutes old.
        (read({"orders": 12.0}, {"orders": (NOW - 240, 12.0)}), ("orders", 12.0), NOW - 240),
        (read({}, {"payments": (NOW - 3600, 40.0)}), ("payments", 40.0), NOW - 3600),
        (read({"orders": 12.0, "payments": 3.0}, None, "orders"), ("payments", 3.0), NOW),
    ],
)
def test_the_worst_of_what_was_known_last(reading: Reading, worst: tuple[str, float], at: float) -> None:
    assert ((reading.topic, reading.behind), reading.at) == (worst, at)
    told = reading.to_result()
    assert told["known"]
    assert told["worst"] == {"topic": worst[0], "seconds": worst[1]}
    assert "is not known" in reading.words("us-south")
    assert "topics that had no value there" in reading.words("us-south")
    assert worst[0] in reading.words("us-south")


def test_nothing_is_known() -> None:
    reading = read({})
    assert reading.to_result() == {"known": False, "worst": None, "at": None, "reason": reading.reason}
    assert "How much is lost is not known: Monitoring has no value of the last six hours" in reading.words("us-south")
