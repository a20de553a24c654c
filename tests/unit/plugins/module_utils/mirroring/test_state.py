# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import Transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    FIELDS,
    UNKNOWN,
    Known,
    Settings,
    State,
    Unreadable,
    compare,
    observe,
    wanted_state,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import SOURCE, crn, instance, operation

WANTED = Settings(crn(), "us-south", "us-east")
ECHO = {"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east"}
RENAME = {"type": "rename", "rename": {"add_prefix": "x-"}}
HIDDEN = Unreadable("HTTP 403")


def seen(selection: t.Any, echo: t.Any = None, topics: list[str] | None = None, state: str = "succeeded") -> State:
    parameters = {} if echo is None else {"mirroring": echo}
    return observe(instance(parameters=parameters, last_operation=operation(state)), selection, topics)


@pytest.mark.parametrize(
    ("selection", "echo", "state", "enabled", "contradictory"),
    [
        (["^a$"], None, "succeeded", Known(True, "observed"), False),
        ([], None, "succeeded", Known(True, "observed"), False),
        ([], {"disable": True}, "succeeded", Known(True, "observed"), False),
        ([], None, "in progress", Known(True, "observed"), False),
        (None, None, "succeeded", Known(False, "observed"), False),
        (None, None, "failed", Known(False, "observed"), False),
        (None, None, "in progress", UNKNOWN, False),
        (None, ECHO, "in progress", UNKNOWN, False),
        (None, ECHO, "succeeded", Known(False, "observed"), True),
        (None, {"disable": True}, "succeeded", Known(False, "observed"), False),
        (None, {**ECHO, "disable": True}, "succeeded", Known(False, "observed"), False),
        (HIDDEN, ECHO, "succeeded", Known(True, "echoed"), False),
        (HIDDEN, {"disable": True}, "succeeded", Known(False, "echoed"), False),
        (HIDDEN, {**ECHO, "disable": True}, "succeeded", Known(False, "echoed"), False),
        (HIDDEN, None, "succeeded", UNKNOWN, False),
        (HIDDEN, None, "in progress", UNKNOWN, False),
    ],
)
def test_whether_mirroring_is_on(
    selection: t.Any, echo: t.Any, state: str, enabled: Known, contradictory: bool
) -> None:
    observed = seen(selection, echo, state=state)
    assert observed.enabled == enabled
    assert observed.contradictory is contradictory
    assert observed.selection == selection


def test_an_echo_tells_the_settings_and_its_gaps_are_defaults() -> None:
    fields = seen(["a"], ECHO).fields
    assert fields == {
        "source_crn": Known(crn(), "echoed"),
        "source_alias": Known("us-south", "echoed"),
        "target_alias": Known("us-east", "echoed"),
        "topic_name_transform": Known(Transform("use_alias"), "echoed"),
        "group_id_transform": Known(Transform("none"), "echoed"),
        "schemas": Known("inactive", "echoed"),
    }


@pytest.mark.parametrize("place", ["options", "top"])
def test_transforms_are_found_in_either_place(place: str) -> None:
    transforms = {"topic_name_transform": RENAME, "group_id_transform": {"type": "none"}}
    echo = {**ECHO, "schemas": "proxied", **({"options": transforms} if place == "options" else transforms)}
    fields = seen(["a"], echo).fields
    assert fields["topic_name_transform"] == Known(Transform("rename", add_prefix="x-"), "echoed")
    assert fields["group_id_transform"] == Known(Transform("none"), "echoed")
    assert fields["schemas"] == Known("proxied", "echoed")


@pytest.mark.parametrize(
    ("echo", "field"),
    [
        ({**ECHO, "source_crn": 5}, "source_crn"),
        ({**ECHO, "source_alias": None}, "source_alias"),
        ({**ECHO, "options": {"topic_name_transform": "x"}}, "topic_name_transform"),
        ({**ECHO, "options": {"topic_name_transform": {"type": "new"}}}, "topic_name_transform"),
        ({**ECHO, "options": {"group_id_transform": {"type": "none", "rename": "x"}}}, "group_id_transform"),
        ({**ECHO, "options": {"group_id_transform": {"type": "rename"}}}, "group_id_transform"),
    ],
)
def test_an_echo_that_makes_no_sense_is_not_known(echo: dict[str, t.Any], field: str) -> None:
    fields = seen(["a"], echo).fields
    assert fields[field] == UNKNOWN
    assert [name for name in FIELDS if fields[name] == UNKNOWN] == [field]


@pytest.mark.parametrize("options", [None, [], "x", {}])
def test_odd_options_are_no_options(options: t.Any) -> None:
    assert seen(["a"], {**ECHO, "options": options}).fields["topic_name_transform"] == Known(
        Transform("use_alias"), "echoed"
    )


