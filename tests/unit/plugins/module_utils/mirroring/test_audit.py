# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Topic
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring import audit
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.direction import Side, direction
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding, told
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.lag import Lag, lag_finding, lag_told
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import Transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.selection import (
    compile_patterns,
    preview,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import (
    Settings,
    Unreadable,
    observe,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.survey import Authorization
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.validation import Evidence
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    SOURCE,
    TARGET,
    THIRD,
    crn,
    instance,
    operation,
    source_instance,
)

HIDDEN = Unreadable("HTTP 503")
WANTED = Settings(crn(), "us-south", "us-east")
ECHO = {"parameters": {"mirroring": WANTED.to_parameters(), "throughput": "150", "storage_size": "2048"}}
BACK = {"source_crn": crn(TARGET, "us-east"), "source_alias": "us-east", "target_alias": "us-south"}
TURNED = {"parameters": {"mirroring": BACK, "throughput": "150", "storage_size": "2048"}}
OTHER = {"parameters": {"mirroring": {**WANTED.to_parameters(), "source_crn": crn(THIRD)}}}
TOPICS = (Topic("orders", 6),)
REMOTE = (Topic("orders.us-south", 6),)
LEFT_OVER = (*TOPICS, Topic("orders.us-east", 6))
FOUND = {"policy_ids": ("p1",)}
SWAPPED = {"reversed_ids": ("p2",)}
DENIED = {"unreadable": "HTTP 403"}
LATE = lag_finding(Lag({"orders": 250.0}), 60, None)
UNMEASURED = lag_finding(HIDDEN, 60, None)


def facts(
    target: dict[str, t.Any] | None = None,
    source: dict[str, t.Any] | None = None,
    *,
    unread: str | None = None,
    statuses: tuple[t.Any, t.Any] = ("available", "available"),
    selection: t.Any = ("^orders$",),
    source_selection: t.Any = None,
    topics: t.Any = ("^orders$",),
    source_topics: t.Any = TOPICS,
    target_topics: t.Any = REMOTE,
    active: t.Any = ("orders",),
    forth: dict[str, t.Any] | None = None,
    back: dict[str, t.Any] | None = None,
    failback: bool = False,
    lag: Finding | None = None,
    limited: bool = False,
) -> audit.Facts:
    def plain(value: t.Any) -> t.Any:
        return list(value) if isinstance(value, tuple) and not isinstance(value, Unreadable) else value

    there, here = source_instance(**(source or {})), instance(**(ECHO if target is None else target))
    known = plain(source_topics)
    state = observe(here, plain(selection))
    evidence = Evidence(
        target=here,
        state=state,
        wanted=WANTED,
        topics=plain(topics),
        previews=preview(
            [] if isinstance(known, Unreadable) else known,
            compile_patterns(["^orders$"]),
            Transform("use_alias"),
            "us-south",
        ),
        source_topics=known,
        target_topics=plain(target_topics),
        active_topics=plain(active),
        authorization=Authorization(there, here, **(FOUND if forth is None else forth)),
    )
    return audit.Facts(
        source=there,
        source_unread=unread,
        source_status=statuses[0],
        target_status=statuses[1],
        direction=direction(
            Side(there, "us-south", observe(there, plain(source_selection)), known),
            Side(here, "us-east", state, plain(target_topics)),
        ),
        evidence=evidence,
        back=Authorization(here, there, **(FOUND if back is None else back)),
        failback=failback,
        lag=lag,
        limited=limited,
    )


def verdict_of(looked_at: audit.Facts) -> audit.Verdict:
    return audit.verdict(audit.evaluate(looked_at), audit.decisive(looked_at))


def last(state: str | None) -> dict[str, t.Any]:
    return {"last_operation": operation(state, "update", "words") if state else None}


def capacity(**changes: str) -> dict[str, t.Any]:
    return {"parameters": {**ECHO["parameters"], **changes}}


HID_CAPACITY = {"parameters": {"mirroring": WANTED.to_parameters()}}
TURNED_ROUND: dict[str, t.Any] = {
    "target": {},
    "selection": None,
    "source": TURNED,
    "source_selection": ("^orders$",),
}

CASES: list[tuple[str, str, str, dict[str, t.Any], str]] = [
    ("direction", "pass", "ready", {}, "Now us-south -> us-east: es-target mirrors from es-source"),
    ("direction", "fail", "not_ready", TURNED_ROUND, "Now us-east -> us-south: the pair is turned round"),
    (
        "direction",
        "fail",
        "not_ready",
        {**TURNED_ROUND, "source": {}, "source_topics": LEFT_OVER},
        "failover does not apply",
    ),
    ("direction", "fail", "not_ready", {"source": TURNED, "source_selection": ()}, "mirror from each other"),
    ("direction", "fail", "not_ready", {"target": {}, "selection": None}, "Mirroring is off"),
    (
        "direction",
        "fail",
        "not_ready",
        {"target": {}, "selection": None, "source_selection": HIDDEN},
        "Whether es-source mirrors from it is not known: HTTP 503",
    ),
    ("direction", "fail", "not_ready", {"target": OTHER}, "not from es-source"),
    ("direction", "unknown", "unknown", {"target": {}, "selection": HIDDEN}, "is not known: HTTP 503"),
    ("direction", "unknown", "unknown", {"selection": None}, "contradict each other"),
    ("direction", "unknown", "unknown", {"target": {}, "target_topics": HIDDEN}, "is not known: HTTP 503"),
    ("direction", "unknown", "not_ready", {"target": {}, "target_topics": ()}, "nothing shows from where it mirrors"),
    ("direction", "unknown", "unknown", {"source_selection": HIDDEN}, "mirrors from es-target, too, is not known"),
    (
        "direction",
        "warn",
        "ready",
        {"source_selection": ("^x$",), "source": OTHER},
        "fed by crn:v1:bluemix:public:messagehub:us-south",
    ),
    ("target_reachable", "pass", "ready", {}, "available"),
    ("target_reachable", "warn", "ready", {"statuses": ("available", "degraded")}, "degraded"),
    ("target_reachable", "fail", "not_ready", {"statuses": ("available", "offline")}, "A failover begins there"),
    ("target_reachable", "unknown", "unknown", {"statuses": ("available", HIDDEN)}, "cannot be used: HTTP 503."),
    ("target_reachable", "unknown", "unknown", {"statuses": ("available", "on\nfire")}, "status is unknown"),
    ("source_reachable", "fail", "not_ready", {"statuses": ("offline", "available")}, "an unplanned one is"),
    ("source_reachable", "unknown", "unknown", {"statuses": (HIDDEN, "available")}, "an unplanned one is"),
    ("target_operation", "pass", "ready", {}, "create succeeded"),
    ("target_operation", "fail", "not_ready", {"target": {**ECHO, **last("failed")}}, "failed: update failed: words"),
    ("target_operation", "unknown", "unknown", {"target": {**ECHO, **last("in progress")}}, "still running"),
    ("target_operation", "unknown", "ready", {"target": {**ECHO, **last(None)}}, "no last operation"),
    ("source_operation", "warn", "ready", {"source": last("failed")}, "failed: update failed: words"),
    ("source_operation", "unknown", "unknown", {"source": last("in progress")}, "still running"),
    ("source_operation", "unknown", "unknown", {"unread": "HTTP 500"}, "document of the source"),
    ("selection", "pass", "ready", {}, "as asked"),
    ("selection", "fail", "not_ready", {"selection": ()}, "No topic is selected"),
    ("selection", "fail", "not_ready", {"selection": (), "topics": None}, "A failover leaves that behind, too"),
    ("selection", "fail", "not_ready", {"selection": (), "topics": ()}, "No topic is selected"),
    ("selection", "fail", "not_ready", {"selection": ("^x$",)}, "asked was ['^orders$']"),
    ("selection", "pass", "ready", {"selection": ("^x$",), "topics": None}, "none were asked for"),
    ("selection", "unknown", "unknown", {"selection": HIDDEN}, "HTTP 503"),
    ("settings", "pass", "ready", {}, "as asked"),
    (
        "settings",
        "fail",
        "not_ready",
        {"target": {"parameters": {"mirroring": {**WANTED.to_parameters(), "target_alias": "x"}}}},
        "target_alias is 'x', wanted 'us-east'",
    ),
    ("settings", "unknown", "ready", {"target": capacity(mirroring="")}, "The cloud does not show"),
    ("active_topics", "fail", "not_ready", {"active": ()}, "None of the selected topics"),
    ("active_topics", "fail", "not_ready", {"active": None}, "HTTP 404"),
    ("active_topics", "unknown", "unknown", {"active": HIDDEN}, "HTTP 503"),
    ("remote_topics", "fail", "not_ready", {"target_topics": ()}, "Missing on the target"),
    ("remote_topics", "fail", "not_ready", {"source_topics": (Topic("x", 1),)}, "match no topic of the source"),
    ("remote_topics", "unknown", "unknown", {"source_topics": HIDDEN}, "HTTP 503"),
    ("throughput", "pass", "ready", {}, "150 MB/s"),
    ("throughput", "fail", "not_ready", {"target": capacity(throughput="300")}, "the target 300 MB/s"),
    ("throughput", "unknown", "ready", {"target": HID_CAPACITY}, "does not show the throughput of target"),
    ("storage_size", "fail", "not_ready", {"target": capacity(storage_size="4096")}, "the target 4096 GB"),
    ("storage_size", "unknown", "unknown", {"unread": "HTTP 500"}, "could not be read: HTTP 500"),
    ("target_active", "fail", "not_ready", {"target": {**ECHO, "state": "inactive"}}, "is inactive"),
    ("source_active", "fail", "not_ready", {"source": {"state": "inactive"}}, "is inactive"),
    ("source_active", "unknown", "unknown", {"unread": "HTTP 500"}, "could not be read: HTTP 500"),
    ("target_unlocked", "warn", "ready", {"target": {**ECHO, "locked": True}}, "neither changed nor disabled"),
    ("source_unlocked", "warn", "ready", {"source": {"locked": True}}, "when failing back"),
    ("authorization", "pass", "ready", {}, "authorized"),
    ("authorization", "fail", "not_ready", {"forth": SWAPPED}, "wrong way round"),
    ("authorization", "unknown", "unknown", {"forth": DENIED}, "HTTP 403"),
    ("authorization_failback", "pass", "ready", {}, "to come back"),
    ("authorization_failback", "warn", "ready", {"back": SWAPPED}, "coming back does not. Policy p2"),
    ("authorization_failback", "fail", "not_ready", {"back": {}, "failback": True}, "coming back does not"),
    ("authorization_failback", "unknown", "ready", {"back": DENIED}, "HTTP 403"),
    ("authorization_failback", "unknown", "unknown", {"back": DENIED, "failback": True}, "HTTP 403"),
    ("lag", "fail", "not_ready", {"lag": LATE, "limited": True}, "behind by 250 s"),
    ("lag", "unknown", "unknown", {"lag": UNMEASURED, "limited": True}, "HTTP 503"),
    ("lag", "unknown", "ready", {"lag": lag_told(HIDDEN, None)}, "HTTP 503"),
    ("lag", "unknown", "ready", {"lag": lag_told(Lag({"orders": None}), None)}, "Monitoring has no value"),
    ("lag", "pass", "ready", {"lag": lag_told(Lag({"orders": 250.0}), None)}, "behind by 250 s"),
    ("charge", "pass", "ready", {}, "until it is disabled"),
]


@pytest.mark.parametrize(("rule", "status", "verdict", "changes", "told"), CASES)
def test_rules(rule: str, status: str, verdict: str, changes: dict[str, t.Any], told: str) -> None:
    looked_at = facts(**changes)
    (found,) = [finding for finding in audit.evaluate(looked_at) if finding.rule == rule]
    assert (found.status, told in found.message) == (status, True), found
    assert verdict_of(looked_at) == verdict
    assert found.status == "pass" or found.remedy or found.status == "unknown"


def test_every_rule_has_cases() -> None:
    rules = {finding.rule for finding in audit.evaluate(facts(lag=LATE))}
    assert {case[0] for case in CASES} == rules


def test_what_a_pair_that_is_turned_round_mirrors_is_not_judged() -> None:
    """No remedy for the declared direction, which would make a cycle."""
    findings = audit.evaluate(facts(**TURNED_ROUND))
    assert [finding.rule for finding in findings if finding.status == "fail"] == ["direction"]
    assert not any("enable role" in finding.remedy for finding in findings)


@pytest.mark.parametrize(
    ("changes", "state", "now", "line"),
    [
        ({}, "forward", ("es-source", "es-target"), "Now the source is es-source (us-south), the target is es-target"),
        (TURNED_ROUND, "turned_round", ("es-target", "es-source"), "The declared pair is the other way round"),
        ({"source": TURNED, "source_selection": ()}, "both", None, "each of the two mirrors from the other"),
        ({"target": {}, "selection": None}, "off", None, "neither of the two"),
        ({"target": OTHER}, "elsewhere", None, "es-target mirrors from another source"),
        ({"target": {}, "selection": HIDDEN}, "unknown", None, "is not known"),
    ],
)
def test_which_is_source_and_which_is_target_now(
    changes: dict[str, t.Any], state: str, now: tuple[str, str] | None, line: str
) -> None:
    looked_at = facts(**changes)
    result = looked_at.direction.to_result()
    assert (result["state"], result["declared"]) == (state, "us-south -> us-east")
    assert (now is None) == (result["now"] is None)
    assert (result["source"] and result["source"]["name"], result["target"] and result["target"]["name"]) == (
        now or (None, None)
    )
    told = audit.summary(looked_at, audit.evaluate(looked_at), verdict_of(looked_at))
    assert told[0].startswith("us-south -> us-east: ")
    assert line in told[1]
    assert "goes on" not in told[1]
    assert told[-1].endswith("neither a failover nor an empty selection ends the charge.")


def test_the_summary_of_a_pair_that_is_ready() -> None:
    looked_at = facts(lag=lag_told(Lag({"orders": 1.5}), None))
    told = audit.summary(looked_at, audit.evaluate(looked_at), "ready")
    assert told[0] == "us-south -> us-east: ready to fail over"
    assert told[2].startswith("Lag: The worst topic, orders, is behind by 1.5 s")


def test_problems_are_what_failed_or_else_what_is_open() -> None:
    for changes, message in (
        ({"back": DENIED, "forth": {}}, "No authorization lets the target read the source"),
        ({"back": DENIED, "active": HIDDEN}, "The active topics could not be read"),
    ):
        looked_at = facts(**changes)
        text = audit.troubles("x -> y", audit.evaluate(looked_at), audit.decisive(looked_at))
        assert text.startswith(f"x -> y: {message}")
        assert "come back" not in text
    assert audit.troubles("x -> y", audit.evaluate(facts()), audit.decisive(facts())) == ""


OPERATIONS = st.sampled_from(["succeeded", "failed", "in progress", "sync succeeded", "odd", None])
ANSWERS = st.sampled_from(["available", "degraded", "offline", "unknown", HIDDEN])
SELECTIONS = st.sampled_from([None, (), ("^orders$",), ("^x$",), HIDDEN])
LISTS = st.sampled_from([(), TOPICS, REMOTE, LEFT_OVER, HIDDEN])
GRANTS = st.sampled_from([FOUND, SWAPPED, DENIED, {}])
DOCUMENTS = st.builds(
    lambda echo, state, locked, ended: {**echo, "state": state, "locked": locked, **last(ended)},
    st.sampled_from([{}, ECHO, TURNED, OTHER, HID_CAPACITY, capacity(throughput="300")]),
    st.sampled_from(["active", "inactive"]),
    st.booleans(),
    OPERATIONS,
)
WORLDS = st.fixed_dictionaries(
    {
        "target": DOCUMENTS,
        "source": DOCUMENTS,
        "unread": st.sampled_from([None, "HTTP 500"]),
        "statuses": st.tuples(ANSWERS, ANSWERS),
        "selection": SELECTIONS,
        "source_selection": SELECTIONS,
        "topics": st.sampled_from([None, (), ("^orders$",)]),
        "source_topics": LISTS,
        "target_topics": LISTS,
        "active": st.sampled_from([None, (), ("orders",), HIDDEN]),
        "forth": GRANTS,
        "back": GRANTS,
        "failback": st.booleans(),
        "lag": st.sampled_from([None, LATE, UNMEASURED, lag_told(HIDDEN, None), lag_told(Lag({"orders": 2.0}), None)]),
        "limited": st.booleans(),
    }
)


@given(WORLDS, st.booleans())
def test_never_ready_with_a_rule_that_failed_or_something_hidden(world: dict[str, t.Any], calm: bool) -> None:
    """``calm``: most of the world is fine, or hardly any of these would be ready."""
    changes = {name: value for number, (name, value) in enumerate(world.items()) if not calm or number % 5 == 0}
    looked_at = facts(**changes)
    findings = audit.evaluate(looked_at)
    verdict = verdict_of(looked_at)
    statuses = {finding.rule: finding.status for finding in findings}
    assert len(statuses) == len(findings)
    assert (verdict == "not_ready") == ("fail" in statuses.values())
    if verdict == "ready":
        assert (looked_at.direction.forward, bool(looked_at.direction.back)) == (True, False)
        assert all(statuses[rule] in ("pass", "warn") for rule in audit.decisive(looked_at) & statuses.keys())
        assert audit.decisive(looked_at) - {"lag"} <= statuses.keys()
        assert looked_at.evidence.state.selection
        assert not any(one.operation.unfinished for one in (looked_at.source, looked_at.target))
        assert HIDDEN not in (
            looked_at.source_status,
            looked_at.evidence.source_topics,
            looked_at.evidence.active_topics,
        )
    problems = audit.troubles("x", findings, audit.decisive(looked_at))
    assert bool(problems) == (verdict != "ready")
    json.dumps([told(findings), looked_at.direction.to_result(), audit.summary(looked_at, findings, verdict)])
    assert looked_at.direction.source.instance.guid == SOURCE


def test_of_several_that_have_left_traces_nobody_knows_which_it_is() -> None:
    """API §5.4: topics stay when mirroring ends."""
    others = [Topic("eu-de.checkpoints.internal", 1), Topic("us-south.checkpoints.internal", 1), *REMOTE]
    found = facts({}, target_topics=others).direction
    assert (found.forward, found.now) == (None, "unknown")
    assert "from eu-de and from us-south" in found.target.why_unknown
    assert facts({}, target_topics=others[1:]).direction.forward is True
