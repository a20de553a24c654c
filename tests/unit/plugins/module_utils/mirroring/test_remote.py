# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import selection as selection_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import Transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.remote import (
    Feed,
    Refusal,
    RemoteTopic,
    Removal,
    find_remote,
    lines,
    observe_feed,
    obstacles,
    plan_removal,
    refuse_all,
    unrecognisable,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    MatchingTooSlow,
    compile_patterns,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable, observe
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import crn, instance, operation

ALIAS = "us-south"
OFF = Feed(False, "mirroring is not enabled on the target")


def echoed(**options: t.Any) -> dict[str, t.Any]:
    mirroring = {"source_crn": crn(), "source_alias": ALIAS, "target_alias": "us-east", **options}
    return {"parameters": {"mirroring": mirroring}}


def feed(selection: t.Any, active: t.Any = (), **document: t.Any) -> Feed:
    target = instance(**document)
    told = active if isinstance(active, Unreadable) or active is None else list(active)
    return observe_feed(target.operation, observe(target, selection), told)


def found(names: t.Iterable[str], fed_by: Feed) -> dict[str, bool | None]:
    return {one.name: one.fed for one in find_remote([(name, 1) for name in names], ALIAS, fed_by)}


def fed(name: str, selection: t.Any, active: t.Any = (), **document: t.Any) -> bool | None:
    return found([name], feed(selection, active, **document))[name]


@pytest.mark.parametrize(
    "name",
    [
        "orders",
        "us-south",
        ".us-south",
        "orders-us-south",
        "orders.us-south.old",
        "orders.eu-de",
        "orders.US-SOUTH",
        "us-south.checkpoints.internal",
        "mm2-offset-syncs.us-south.internal",
        "__consumer_offsets",
        "__state.us-south",
        "us-east.checkpoints.internal.us-south",
        "or ders.us-south",
        "../orders.us-south",
        "orders.us-south\n",
        f"{'x' * 241}.us-south",
    ],
)
def test_what_is_no_remote_topic(name: str) -> None:
    assert found([name], OFF) == {}


def test_an_alias_that_makes_every_topic_look_internal() -> None:
    assert find_remote([("orders.internal", 1)], "internal", OFF) == []
    removal = plan_removal([], {"orders.internal"}, "internal", ["orders.internal"], [])
    assert [one.obstacle for one in removal.refused] == ["internal"]


def test_what_is_one() -> None:
    (one,) = find_remote([("orders.eu.us-south", 6)], ALIAS, OFF)
    assert one == RemoteTopic("orders.eu.us-south", "orders.eu", 6, False, OFF.reason)
    assert one.line() == "orders.eu.us-south (6 partitions): not fed, mirroring is not enabled on the target"
    assert found(["orders.us-east.us-south", f"{'x' * 240}.us-south"], OFF).keys() == {
        "orders.us-east.us-south",
        f"{'x' * 240}.us-south",
    }


@pytest.mark.parametrize(
    ("selection", "active", "expected"),
    [
        (None, (), False),
        ([], (), False),
        (["^payments$"], (), False),
        (["^orders$"], (), True),
        (["rders"], (), True),
        (["^orders.us-south$"], (), True),
        ([".*"], (), True),
        (["payments,orders"], (), True),
        (["payments,(,orders"], (), None),
        (["^o{1,2}rders$"], (), True),
        (["^x{1,2}$"], (), False),
        ([r"\p{Lower}+"], (), None),
        ([r"\p{Lower}+", "^orders$"], (), True),
        ([], ["orders"], True),
        (["^payments$"], ["orders.us-south"], True),
        (["^payments$"], ["payments"], False),
        (["("], (), None),
        (["^payments$"], None, None),
        (["^payments$"], Unreadable("HTTP 503"), None),
        (Unreadable("HTTP 403"), (), None),
    ],
)
def test_what_is_fed(selection: t.Any, active: t.Any, expected: bool | None) -> None:
    assert fed("orders.us-south", selection, active) is expected


@pytest.mark.parametrize("state", ["in progress", "unheard-of"])
def test_nobody_can_tell_while_an_operation_runs(state: str) -> None:
    for selection in (None, [], ["^orders$"]):
        running = feed(selection, last_operation=operation(state, "update"))
        assert running.enabled is None
        assert state in running.words


def test_a_document_that_contradicts_the_mirroring_api() -> None:
    """Such a 404 may come from another cluster, if the admin URL is wrong."""
    assert fed("orders.us-south", None, **echoed()) is None
    assert "HTTP 404" in feed(None, **echoed()).words
    assert fed("orders.us-south", None, parameters={"mirroring": {"disable": True}}) is False