@pytest.mark.parametrize(
    ("selection", "topics", "alias"),
    [
        (["a"], ["us-south.checkpoints.internal", "x"], Known("us-south", "inferred")),
        (["a"], ["us-south.checkpoints.internal", "old.checkpoints.internal"], UNKNOWN),
        (["a"], [], UNKNOWN),
        (["a"], None, UNKNOWN),
        (None, ["us-south.checkpoints.internal"], UNKNOWN),
        (HIDDEN, ["us-south.checkpoints.internal"], UNKNOWN),
    ],
)
def test_an_alias_is_inferred_from_one_checkpoints_topic(selection: t.Any, topics: t.Any, alias: Known) -> None:
    fields = seen(selection, None, topics).fields
    assert fields["source_alias"] == alias
    assert all(fields[name] == UNKNOWN for name in FIELDS if name != "source_alias")


def test_an_echo_is_better_than_inference() -> None:
    assert seen(["a"], ECHO, ["old.checkpoints.internal"]).fields["source_alias"] == Known("us-south", "echoed")


@pytest.mark.parametrize(
    ("changes", "differences", "unknown"),
    [
        ({}, set(), []),
        ({"source_crn": crn().removesuffix("::")}, set(), []),
        ({"source_crn": crn(SOURCE.replace("1", "9"))}, {"source_crn"}, []),
        ({"source_crn": "nonsense"}, set(), ["source_crn"]),
        ({"source_alias": "a"}, {"source_alias"}, []),
        ({"target_alias": "a", "source_alias": "b"}, {"source_alias", "target_alias"}, []),
        ({"options": {"topic_name_transform": RENAME}}, set(), []),
        ({"schemas": "proxied"}, set(), []),
    ],
)
def test_comparing_what_was_asked(changes: dict[str, t.Any], differences: set[str], unknown: list[str]) -> None:
    """Transforms and schemas that are not asked for are left as they are."""
    found = compare(seen(["a"], {**ECHO, **changes}), WANTED)
    assert (set(found[0]), found[1]) == (differences, unknown)


def test_differences_show_both_sides_as_they_are_sent() -> None:
    wanted = Settings(
        crn(),
        "us-south",
        "us-east",
        Transform("none"),
        Transform("rename", add_suffix="-x", given=("add_suffix",)),
        "proxied",
    )
    assert compare(seen(["a"], ECHO), wanted) == (
        {
            "topic_name_transform": ({"type": "use_alias"}, {"type": "none"}),
            "group_id_transform": ({"type": "none"}, {"type": "rename", "rename": {"add_suffix": "-x"}}),
            "schemas": ("inactive", "proxied"),
        },
        [],
    )


def test_a_default_that_is_asked_for_is_no_difference() -> None:
    wanted = Settings(crn(), "us-south", "us-east", Transform("use_alias"), Transform("none"), "inactive")
    assert compare(seen(["a"], ECHO), wanted) == ({}, [])


def test_what_is_only_inferred_is_not_compared() -> None:
    observed = seen(["a"], None, ["other.checkpoints.internal"])
    assert observed.fields["source_alias"].value == "other"
    assert compare(observed, WANTED) == ({}, ["source_crn", "source_alias", "target_alias"])


def test_parameters_to_send() -> None:
    assert WANTED.to_parameters() == ECHO
    assert Settings(crn(), "a", "b", schemas="proxied").to_parameters()["schemas"] == "proxied"
    one = Settings(crn(), "a", "b", topic_name_transform=Transform("none")).to_parameters()
    other = Settings(crn(), "a", "b", group_id_transform=Transform("none")).to_parameters()
    assert one["options"]["topic_name_transform"] == {"type": "none"}
    assert other["options"]["group_id_transform"] == {"type": "none"}


transforms = st.sampled_from(
    [None, Transform("none"), Transform("use_alias"), Transform("rename", add_prefix="a", given=("add_prefix",))]
)


@given(transforms, st.sampled_from([None, Transform("none")]), st.sampled_from([None, "proxied", "inactive"]))
def test_what_was_sent_and_is_echoed_never_differs(
    topics: Transform | None, groups: Transform | None, schemas: str | None
) -> None:
    wanted = Settings(crn(), "us-south", "us-east", topics, groups, schemas)
    assert compare(seen(["a"], wanted.to_parameters()), wanted) == ({}, [])


def test_the_shapes_of_results() -> None:
    result = seen(["a"], ECHO).to_result()
    assert result["enabled"] is True
    assert result["topic_name_transform"] == {"type": "use_alias"}
    assert result["known"] == {"enabled": "observed", **dict.fromkeys(FIELDS, "echoed")}
    nothing = seen(None).to_result()
    assert {name: nothing[name] for name in ("enabled", *FIELDS)} == {"enabled": False, **dict.fromkeys(FIELDS)}
    assert set(wanted_state(WANTED)) == {"enabled", *FIELDS}
    assert wanted_state(WANTED)["source_crn"] == crn()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "rename", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
keys = st.sampled_from([*FIELDS, "options", "disable"])


@given(
    st.dictionaries(keys, json_values, max_size=5),
    st.dictionaries(st.sampled_from(["topic_name_transform", "group_id_transform"]), json_values),
    st.sampled_from([None, [], ["a"], HIDDEN]),
)
def test_no_echo_breaks_the_observation(echo: dict[str, t.Any], options: dict[str, t.Any], selection: t.Any) -> None:
    for one in (echo, {**ECHO, **echo}, {**ECHO, "options": options}):
        observed = seen(selection, one)
        compare(observed, WANTED)
        observed.to_result()
