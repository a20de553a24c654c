# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Topic
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import Finding
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
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.validation import (
    Evidence,
    evaluate,
    patience,
    predicted,
    verdict,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    crn,
    instance,
    operation,
    source_instance,
)

HIDDEN = Unreadable("HTTP 503")
WANTED = Settings(crn(), "us-south", "us-east")
ECHO = {"parameters": {"mirroring": WANTED.to_parameters()}}
PATTERNS = ("^orders$", "^pay.*")
LONG = Topic("pay" + "x" * 240, 1)
SOURCE_TOPICS = (Topic("orders", 6), Topic("payments", 3), Topic("other", 1))
REMOTE = (Topic("orders.us-south", 6), Topic("payments.us-south", 3))


def evidence(
    target: dict[str, t.Any] | None = None,
    *,
    selection: t.Any = PATTERNS,
    topics: t.Sequence[str] | None = PATTERNS,
    source_topics: t.Any = SOURCE_TOPICS,
    target_topics: t.Any = REMOTE,
    active: t.Any = ("orders", "payments"),
    authorization: dict[str, t.Any] | None = None,
    patterns: list[str] | None = None,
) -> Evidence:
    selection = list(PATTERNS) if selection is PATTERNS else selection
    topics = None if topics is None else list(topics)
    seen = instance(**(ECHO if target is None else target))
    known = source_topics if isinstance(source_topics, Unreadable) else list(source_topics)
    return Evidence(
        target=seen,
        state=observe(seen, selection),
        wanted=WANTED,
        topics=topics,
        previews=preview(
            [] if isinstance(known, Unreadable) else known,
            compile_patterns(patterns or PATTERNS),
            Transform("use_alias"),
            "us-south",
        ),
        source_topics=known,
        target_topics=target_topics if isinstance(target_topics, Unreadable) else list(target_topics),
        active_topics=active if active is None or isinstance(active, Unreadable) else list(active),
        authorization=Authorization(
            source_instance(), seen, **({"policy_ids": ("p1",)} if authorization is None else authorization)
        ),
    )


def state_of(state: str | None) -> dict[str, t.Any]:
    return {**ECHO, "last_operation": operation(state, "update", "words") if state is not None else None}


CASES: list[tuple[str, str, dict[str, t.Any], str]] = [
    ("operation", "pass", {}, "create succeeded"),
    ("operation", "unknown", {"target": state_of("in progress")}, "still running: update in progress: words"),
    ("operation", "warn", {"target": state_of("failed")}, "failed: update failed: words"),
    ("operation", "fail", {"target": state_of("failed"), "selection": None}, "update failed: words"),
    ("operation", "fail", {"target": {**state_of("failed"), "parameters": {}}, "selection": HIDDEN}, "update failed"),
    ("operation", "unknown", {"target": state_of(None)}, "no last operation"),
    ("enabled", "pass", {}, "enabled (observed)"),
    ("enabled", "pass", {"selection": HIDDEN}, "enabled (echoed)"),
    ("enabled", "fail", {"selection": None}, "not enabled"),
    ("enabled", "unknown", {"selection": HIDDEN, "target": {}}, "HTTP 503"),
    (
        "enabled",
        "unknown",
        {"selection": None, "target": state_of("in progress")},
        "Not before the operation has ended",
    ),
    ("settings", "pass", {}, "(echoed)"),
    ("settings", "unknown", {"target": {}}, "source_crn, source_alias, target_alias"),
    ("settings", "unknown", {"selection": None}, "not enabled"),
    (
        "settings",
        "fail",
        {"target": {"parameters": {"mirroring": {**WANTED.to_parameters(), "source_alias": "x"}}}},
        "source_alias is 'x', wanted 'us-south'",
    ),
    ("selection", "pass", {}, "as asked: 2 patterns"),
    ("selection", "pass", {"topics": list(reversed(PATTERNS))}, "as asked"),
    ("selection", "pass", {"topics": None}, "none were asked for"),
    ("selection", "warn", {"topics": [], "selection": []}, "No topic is selected"),
    ("selection", "warn", {"topics": None, "selection": []}, "No topic is selected"),
    ("selection", "fail", {"selection": []}, "asked was"),
    ("remote_topics", "warn", {"source_topics": ()}, "match no topic of the source"),
    ("selection", "fail", {"topics": ["^x$"]}, "asked was ['^x$']"),
    ("selection", "fail", {"selection": None}, "no topic selection"),
    ("selection", "fail", {"selection": None, "topics": None}, "no topic selection"),
    ("selection", "unknown", {"selection": HIDDEN}, "HTTP 503"),
    ("source", "pass", {}, "(echoed)"),
    (
        "source",
        "fail",
        {
            "target": {
                "parameters": {
                    "mirroring": {**WANTED.to_parameters(), "source_crn": crn("33333333-aaaa-4bbb-8ccc-000000000003")}
                }
            }
        },
        "mirrors from",
    ),
    ("source", "pass", {"target": {}}, "a source called us-south: orders.us-south, payments.us-south (inferred)"),
    ("source", "pass", {"target": {}, "target_topics": (Topic("us-south.checkpoints.internal", 1),)}, "(inferred)"),
    (
        "source",
        "fail",
        {"target": {}, "target_topics": (Topic("eu-de.checkpoints.internal", 1),)},
        "eu-de, and none of us-south",
    ),
    ("source", "unknown", {"target": {}, "target_topics": ()}, "Nothing on the target shows"),
    ("source", "unknown", {"target": {}, "target_topics": HIDDEN}, "HTTP 503"),
    ("active_topics", "unknown", {"topics": ["^x$"]}, "Not before the selection"),
    ("remote_topics", "unknown", {"topics": ["^x$"]}, "Not before the selection"),
    ("active_topics", "pass", {}, "2 topics being mirrored"),
    ("active_topics", "pass", {"active": ("orders.us-south", "payments.us-south")}, "2 topics"),
    ("active_topics", "warn", {"active": ("orders", "unrelated")}, "not active: payments"),
    ("active_topics", "fail", {"active": ()}, "None of the selected"),
    ("active_topics", "fail", {"active": None}, "None of the selected"),
    ("active_topics", "fail", {"active": ("unrelated",)}, "None of the selected"),
    ("active_topics", "unknown", {"active": HIDDEN}, "HTTP 503"),
    ("active_topics", "pass", {"active": (), "source_topics": ()}, "0 topics"),
    ("active_topics", "pass", {"active": (), "patterns": ["order"]}, "0 topics"),
    ("remote_topics", "pass", {}, "All 2 selected topics on the target"),
    ("remote_topics", "fail", {"target_topics": REMOTE[:1]}, "payments.us-south"),
    ("remote_topics", "warn", {"source_topics": (*SOURCE_TOPICS, LONG)}, LONG.name),
    ("remote_topics", "unknown", {"source_topics": HIDDEN}, "source's topics"),
    ("remote_topics", "unknown", {"target_topics": HIDDEN}, "target's topics"),
    ("remote_topics", "pass", {"patterns": ["order"], "target_topics": ()}, "All 0 selected topics"),
    ("authorization", "pass", {}, "authorized"),
    ("authorization", "unknown", {"authorization": {"unreadable": "HTTP 403"}}, "HTTP 403"),
    ("authorization", "fail", {"authorization": {}}, "No authorization"),
    ("authorization", "fail", {"authorization": {"reversed_ids": ("p9",)}}, "p9 is the wrong way round"),
]


