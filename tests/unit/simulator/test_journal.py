# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strictness, and the record of what was asked."""

from __future__ import annotations

from typing import Any

import pytest

INSTANCES = "/v2/resource_instances"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 501),
        ("GET", "/v2/resource_instances/x/nothing", None, 501),
        ("GET", "/v2/resource_instances/", None, 501),
        ("GET", "/es/22222222-aaaa-4bbb-8ccc-000000000009/admin/topics", None, 501),
        ("PUT", INSTANCES, None, 405),
        ("POST", "/v2/policies/x", None, 405),
        ("GET", f"{INSTANCES}?colour=red", None, 400),
        ("GET", f"{INSTANCES}?name=a&name=b", None, 400),
        ("GET", f"{INSTANCES}?limit=0", None, 400),
        ("GET", f"{INSTANCES}?state=happy", None, 400),
        ("GET", INSTANCES, {}, 400),
        ("PATCH", f"{INSTANCES}/22222222-aaaa-4bbb-8ccc-000000000002", {}, 400),
        ("PATCH", f"{INSTANCES}/22222222-aaaa-4bbb-8ccc-000000000002", {"colour": "red"}, 400),
        ("PATCH", f"{INSTANCES}/22222222-aaaa-4bbb-8ccc-000000000002", {"parameters": []}, 400),
        ("GET", "/v1/policies?account_id=x&service_name=y", None, 400),
        ("GET", "/v2/policies?account_id=x&type=other", None, 400),
    ],
)
def test_undocumented_requests_are_violations(cloud: Any, method: str, path: str, body: Any, status: int) -> None:
    assert cloud.call(method, path, body).status == status
    found = cloud.sim.violations()
    assert len(found) == 1 and found[0]["status"] == status and found[0]["processed"] is False
    assert isinstance(found[0]["violation"], str)


def test_prefixes(cloud: Any) -> None:
    environment = cloud.sim.environment(prefix=True)
    assert environment["IBMCLOUD_IAM_API_ENDPOINT"] == cloud.sim.iam_url + "/iam"
    controller = environment["IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT"]
    assert cloud.call("GET", f"{controller}{INSTANCES}").status == 200
    assert cloud.call("GET", f"/iam/v1/policies?account_id={cloud.account}").status == 200
    assert cloud.call("GET", f"/iam{INSTANCES}").status == 501
    assert [entry["path"] for entry in cloud.sim.journal][1] == f"/rc{INSTANCES}"


def test_an_entry(cloud: Any) -> None:
    cloud.sim.clock.advance(5)
    cloud.authorize(description="simulated-key-main in a text")
    first, second = cloud.sim.journal
    assert (first["api"], first["write"], first["status"]) == ("iam", False, 200)
    assert first["body"]["apikey"] == "<redacted>"
    assert (second["number"], second["method"], second["path"]) == (2, "POST", "/v1/policies")
    assert (second["status"], second["write"], second["processed"]) == (201, True, True)
    assert (second["account"], second["caller"]) == (cloud.account, "operator")
    assert second["authorization"] == "Bearer <redacted>"
    assert second["body"]["description"] == "<redacted> in a text"
    assert second["clock"] == cloud.sim.clock.now()
    assert (second["fault"], second["violation"], second["instance"]) == (None, None, None)
    assert cloud.token() not in str(cloud.sim.journal)


def test_writes_and_clear(cloud: Any) -> None:
    cloud.get()
    assert cloud.sim.writes() == []
    cloud.authorize()
    cloud.authorize()
    assert [entry["processed"] for entry in cloud.sim.writes()] == [True, False]
    cloud.sim.clear_journal()
    assert cloud.sim.journal == []
    cloud.get()
    assert cloud.sim.journal[0]["instance"] == cloud.target
    assert cloud.sim.journal[0]["number"] == 5


def test_the_journal_is_a_copy(cloud: Any) -> None:
    cloud.get()
    cloud.sim.journal[0]["status"] = 0
    assert cloud.sim.journal[0]["status"] == 200


def test_snapshot(cloud: Any) -> None:
    cloud.enable()
    cloud.select("orders")
    cloud.wait()
    seen = cloud.sim.snapshot()
    target = seen["instances"][cloud.target]
    assert target["mirroring"] == cloud.block()
    assert (target["selection"], target["active_topics"]) == (["orders"], ["orders"])
    assert target["topics"] == {"orders.us-south": 3, "us-south.checkpoints.internal": 1}
    assert seen["instances"][cloud.source]["mirroring"] is None
    assert [policy["state"] for policy in seen["policies"]] == ["active"]
    assert len(cloud.sim.journal) == 4, "looking is not in the journal"
