# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Topic
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.findings import (
    Finding,
    count,
    failed,
    lines,
    problems,
    some,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.names import Transform
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness import Facts, instance_rules
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.readiness_topics import topic_rules
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
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    SOURCE,
    TARGET,
    THIRD,
    crn,
    instance,
    operation,
    source_instance,
)

HIDDEN = Unreadable("Failed to read it (HTTP 503).")
FORBIDDEN = Unreadable("Failed to read the topic selection of es (HTTP 403).")
PATTERNS = ("^orders$", "^pay.*")
ORDERS = Topic("orders", 6)
SOURCE_TOPICS = (ORDERS, Topic("payments", 3), Topic("other", 1))
TARGET_TOPICS = (Topic("local", 2),)


def facts(
    source: dict[str, t.Any] | None = None,
    target: dict[str, t.Any] | None = None,
    *,
    selection: t.Any = None,
    source_selection: t.Any = None,
    wanted: dict[str, t.Any] | None = None,
    transform: Transform | None = None,
    patterns: t.Sequence[str] | None = PATTERNS,
    source_topics: t.Any = SOURCE_TOPICS,
    target_topics: t.Any = TARGET_TOPICS,
    authorization: dict[str, t.Any] | None = None,
    recreate: bool = False,
) -> Facts:
    one, other = source_instance(**(source or {})), instance(**(target or {}))
    settings = Settings(
        **{"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east", **(wanted or {})}
    )
    known = list(source_topics) if not isinstance(source_topics, Unreadable) else source_topics
    return Facts(
        source=one,
        target=other,
        wanted=settings,
        state=observe(other, selection),
        source_state=observe(one, source_selection),
        source_topics=known,
        target_topics=target_topics if isinstance(target_topics, Unreadable) else list(target_topics),
        patterns=None if patterns is None else list(patterns),
        previews=preview(
            [] if isinstance(known, Unreadable) else known,
            compile_patterns(patterns or []),
            transform or Transform("use_alias"),
            settings.source_alias,
        ),
        recreate=recreate,
        authorizations=(
            Authorization(one, other, **({"policy_ids": ("p1",)} if authorization is None else authorization)),
        ),
    )


def findings(given: Facts) -> dict[str, Finding]:
    found = [*instance_rules(given), *topic_rules(given)]
    assert len({one.rule for one in found}) == len(found), "a rule speaks once"
    return {one.rule: one for one in found}


ECHO = {"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east"}


def echoing(**changes: t.Any) -> dict[str, t.Any]:
    """A target whose document shows mirroring settings."""
    return {"parameters": {"throughput": "150", "storage_size": "2048", "mirroring": {**ECHO, **changes}}}


RUNNING = {"last_operation": operation("in progress", "update", "Update in progress.")}
FROM_TARGET = {"parameters": {"mirroring": {**ECHO, "source_crn": crn(TARGET, "us-east")}}}
FROM_THIRD = {"parameters": {"mirroring": {**ECHO, "source_crn": crn(THIRD, "eu-de")}}}
LONG = "pay" + "x" * 238
AUTHORIZATION = "authorization"