@pytest.mark.parametrize("active", [(), ["orders"]])
def test_a_target_that_mirrors_from_another_source_now(active: t.Any) -> None:
    other = echoed(source_alias="eu-de")
    assert fed("orders.us-south", ["^orders$"], active, **other) is False
    assert fed("orders.us-south", ["^orders$"], ["orders.us-south"], **other) is True


@pytest.mark.parametrize("how", ["echoed", "observed"])
def test_a_source_whose_alias_ends_like_this_one(how: str) -> None:
    """orders.eu.us-south is what a source called eu.us-south feeds."""
    names = ["orders.eu.us-south", "orders.us-south"]
    if how == "echoed":
        assert found(names, feed(["^x$"], **echoed(source_alias="eu.us-south"))).keys() == {"orders.us-south"}
    else:
        assert found([*names, "eu.us-south.checkpoints.internal"], OFF).keys() == {"orders.us-south"}


def test_a_selection_that_explodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection_module, "MATCHING_SECONDS", 0.1)
    assert fed(f"{'a' * 60}-.us-south", ["^(a+)+$"]) is None


@pytest.mark.parametrize(
    ("asked", "document", "hidden"),
    [
        (None, {}, False),
        (Transform("use_alias"), {}, False),
        (Transform("none"), {}, True),
        (Transform("rename", add_suffix=".us-south"), {}, True),
        (None, echoed(options={"topic_name_transform": {"type": "none"}}), True),
        (Transform("use_alias"), echoed(options={"topic_name_transform": {"type": "none"}}), True),
        (None, echoed(), False),
    ],
)
def test_when_remote_topics_cannot_be_told_from_local_ones(
    asked: Transform | None, document: dict[str, t.Any], hidden: bool
) -> None:
    reason = unrecognisable(asked, observe(instance(**document), []))
    assert (reason is not None) is hidden
    removal = refuse_all(reason or "", ["orders"], compile_patterns([".*"]))
    assert [one.name for one in removal.refused] == ["orders", ".*"]


NAMES = ["audit.us-south", "orders.us-south", "local", "us-south.checkpoints.internal", "x.eu.us-south"]


def plan(named: list[str], *patterns: str) -> Removal:
    remote = find_remote([(name, 1) for name in NAMES], ALIAS, feed(["^orders$"], **echoed()))
    return plan_removal(remote, set(NAMES), ALIAS, named, compile_patterns(patterns))


@pytest.mark.parametrize(
    ("named", "patterns", "planned", "left", "missing"),
    [
        ([], [], [], [], []),
        (["audit.us-south"], [], ["audit.us-south"], [], []),
        (["audit.us-south", "audit.us-south"], ["audit.*"], ["audit.us-south"], [], []),
        (["gone.us-south"], [], [], [], ["gone.us-south"]),
        ([], ["audit"], [], [], []),
        ([], [".*"], ["audit.us-south", "x.eu.us-south"], ["orders.us-south"], []),
        ([], ["local", ".*internal"], [], [], []),
    ],
)
def test_plans(named: list[str], patterns: list[str], planned: list[str], left: list[str], missing: list[str]) -> None:
    assert plan(named, *patterns) == Removal(planned, left, missing, [])


def test_everything_that_is_refused_is_told_at_once() -> None:
    refused = plan(["local", "us-south.checkpoints.internal", "orders.us-south", "other", "audit.us-south"]).refused
    assert {one.name: one.obstacle for one in refused} == {
        "local": "local",
        "us-south.checkpoints.internal": "internal",
        "orders.us-south": "fed",
        "other": "local",
    }
    told, remedy = obstacles(refused)
    assert "local, other: no remote topic, because those end with .us-south" in told
    assert "orders.us-south: the selection has ^orders$" in told
    assert "disable mirroring" in remedy and "take what is local out" in remedy


@pytest.mark.parametrize(
    ("name", "obstacle"),
    [
        ("x.internal.us-south", "internal"),
        ("__x.us-south", "internal"),
        ("a b.us-south", "local"),
        (".us-south", "local"),
        ("us-south", "local"),
    ],
)
def test_names_that_no_remote_topic_has(name: str, obstacle: str) -> None:
    assert [one.obstacle for one in plan([name]).refused] == [obstacle]


