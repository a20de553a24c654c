# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pick import Pick

PICK = Pick()


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("orders", "orders"),
        ("  ", None),
        ("", None),
        (5, None),
        (None, None),
        (["a"], None),
        ("a\nb\u202ec\0d\ud800", "a b c d"),
    ],
)
def test_texts(value: t.Any, found: str | None) -> None:
    assert PICK.text(value) == found


@pytest.mark.parametrize("value", [True, "5", None, float("nan"), float("inf"), 1e15, -1e15])
def test_what_is_no_number(value: t.Any) -> None:
    assert PICK.number(value) is None


def test_a_number_that_no_text_could_hold_is_none() -> None:
    assert PICK.number(10**5000) is None


@pytest.mark.parametrize(
    ("value", "found"), [(0, 0), (5, 5), (True, True), (False, False), ("x", "x"), ({}, None), ([], None)]
)
def test_scalars(value: t.Any, found: t.Any) -> None:
    assert PICK.scalar(value) is found or PICK.scalar(value) == found


@pytest.mark.parametrize(
    "value", ["9999-12-31T23:59:59.9999999Z", "1900-01-01T00:00:00Z", "yesterday", "", None, 5, "2026-13-01T00:00:00Z"]
)
def test_what_is_no_time(value: t.Any) -> None:
    assert PICK.moment(value) is None


def test_times_are_in_utc() -> None:
    assert PICK.moment("2026-01-01T12:00:00.9+02:00") == "2026-01-01T10:00:00Z"


def test_a_secret_is_masked_before_a_text_is_cut() -> None:
    """Or half of it would be left."""
    pick = Pick({"secret-of-somebody", "  "})
    assert pick.text(f"{'x' * 295}secret-of-somebody") == f"{'x' * 295}*****..."


def test_there_is_room_for_so_much() -> None:
    pick = Pick(room=10)
    assert [pick.text("123456"), pick.text("123456"), pick.text("1")] == ["123456", "1234...", None]


@given(st.text(), st.integers(1, 50))
def test_no_text_is_longer(text: str, longest: int) -> None:
    found = PICK.text(text, longest) or ""
    assert len(found) <= longest + 3
    assert found.encode().decode() == found
    assert found.isprintable()