CASES: list[tuple[str, str, dict[str, t.Any], str]] = [
    ("different_instances", "pass", {}, "es-source"),
    ("different_instances", "fail", {"target": {"guid": SOURCE}}, "the same instance"),
    ("different_instances", "fail", {"target": {"guid": SOURCE.upper()}}, "the same instance"),
    ("source_active", "pass", {}, ""),
    ("target_active", "pass", {}, ""),
    ("source_active", "fail", {"source": {"state": "inactive"}}, "is inactive"),
    ("target_active", "fail", {"target": {"state": "provisioning"}}, "is provisioning"),
    ("target_active", "fail", {"target": {"state": None}}, "is unknown"),
    ("source_unlocked", "pass", {}, ""),
    ("target_unlocked", "pass", {}, ""),
    ("source_unlocked", "warn", {"source": {"locked": True}}, "failing back"),
    ("target_unlocked", "fail", {"target": {"locked": True}}, "cannot be updated"),
    ("target_unlocked", "warn", {"target": {"locked": True}, "selection": []}, "neither changed nor disabled"),
    ("target_unlocked", "fail", {"target": {"locked": True}, "selection": HIDDEN}, "cannot be updated"),
    ("source_plan", "pass", {}, ""),
    ("target_plan", "pass", {}, ""),
    ("source_plan", "fail", {"source": {"resource_plan_id": "ibm.message.hub.standard.v2"}}, "standard"),
    ("target_plan", "fail", {"target": {"resource_plan_id": "enterprise-gen2"}}, "enterprise-gen2"),
    ("target_plan", "unknown", {"target": {"resource_plan_id": "6b7f"}}, "'6b7f'"),
    ("target_plan", "unknown", {"target": {"resource_plan_id": None}}, "''"),
    ("throughput", "pass", {}, "150 MB/s"),
    ("throughput", "fail", {"source": {"parameters": {"throughput": "300"}}}, "The source has 300"),
    ("throughput", "unknown", {"source": {"parameters": {}}}, "of source,"),
    ("throughput", "unknown", {"target": {"parameters": {"throughput": "x"}}}, "of target,"),
    ("throughput", "unknown", {"source": {"parameters": {}}, "target": {"parameters": None}}, "of source and target"),
    ("storage_size", "pass", {}, "2048 GB of storage"),
    ("storage_size", "fail", {"target": {"parameters": {"storage_size": "4096"}}}, "the target 4096"),
    ("storage_size", "unknown", {"target": {"parameters": {"throughput": "150"}}}, "storage of target"),
    ("source_idle", "pass", {}, ""),
    ("target_idle", "pass", {"target": {"last_operation": None}}, ""),
    ("source_idle", "warn", {"source": RUNNING}, "Update in progress."),
    ("target_idle", "warn", {"target": RUNNING}, "Update in progress."),
    ("zones", "pass", {}, "us-south and us-east"),
    ("zones", "warn", {"source": {"region": "che01"}}, "source (che01)"),
    ("zones", "warn", {"source": {"region": "che01"}, "target": {"region": "mars"}}, "source (che01)"),
    ("zones", "unknown", {"target": {"region": "mars"}}, "us-south and mars"),
    ("aliases", "pass", {}, "us-south"),
    ("aliases", "pass", {"wanted": {"source_alias": "x" * 30}}, "xxx"),
    ("aliases", "warn", {"wanted": {"target_alias": "x" * 31}}, "Long: xxx"),
    ("cycle", "pass", {}, ""),
    ("cycle", "unknown", {"source_selection": HIDDEN}, "HTTP 503"),
    ("cycle", "unknown", {"source": RUNNING}, "an operation is running"),
    ("cycle", "warn", {"source_selection": ["^a$"]}, "does not show"),
    ("cycle", "warn", {"source_selection": [], "source": FROM_THIRD}, THIRD),
    ("cycle", "fail", {"source_selection": ["^a$"], "source": FROM_TARGET}, "never both ways"),
    ("cycle", "fail", {"source_selection": HIDDEN, "source": FROM_TARGET}, "never both ways"),
    ("cycle", "pass", {"source_selection": None, "source": FROM_TARGET}, ""),
    ("other_source", "pass", {}, "not mirroring yet"),
    ("other_source", "pass", {"selection": [], "target": echoing()}, "from this source"),
    (
        "other_source",
        "fail",
        {"selection": [], "target": FROM_THIRD},
        f"mirrors another source already ({crn(THIRD, 'eu-de')})",
    ),
    ("other_source", "unknown", {"selection": []}, "does not show from where"),
    ("other_source", "unknown", {"selection": HIDDEN}, "HTTP 503"),
    ("other_source", "unknown", {"target": RUNNING}, "an operation is running"),
    ("settings", "pass", {}, "freely"),
    ("settings", "pass", {"selection": [], "target": echoing()}, "with these settings"),
    (
        "cycle",
        "fail",
        {"source_selection": ["^x$"], "source_topics": [ORDERS, Topic("orders.us-east", 6)]},
        "Never both ways at once",
    ),
    ("settings", "fail", {"selection": [], "target": echoing(source_alias="x")}, "source_alias is 'x'"),
    (
        "settings",
        "warn",
        {"selection": [], "target": echoing(source_alias="x"), "recreate": True},
        "source_alias is 'x'",
    ),
    ("settings", "pass", {"selection": [], "target": FROM_THIRD}, "with these settings"),
    ("settings", "unknown", {"selection": []}, "source_alias"),
    (AUTHORIZATION, "pass", {}, "allows es-target to read es-source"),
    (AUTHORIZATION, "pass", {"authorization": {}}, "the bindings role creates it"),
    (AUTHORIZATION, "unknown", {"authorization": {"unreadable": "HTTP 403"}}, "HTTP 403"),
    (AUTHORIZATION, "warn", {"authorization": {"reversed_ids": ("p9",)}}, "p9 is the wrong way round"),
    (AUTHORIZATION, "pass", {"authorization": {"policy_ids": ("p1",), "reversed_ids": ("p9",)}}, "allows"),
    ("rights", "unknown", {}, "Manager on the target's cluster"),
    ("rights", "unknown", {"selection": HIDDEN}, "nothing"),
    ("rights", "fail", {"selection": FORBIDDEN}, "closed to this identity"),
    ("network", "unknown", {}, "before mirroring is enabled"),
    ("headroom", "unknown", {}, "1.5 MB/s per partition and 35 MB/s in total"),
    ("headroom", "unknown", {"source": {"region": "eu-gb"}, "target": {"region": "eu-gb"}}, "2.5 MB/s"),
    ("headroom", "unknown", {"target": {"region": "br-sao"}}, "no published guidance"),
    ("charge", "pass", {}, "per mirroring capacity unit hour"),
    ("patterns", "pass", {}, "2 patterns, anchored"),
    ("patterns", "pass", {"patterns": None}, "left as it is"),
    ("patterns", "warn", {"patterns": []}, "nothing is mirrored"),
    ("patterns", "warn", {"patterns": ["orders"]}, "not anchored"),
    ("patterns", "unknown", {"patterns": [r"^\p{Lower}+$"]}, "only be told by the service"),
    ("preview", "unknown", {"source_topics": HIDDEN}, "HTTP 503"),
    ("matches", "pass", {}, "2 of 3 topics on the source are selected"),
    ("matches", "pass", {"patterns": None}, "nothing is selected by this run"),
    ("matches", "warn", {"patterns": ["^orders$", "^none$"]}, "Matching nothing yet: ^none$"),
    ("matches", "pass", {"patterns": ["^orders$", r"^\p{Lower}+$"]}, "1 of 3 topics"),
    ("certainty", "pass", {}, "Every reading"),
    ("certainty", "warn", {"patterns": ["order"]}, "orders"),
    ("name_length", "pass", {}, "at most 249"),
    ("name_length", "fail", {"source_topics": [Topic(LONG, 1)]}, LONG),
    ("name_length", "pass", {"source_topics": [Topic(LONG[:-1], 1)]}, ""),
    ("collisions", "pass", {}, "No topic on the target"),
    ("collisions", "unknown", {"target_topics": HIDDEN}, "HTTP 503"),
    ("collisions", "warn", {"target_topics": [Topic("orders.us-south", 6)]}, "Left over"),
    ("collisions", "pass", {"target_topics": [Topic("orders.us-south", 6)], "selection": []}, "mirroring is enabled"),
    ("collisions", "unknown", {"target_topics": [Topic("orders.us-south", 6)], "selection": HIDDEN}, "not known"),
    ("collisions", "fail", {"target_topics": [ORDERS], "transform": Transform("none")}, "written into: orders"),
    ("collisions", "pass", {"target_topics": [ORDERS], "transform": Transform("none"), "selection": []}, "enabled"),
    (
        "collisions",
        "unknown",
        {"target_topics": [ORDERS], "transform": Transform("none"), "selection": HIDDEN},
        "orders",
    ),
    ("remote_topics", "pass", {}, "No copy from the target"),
    ("remote_topics", "fail", {"source_topics": [Topic("pay.us-east", 1)]}, "makes a cycle"),
    ("remote_topics", "pass", {"source_topics": [Topic("other.us-east", 1)]}, ""),
    ("internal_topics", "pass", {"source_topics": [Topic("__x", 1), Topic("a.internal", 1)]}, "2 internal topics"),
    ("alias_in_names", "pass", {}, ""),
    ("alias_in_names", "warn", {"source_topics": [Topic("pay-us-south", 1)]}, "pay-us-south"),
    ("alias_in_names", "warn", {"source_topics": [Topic("pay-us-east-1", 1)]}, "pay-us-east-1"),
    ("partitions", "pass", {}, "The target has 2 partitions, 9 more are to come, the limit is 3000."),
    ("partitions", "pass", {"target_topics": [Topic("x", 2991)]}, ""),
    ("partitions", "fail", {"target_topics": [Topic("x", 2992)]}, "the limit is 3000"),
    ("partitions", "pass", {"target_topics": [Topic("x", 2991), Topic("orders.us-south", 6)]}, "3 more"),
    (
        "partitions",
        "pass",
        {"target_topics": [Topic("x", 5000)], "target": {"parameters": {"throughput": "300"}}},
        "the limit is 6000",
    ),
    ("partitions", "unknown", {"target_topics": HIDDEN}, "HTTP 503"),
    ("partitions", "unknown", {"target_topics": [Topic("x", None)]}, "not shown"),
    ("partitions", "unknown", {"source_topics": [Topic("orders", None)]}, "not shown"),
    ("partitions", "unknown", {"target": {"parameters": {}}}, "not shown"),
    ("partitions", "unknown", {"target": {"parameters": {"throughput": "200"}}}, "not shown"),
]


