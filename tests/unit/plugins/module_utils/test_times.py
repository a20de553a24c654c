# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._times import (
    format_time,
    in_words,
    parse_http_date,
    parse_time,
)

BASE = 1767261600.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-01T10:00:00Z", BASE),
        ("2026-01-01T10:00:00", BASE),
        (" 2026-01-01T10:00:00Z\n", BASE),
        ("2026-01-01T10:00:00.000Z", BASE),
        ("2026-01-01T10:00:00.5Z", BASE + 0.5),
        ("2026-01-01T10:00:00.650372748Z", BASE + 0.650372748),
        ("2026-01-01T12:00:00+02:00", BASE),
        ("2026-01-01T12:00:00+0200", BASE),
        ("2026-01-01T05:00:00.25-05:00", BASE + 0.25),
        ("2024-02-29T00:00:00Z", 1709164800.0),
    ],
)
def test_times_as_services_write_them(text: str, seconds: float) -> None:
    assert parse_time(text) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "now",
        "2026-01-01",
        "2026-01-01 10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T10:00:00.Z",
        "2026-01-01T10:00:00Zx",
        "2026-01-01T10:00:00+99:99",
        "1767261600",
    ],
)
def test_what_is_no_time(text: str | None) -> None:
    assert parse_time(text) is None


def test_times_in_headers() -> None:
    assert parse_http_date("Thu, 01 Jan 2026 10:00:00 GMT") == BASE
    assert [parse_http_date(text) for text in (None, "", "soon", "Thu, 99 Jan 2026 10:00:00 GMT")] == [None] * 4


def test_formatting() -> None:
    assert format_time(BASE) == "2026-01-01T10:00:00Z"
    assert format_time(BASE + 0.999) == "2026-01-01T10:00:00Z"


@given(st.integers(0, 4102444800))
def test_there_and_back(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds


@given(
    st.datetimes(
        timezones=st.timezones(), min_value=datetime.datetime(1971, 1, 1), max_value=datetime.datetime(2100, 1, 1)
    )
)
def test_agrees_with_the_standard_library(moment: datetime.datetime) -> None:
    text = moment.isoformat()
    if moment.utcoffset() and moment.utcoffset().total_seconds() % 60:  # type: ignore[union-attr]
        return
    assert parse_time(text) == pytest.approx(moment.timestamp(), abs=1e-5)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    assert parse_time(text) is None or text.strip()[:4].isdigit()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (0.4, "0 s"), (59.6, "1 min"), (2602, "43 min 22 s"), (7205.2, "2 h 5 s")]
)
def test_how_long_something_took(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