@pytest.mark.parametrize(("rule", "status", "given", "told"), CASES)
def test_rules(rule: str, status: str, given: dict[str, t.Any], told: str) -> None:
    found = {one.rule: one for one in evaluate(evidence(**given))}
    assert found[rule].status == status, found[rule]
    assert told in found[rule].message


def test_every_rule_is_in_the_table() -> None:
    assert {one.rule for one in evaluate(evidence())} == {case[0] for case in CASES}


def test_without_mirroring_topics_are_not_looked_for() -> None:
    rules = [one.rule for one in evaluate(evidence(selection=None))]
    assert rules == ["operation", "enabled", "settings", "selection", "authorization"]


def test_evidence_of_what_is_missing() -> None:
    found = {one.rule: one for one in evaluate(evidence(target_topics=()))}
    assert found["remote_topics"].evidence == {
        "present": 0,
        "expected": 2,
        "missing": ["orders.us-south", "payments.us-south"],
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "mirroring"),
        ({"target": {}}, "mirroring"),
        ({"target": state_of("failed")}, "mirroring"),
        ({"target": state_of("in progress")}, "pending"),
        ({"target": state_of("in progress"), "selection": None}, "pending"),
        ({"target": state_of("in progress"), "target_topics": ()}, "pending"),
        ({"selection": None}, "not_mirroring"),
        ({"topics": ["^x$"]}, "not_mirroring"),
        ({"active": ()}, "not_mirroring"),
        ({"authorization": {}}, "not_mirroring"),
        ({"selection": HIDDEN, "target": {}}, "unknown"),
        ({"selection": HIDDEN}, "unknown"),
        ({"active": HIDDEN, "target_topics": HIDDEN}, "mirroring"),
        ({"authorization": {"unreadable": "x"}}, "mirroring"),
        ({"selection": HIDDEN, "target": {}, "authorization": {}}, "not_mirroring"),
    ],
)
def test_verdicts(given: dict[str, t.Any], expected: str) -> None:
    assert verdict(evaluate(evidence(**given))) == expected


@pytest.mark.parametrize(
    ("given", "timeout", "expected"),
    [
        ({}, 300, 0),
        ({"active": ()}, 300, 300),
        ({"target_topics": ()}, 300, 300),
        ({"active": (), "target_topics": ()}, 300, 300),
        ({"active": (), "authorization": {}}, 300, 300),
        ({"authorization": {}}, 300, 60),
        ({"authorization": {}}, 7, 7),
        ({"active": (), "topics": ["^x$"]}, 300, 0),
        ({"active": HIDDEN}, 300, 0),
        ({"selection": None}, 300, 0),
    ],
)
def test_what_may_still_come_by_itself(given: dict[str, t.Any], timeout: float, expected: float) -> None:
    assert patience(evaluate(evidence(**given)), timeout) == expected


def test_predictions_take_what_this_run_would_mend_as_not_known() -> None:
    findings = predicted(evaluate(evidence(selection=None, authorization={})))
    assert not [one for one in findings if one.status == "fail"]
    mended = {one.rule: one for one in findings if one.message.startswith("This run would have changed it.")}
    assert set(mended) == {"enabled", "selection", "authorization"}
    assert all(one.status == "unknown" and not one.remedy for one in mended.values())
    assert "Now: Mirroring is not enabled on the target." in mended["enabled"].message


def test_predictions_keep_what_nothing_would_mend() -> None:
    kept = [
        Finding("something_else", "fail", "Bad."),
        Finding("enabled", "pass", "Fine."),
        Finding("selection", "warn", "x"),
    ]
    assert predicted(kept) == kept