@pytest.mark.parametrize(("rule", "status", "given", "told"), CASES)
def test_rules(rule: str, status: str, given: dict[str, t.Any], told: str) -> None:
    finding = findings(facts(**given))[rule]
    assert finding.status == status, finding
    assert told in finding.message
    if status == "fail":
        assert finding.remedy


def test_every_rule_is_in_the_table() -> None:
    assert set(findings(facts())) | set(findings(facts(source_topics=HIDDEN))) == {case[0] for case in CASES}


def test_a_fresh_pair_is_ready() -> None:
    """Nothing fails, and what is not known is exactly what nobody can know."""
    found = findings(facts())
    assert [rule for rule, one in found.items() if one.status in ("fail", "warn")] == []
    assert {rule for rule, one in found.items() if one.status == "unknown"} == {"rights", "network", "headroom"}


def test_capacity_tells_which_side_to_scale() -> None:
    smaller = findings(facts(source={"parameters": {"throughput": "300", "storage_size": "1"}}))
    assert "Scale the target up to 300 MB/s" in smaller["throughput"].remedy
    assert "Scale the source up to 2048 GB" in smaller["storage_size"].remedy
    assert smaller["throughput"].evidence == {"source": 300, "target": 150, "unit": "MB/s"}


def test_the_network_finding_shows_the_addresses() -> None:
    assert findings(facts())["network"].evidence == {
        "private_addresses": {"source": ["166.9.14.10"], "target": ["166.9.14.10"]}
    }