def test_a_pattern_that_explodes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection_module, "MATCHING_SECONDS", 0.1)
    remote = find_remote([(f"{'a' * 60}-.us-south", 1)], ALIAS, OFF)
    with pytest.raises(MatchingTooSlow):
        plan_removal(remote, set(), ALIAS, [], compile_patterns(["^(a+)+$"]))


def test_a_copy_of_another_source_is_refused() -> None:
    listed = ["x.eu.us-south", "eu.us-south.checkpoints.internal"]
    remote = find_remote([(name, 1) for name in listed], ALIAS, OFF)
    removal = plan_removal(remote, listed, ALIAS, listed[:1], [])
    assert [(one.name, one.obstacle) for one in removal.refused] == [("x.eu.us-south", "foreign")]


def test_what_nobody_can_tell_is_refused_also_where_a_pattern_matches() -> None:
    remote = find_remote([("audit.us-south", 1)], ALIAS, Feed(None, "HTTP 503"))
    for named, patterns in ((["audit.us-south"], []), ([], [".*"]), (["audit.us-south"], [".*"])):
        removal = plan_removal(remote, {"audit.us-south"}, ALIAS, named, compile_patterns(patterns))
        assert removal.refused == [Refusal("audit.us-south", "unknown", "HTTP 503")]
        assert removal.planned == []


def test_lines_show_all_that_is_to_be_deleted_and_some_of_the_rest() -> None:
    names = [f"t{number:03}.us-south" for number in range(100)]
    remote = find_remote([(name, None) for name in names], ALIAS, OFF)
    shown = lines(remote, Removal(names[:50], [names[60]], ["gone.us-south"], []))
    assert shown[0] == "100 remote topics: 0 fed, 100 not fed, 0 unknown"
    assert [line for line in shown if line.startswith("To be deleted: ")] == [
        f"To be deleted: {name}: not fed, mirroring is not enabled on the target" for name in names[:50]
    ]
    assert "... and 20 more" in shown
    assert "Matched and left, because they are fed: t060.us-south" in shown
    assert "Named and not there: gone.us-south" in shown


# Parts that overlap, so that names, aliases and patterns meet.
pieces = st.sampled_from(["a", "b", "us-south", "eu.us-south", "internal", "__a", "checkpoints", "orders", "", "a b"])
names = st.lists(pieces, min_size=1, max_size=4).map(".".join)
patterns = st.sampled_from(["a", "^a$", "^orders$", ".*", "^b.*", r"\p{L}+", "a,orders", "", "(", "^x$", "us-south"])
feeds = st.builds(
    feed,
    st.one_of(st.none(), st.just(Unreadable("no")), st.lists(patterns.filter(bool), max_size=3)),
    st.one_of(st.none(), st.just(Unreadable("no")), st.lists(names, max_size=3)),
    last_operation=st.sampled_from([operation(), operation("in progress", "update")]),
    parameters=st.sampled_from([{}, echoed()["parameters"], echoed(source_alias="eu.us-south")["parameters"]]),
)


@given(st.lists(names, max_size=12, unique=True), feeds, st.lists(names, max_size=6), st.booleans())
def test_never_is_anything_planned_that_must_stay(listed: list[str], by: Feed, named: list[str], every: bool) -> None:
    remote = find_remote([(name, 1) for name in listed], ALIAS, by)
    removal = plan_removal(remote, set(listed), ALIAS, named, compile_patterns([".*"] if every else []))
    for name in removal.planned:
        assert name in listed
        assert name in named or every
        assert re.fullmatch(r"[A-Za-z0-9._-]+\.us-south", name)
        assert not name.endswith(".internal") and not name.startswith("__")
        assert by.enabled is not None
        base = name.removesuffix(".us-south")
        assert name not in by.active
        if by.enabled and by.source_alias in (None, ALIAS):
            assert base not in by.active
            assert not any(one.regex is None or one.regex.search(base) for one in by.patterns)
        if by.source_alias == "eu.us-south":
            assert not name.endswith(".eu.us-south")
    assert {*removal.missing, *removal.left, *(one.name for one in removal.refused)}.isdisjoint(removal.planned)
    accounted = {*removal.planned, *removal.left, *removal.missing, *(one.name for one in removal.refused)}
    assert set(named) <= accounted


def test_topics_that_are_mirrored_contradict_that_mirroring_is_off() -> None:
    assert feed(None, ["orders"]).enabled is None
    assert feed(None, Unreadable("no answer")).enabled is None
    assert feed(None, None).enabled is False
