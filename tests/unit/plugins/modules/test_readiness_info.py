# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import email.utils
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import readiness_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    FakeClock,
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
    listed: bool = True,
) -> None:
    """What every check reads; ``listed`` if instances of IBM Cloud Monitoring are looked for."""
    cloud.token()
    cloud.instance(**(target or {}))
    cloud.instance("source", **(source or {}))
    cloud.topics("target", local=1)
    cloud.selection(selection)
    cloud.topics("source", orders=6, payments=3)
    cloud.selection(None, "source")
    for number in range(policies):
        cloud.policies(ACCOUNT, policy_v1(), enough=not number)
    if selection is None and listed:
        monitoring(cloud)


def monitoring(cloud: Cloud, *documents: dict[str, t.Any]) -> None:
    """The list in which instances of IBM Cloud Monitoring are looked for, while mirroring is not on."""
    query = {"type": "service_instance", "limit": "100"}
    cloud.server.expect("GET", "/v2/resource_instances", {"resources": list(documents)}, query=query)


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


MONITORING = "33333333-aaaa-4bbb-8ccc-000000000003"
RATE = "ibm_eventstreams_instance_"


def series(cloud: Cloud, query: str, *results: dict[str, t.Any], over: bool = True, **details: t.Any) -> None:
    """What Monitoring is asked next, and its answer."""
    asked = {"query": query}
    if over:
        now = FakeClock().time()
        asked |= {"start": f"{now - 86400:.3f}", "end": f"{now:.3f}", "step": "60.000"}
    kind, path = ("matrix", "query_range") if over else ("vector", "query")
    cloud.server.expect(
        "GET",
        f"/api/prometheus/api/v1/{path}",
        {"status": "success", "data": {"resultType": kind, "result": list(results)}},
        query=asked,
        headers={"IBMInstanceID": MONITORING},
        reply_headers={"Date": email.utils.formatdate(FakeClock().time(), usegmt=True)},
        **details,
    )


def every_minute(value: str, first: str | None = None) -> list[list[t.Any]]:
    """Values of the last day."""
    now = FakeClock().time()
    return [[now - 86400 + 60 * minute, value if minute or first is None else first] for minute in range(1441)]


def traffic(cloud: Cloud, **details: t.Any) -> None:
    """The answers for a source that hands out 60 MB/s, and a topic that takes in 2 MB/s."""
    topic = r'ibm_eventstreams_topic=~"orders"'
    of_source = f'ibm_service_instance="{SOURCE}"'
    series(cloud, f"max({RATE}bytes_out_per_second{{{of_source}}})", over=False)
    series(
        cloud,
        f"max(max_over_time({RATE}bytes_out_per_second{{{of_source}}}[120s]))",
        {"metric": {}, "values": every_minute("1e6", first="6e7")},
    )
    series(
        cloud,
        f"sum(max(max_over_time({RATE}topic_bytes_in_per_second{{{of_source},{topic}}}[120s])) by (ibm_eventstreams_topic))",
        {"metric": {}, "values": every_minute("2e6")},
    )
    series(
        cloud,
        f"max(max_over_time({RATE}topic_bytes_in_per_second{{{of_source}}}[86400s])) by (ibm_eventstreams_topic)",
        {"metric": {"ibm_eventstreams_topic": "orders"}, "value": [FakeClock().time(), "2e6"]},
        {"metric": {"ibm_eventstreams_topic": "audit"}, "value": [FakeClock().time(), "9e9"]},
        over=False,
    )
    series(
        cloud,
        f'max(max_over_time({RATE}bytes_in_per_second{{ibm_service_instance="{TARGET}"}}[120s]))',
        {"metric": {}, "values": every_minute("1e6")},
        **details,
    )


def test_headroom_is_measured_while_mirroring_is_not_on(cloud: Cloud) -> None:
    survey(cloud, listed=False)
    traffic(cloud)
    mirrored = f'mirroring_throughput_bytes_per_second{{ibm_service_instance="{TARGET}"}}'
    series(cloud, f"min(min_over_time({RATE}{mirrored}[120s]))")
    both = {"monitoring_instance": MONITORING, "source_monitoring_instance": MONITORING}
    ran = run_main(readiness_info, options(cloud, monitoring_endpoint=cloud.server.url, **both))
    found = {one["rule"]: one for one in ran.result["findings"] if one["rule"].startswith("headroom")}
    assert {name: one["status"] for name, one in found.items()} == {
        "headroom_source": "warn",
        "headroom_target": "pass",
        "headroom_total": "pass",
        "headroom_partitions": "pass",
    }
    assert "60.00 MB/s; with 2.00 MB/s of the selected topics that is 62.00 MB/s" in found["headroom_source"]["message"]
    assert ran.result["ready"] is True


def test_a_side_that_cannot_be_measured_does_not_hide_the_other(cloud: Cloud) -> None:
    survey(cloud, listed=False)
    traffic(cloud, status=403)
    both = {"monitoring_instance": MONITORING, "source_monitoring_instance": MONITORING}
    ran = run_main(readiness_info, options(cloud, monitoring_endpoint=cloud.server.url, **both))
    found = {one["rule"]: one for one in ran.result["findings"] if one["rule"].startswith("headroom")}
    assert found["headroom_source"]["status"] == "warn"
    assert found["headroom_target"]["status"] == "unknown"
    assert "HTTP 403" in found["headroom_target"]["message"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"headroom_window": 1}, "window is 1 s"),
        ({"metric_names": {"lag": "x"}}, "metric_names has 'lag'"),
    ],
)
def test_bad_input_about_metrics_sends_nothing(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(readiness_info, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.calls() == []


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