def test_both_directions_are_checked_when_failing_back() -> None:
    given = facts()
    back = dataclasses.replace(given.authorizations[0], source=given.target, target=given.source, policy_ids=())
    found = findings(dataclasses.replace(given, authorizations=(*given.authorizations, back)))
    assert found["authorization_failback"].message.startswith("No authorization allows es-source")


def test_both_directions_are_checked_within_a_region() -> None:
    """Rules are told apart by name, also where the regions are the same."""
    given = facts(target={"region": "us-south"})
    back = dataclasses.replace(given.authorizations[0], source=given.target, target=given.source)
    findings(dataclasses.replace(given, authorizations=(*given.authorizations, back)))


def test_reporting() -> None:
    listed = [
        Finding("a", "pass", "Fine."),
        Finding("b", "warn", "Hm.", "Look."),
        Finding("c", "fail", "Bad.", "Mend it."),
        Finding("d", "unknown", "Who knows."),
        Finding("e", "fail", "Worse."),
    ]
    assert lines(listed) == [
        "5 checks: 1 pass, 1 warn, 2 fail, 1 unknown",
        "[fail] c: Bad. Mend it.",
        "[fail] e: Worse.",
        "[warn] b: Hm. Look.",
        "[unknown] d: Who knows.",
    ]
    assert problems("a -> b", listed) == "a -> b: Bad. Mend it. Worse."
    assert problems("a -> b", listed, also_unknown=True) == "a -> b: Bad. Mend it. Who knows. Worse."
    assert problems("a -> b", listed[:2]) == ""
    assert failed(listed)
    assert not failed(listed[:2])
    assert (count(1, "topic"), count(0, "topic"), count(2, "topic")) == ("1 topic", "0 topics", "2 topics")
    assert some(["a"]) == "a"
    assert some(list("abcde")) == "a, b, c, d, e"
    assert some(list("abcdefg")) == "a, b, c, d, e and 2 more"
    assert listed[1].to_result() == {"rule": "b", "status": "warn", "message": "Hm.", "remedy": "Look.", "evidence": {}}
