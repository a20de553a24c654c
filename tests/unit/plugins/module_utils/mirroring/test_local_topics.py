# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.local_topics import (
    Came,
    own_topics,
    selected_names,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import (
    DEFAULT_TOPIC_TRANSFORM,
    Transform,
    is_internal,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import compile_patterns

CAME = Came(("a",), DEFAULT_TOPIC_TRANSFORM)
RENAMED = Came(("a",), Transform("rename", add_prefix="dr.", given=("add_prefix",)))


def chosen(
    patterns: list[str], topics: list[str], came: Came = CAME, transform: Transform = DEFAULT_TOPIC_TRANSFORM
) -> list[str]:
    listed = [(name, 1) for name in topics]
    return list(own_topics(compile_patterns(patterns), listed, came, transform, "b").patterns)


@pytest.mark.parametrize(
    ("patterns", "topics", "came", "selected"),
    [
        (["^orders$"], ["orders", "orders.a"], CAME, ["^orders$"]),
        (["^orders.*"], ["orders", "orders.eu"], CAME, ["^orders.*"]),
        (["^orders.*"], ["orders", "orders.eu", "orders.a"], CAME, ["^orders$", "^orders\\.eu$"]),
        ([".*"], ["orders.a", "__consumer_offsets", "a.checkpoints.internal"], CAME, []),
        # Not anchored: whether it selects orders.a, too, depends on how the service reads it.
        (["orders"], ["orders", "orders.a"], CAME, ["^orders$"]),
        (["orders"], ["orders", "orders-eu", "orders.a"], CAME, ["^orders$", "^orders-eu$"]),
        ([".*"], ["orders", "orders.c"], Came(("a", "c"), DEFAULT_TOPIC_TRANSFORM), ["^orders$"]),
        ([".*"], ["orders", "dr.orders"], RENAMED, ["^orders$"]),
        ([".*"], ["orders", "orders.a"], RENAMED, ["^orders$"]),
        ([".*"], ["orders"], Came(("a",), Transform("none")), [".*"]),
        (["^nothing$"], ["orders", "orders.a"], CAME, ["^nothing$"]),
    ],
)
def test_what_came_from_the_other_side_is_not_selected(
    patterns: list[str], topics: list[str], came: Came, selected: list[str]
) -> None:
    assert chosen(patterns, topics, came) == selected


def test_names_that_lose_a_part_are_selected_by_what_is_left() -> None:
    """API §5.2: patterns are matched after the part is taken off."""
    transform = Transform("rename", remove_prefix="app.", given=("remove_prefix",))
    assert chosen([".*"], ["app.orders", "app.orders.a"], transform=transform) == ["^orders$"]


def test_whether_what_came_can_be_told_by_its_name() -> None:
    assert CAME.under_other_names
    assert RENAMED.under_other_names
    assert not Came(("a",), Transform("none")).under_other_names
    assert not Came(("a",), Transform("rename", remove_prefix="x", given=("remove_prefix",))).under_other_names


@pytest.mark.parametrize(
    ("selection", "counted"),
    [
        (["^orders$"], {"orders", "orders.a"}),
        ([".*"], {"orders", "orders.a", "payments"}),
        ([], set()),
        (None, {"orders", "orders.a", "payments"}),
        # Only the service can read it, nobody can, and nobody has the time.
        (["^orders?+$"], {"orders", "orders.a", "payments"}),
        (["("], {"orders", "orders.a", "payments"}),
    ],
)
def test_names_that_may_be_selected(selection: list[str] | None, counted: set[str]) -> None:
    assert selected_names(["orders", "orders.a", "payments"], selection, "a") == counted


def test_a_selection_that_takes_for_ever_hides_nothing() -> None:
    names = ["a" * 40 + "!", "orders"]
    assert selected_names(names, ["(a+)+$"], "x") == set(names)


names = st.lists(st.from_regex(r"\A[a-c.]{1,6}\Z"), max_size=8, unique=True)


@hypothesis.given(
    names, st.lists(st.sampled_from([".*", "^a.*", "^b$", "a", "c|b"]), min_size=1, max_size=3, unique=True)
)
def test_no_selection_takes_back_what_came(topics: list[str], patterns: list[str]) -> None:
    """However the service reads patterns: as whole names, or as parts of them."""
    selected = [re.compile(one) for one in chosen(patterns, topics)]
    taken = {topic for topic in topics for one in selected if one.search(topic) and not is_internal(topic)}
    assert not {topic for topic in taken if topic.endswith(".a")}
    own = {topic for topic in topics if not topic.endswith(".a") and not is_internal(topic)}
    assert {topic for topic in own if any(re.fullmatch(one, topic) for one in patterns)} <= taken


@pytest.mark.parametrize(
    ("patterns", "topics", "undecided"),
    [
        (["[a-z]++.*"], ["orders", "orders.a"], ("[a-z]++.*",)),
        (["[a-z]++.*", "^orders$"], ["orders", "orders.a"], ("[a-z]++.*",)),
        (["[a-z]++.*"], ["orders"], ()),
    ],
)
def test_what_only_the_service_reads_may_choose_what_came(
    patterns: list[str], topics: list[str], undecided: tuple[str, ...]
) -> None:
    listed = [(name, 1) for name in topics]
    found = own_topics(compile_patterns(patterns), listed, CAME, DEFAULT_TOPIC_TRANSFORM, "b")
    assert (found.undecided, found.patterns) == (undecided, () if undecided else tuple(patterns))
