# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
import urllib.parse

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import failover_readiness_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    crn,
    policy_v1,
)

ECHO = {"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east"}
SHOWN = {"parameters": {"mirroring": ECHO, "throughput": "150", "storage_size": "2048"}}
BOTH = (policy_v1(), policy_v1("p2", SOURCE, TARGET))


def options(cloud: Cloud, **changes: t.Any) -> dict[str, t.Any]:
    return {**cloud.base, "target": TARGET, "source": SOURCE, "topics": ["^orders$"], "retry_timeout": 0, **changes}


def status(cloud: Cloud, side: str, answer: str | None = "available") -> None:
    """What a side's admin API says of itself; None = it does not answer."""
    path = f"/{side}/admin/status"
    if answer is None:
        cloud.server.expect("GET", path, "unavailable", status=503, headers=cloud.headers)
    else:
        cloud.server.expect("GET", path, {"status": answer}, headers=cloud.headers)


def source_side(cloud: Cloud) -> None:
    status(cloud, "source")
    cloud.selection(None, "source")
    cloud.topics("source", orders=6)


def target_side(cloud: Cloud) -> None:
    status(cloud, "target")
    cloud.selection(["^orders$"])
    cloud.topics("target", **{"orders__us-south": 6})


def policies(cloud: Cloud) -> None:
    for _direction in ("there", "back"):
        cloud.policies(ACCOUNT, *BOTH, enough=True)


def no_monitoring(cloud: Cloud) -> None:
    query = {"type": "service_instance", "limit": "100"}
    cloud.server.expect("GET", "/v2/resource_instances", {"resources": []}, query=query, headers=cloud.headers)


@pytest.mark.parametrize("check", [False, True])
def test_a_pair_that_is_ready(check: bool, cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(**SHOWN)
    cloud.instance("source")
    source_side(cloud)
    target_side(cloud)
    policies(cloud)
    cloud.active(["orders"])
    no_monitoring(cloud)
    ran = run_main(failover_readiness_info, options(cloud, failback=True), check=check)
    assert (ran.code, ran.result["verdict"], ran.result["problems"]) == (0, "ready", "")
    assert {one["rule"]: one["status"] for one in ran.result["findings"] if one["status"] != "pass"} == {
        "lag": "unknown"
    }
    assert ran.result["lag"]["state"] == "unknown"
    assert ran.result["topics"] == ["^orders$"]
    assert ran.result["aliases"] == {"source": "us-south", "target": "us-east"}
    assert KEY not in ran.text


def test_with_a_limit_lag_has_to_be_known(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(**SHOWN)
    cloud.instance("source")
    source_side(cloud)
    target_side(cloud)
    policies(cloud)
    cloud.active(["orders"])
    no_monitoring(cloud)
    ran = run_main(failover_readiness_info, options(cloud, max_lag=60, brief=True))
    assert (ran.result["verdict"], [one["rule"] for one in ran.result["findings"]]) == ("unknown", ["lag"])
    assert "no instance of IBM Cloud Monitoring in us-east" in ran.result["problems"]


def test_a_target_that_gives_no_answer_is_asked_once(cloud: Cloud) -> None:
    """Each further question would take as long as the first."""
    cloud.token()
    cloud.instance(**SHOWN)
    cloud.instance("source")
    source_side(cloud)
    status(cloud, "target", None)
    policies(cloud)
    no_monitoring(cloud)
    ran = run_main(failover_readiness_info, options(cloud))
    assert (ran.result["verdict"], ran.result["topics"]) == ("unknown", None)
    assert "The admin API of the target cannot be used" in ran.result["problems"]
    assert "(HTTP 503" in ran.result["problems"]


def test_a_source_whose_document_cannot_be_read_is_what_its_crn_tells(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(**SHOWN)
    path = f"/v2/resource_instances/{urllib.parse.quote(crn(), safe='')}"
    cloud.server.expect("GET", path, "unavailable", status=503, headers=cloud.headers)
    target_side(cloud)
    policies(cloud)
    cloud.active(["orders"])
    no_monitoring(cloud)
    ran = run_main(failover_readiness_info, options(cloud, source=crn()))
    assert (ran.code, ran.result["verdict"]) == (0, "unknown")
    assert ran.result["direction"]["now"] == "us-south -> us-east"
    unknown = {one["rule"] for one in ran.result["findings"] if one["status"] == "unknown"}
    assert {"source_active", "source_unlocked", "source_operation", "source_reachable", "throughput"} <= unknown


@pytest.mark.parametrize(("source", "code"), [(SOURCE, 503), (crn(), 404), (crn(), 403)])
def test_a_source_that_is_not_known_at_all(source: str, code: int, cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(**SHOWN)
    path = f"/v2/resource_instances/{urllib.parse.quote(source, safe='')}"
    cloud.server.expect("GET", path, {"message": "no"}, status=code, headers=cloud.headers)
    ran = run_main(failover_readiness_info, options(cloud, source=source))
    assert ran.failed
    assert (ran.result["failure"]["status"], SOURCE in ran.result["msg"]) == (code, True)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": ["("]}, "not a usable topic pattern"),
        ({"source": "crn:v1:oops"}, "source is not the CRN"),
        ({"target": "crn:v1:oops"}, "target is not the CRN"),
        ({"max_lag": -1}, "max_lag must be 0 or more"),
        ({"max_lag": float("nan")}, "max_lag must be 0 or more"),
        ({"max_age": -1}, "max_age must be 0 or more"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(failover_readiness_info, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.calls() == []
