# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import readiness_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    crn,
    policy_v1,
)


def options(cloud: Cloud, **changes: t.Any) -> dict[str, t.Any]:
    return {**cloud.base, "target": TARGET, "source": SOURCE, "topics": ["^orders$"], **changes}


def survey(
    cloud: Cloud,
    target: dict[str, t.Any] | None = None,
    source: dict[str, t.Any] | None = None,
    selection: list[str] | None = None,
    policies: int = 1,
) -> None:
    cloud.token()
    cloud.instance(**(target or {}))
    cloud.instance("source", **(source or {}))
    cloud.topics("target", local=1)
    cloud.selection(selection)
    cloud.topics("source", orders=6, payments=3)
    cloud.selection(None, "source")
    for number in range(policies):
        cloud.policies(ACCOUNT, policy_v1(), enough=not number)


@pytest.mark.parametrize("check", [False, True])
def test_a_pair_that_is_ready(check: bool, cloud: Cloud) -> None:
    survey(cloud)
    ran = run_main(readiness_info, options(cloud), check=check)
    assert (ran.code, ran.result["ready"], ran.result["problems"]) == (0, True, "")
    assert ran.result["aliases"] == {"source": "us-south", "target": "us-east"}
    assert ran.result["preview"] == [
        {
            "topic": "orders",
            "remote_topic": "orders.us-south",
            "partitions": 6,
            "certain": True,
            "patterns": ["^orders$"],
            "problem": None,
        }
    ]
    assert ran.result["mirroring"]["enabled"] is False
    assert (ran.result["source"]["guid"], ran.result["target"]["guid"]) == (SOURCE, TARGET)
    assert ran.result["summary"][0] == "Mirroring es-source to es-target, us-south -> us-east"
    assert "orders -> orders.us-south (6 partitions)" in ran.result["summary"]
    assert cloud.writes() == []
    assert KEY not in ran.text


def test_briefly(cloud: Cloud) -> None:
    """What passed is told by name; everything else is as without it."""
    in_full, briefly = ({}, {"brief": True})
    results = []
    for changes in (in_full, briefly):
        survey(cloud, {"locked": True})
        results.append(run_main(readiness_info, options(cloud, **changes)).result)
    full, brief = results
    assert brief["findings"] == [one for one in full["findings"] if one["status"] != "pass"]
    assert brief["passed"] == [one["rule"] for one in full["findings"] if one["status"] == "pass"] == full["passed"]
    assert "target_unlocked" not in brief["passed"]
    for side in ("source", "target"):
        assert brief[side].keys() == {"crn", "guid", "name", "region", "account_id"}
        assert brief[side].items() <= full[side].items()
    same = full.keys() - {"findings", "source", "target", "invocation"}
    assert {name: brief[name] for name in same} == {name: full[name] for name in same}


def test_everything_that_is_wrong_is_told_together(cloud: Cloud) -> None:
    survey(cloud, {"locked": True, "parameters": {"throughput": "300"}}, {"state": "inactive"})
    ran = run_main(readiness_info, options(cloud))
    assert (ran.code, ran.result["ready"]) == (0, False)
    failing = [one["rule"] for one in ran.result["findings"] if one["status"] == "fail"]
    assert failing == ["source_active", "target_unlocked", "throughput"]
    for word in ("inactive", "locked", "300"):
        assert word in ran.result["problems"]


def test_both_directions_for_failing_back(cloud: Cloud) -> None:
    survey(cloud, policies=2)
    ran = run_main(readiness_info, options(cloud, failback=True))
    found = [one for one in ran.result["findings"] if one["rule"].startswith("authorization")]
    assert len(found) == 2
    assert "No authorization" in found[1]["message"] or "wrong way round" in found[1]["message"]


def test_without_topics_the_selection_that_is_set_is_looked_at(cloud: Cloud) -> None:
    survey(cloud, selection=["^pay.*"])
    ran = run_main(readiness_info, options(cloud, topics=None))
    assert [one["topic"] for one in ran.result["preview"]] == ["payments"]


def test_admin_apis_without_a_usable_address(cloud: Cloud) -> None:
    """The source's is unknown, not fine. Without the target's nothing would be enabled, so nothing else is to be written."""
    cloud.token()
    cloud.instance(extensions={})
    cloud.instance("source", extensions={"kafka_http_url": "https://kafka.example.com"})
    cloud.policies(ACCOUNT)
    ran = run_main(readiness_info, options(cloud))
    unknown = {one["rule"] for one in ran.result["findings"] if one["status"] == "unknown"}
    assert {"cycle", "preview"} <= unknown
    (failed,) = [one for one in ran.result["findings"] if one["status"] == "fail"]
    assert failed["rule"] == "other_source"
    assert "Give it as admin_url" in failed["message"]
    assert ran.result["ready"] is False
    assert any(one["rule"].startswith("authorization") and one["status"] == "unknown" for one in ran.result["findings"])
    assert not [one for one in ran.result["findings"] if one["status"] == "pass" and one["rule"] == "collisions"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": ["("]}, "not a usable topic pattern"),
        ({"source": "crn:v1:oops"}, "source is not the CRN"),
        ({"target": "crn:v1:oops"}, "target is not the CRN"),
        ({"target": None}, "target"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(readiness_info, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.received == []


def test_the_same_instance_twice(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.server.expect(
        "GET",
        f"/v2/resource_instances/{crn(TARGET, 'us-east')}".replace(":", "%3A").replace("a/", "a%2F"),
        cloud.document(),
    )
    ran = run_main(readiness_info, options(cloud, source=crn(TARGET, "us-east")))
    assert ran.failed
    assert "same instance" in ran.result["msg"]
