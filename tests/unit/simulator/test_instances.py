# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading, listing, locking and deleting instances."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

ROOT = "/v2/resource_instances"


def names(cloud: Any, query: str = "", who: str = "operator") -> list[str]:
    return [row["name"] for row in cloud.call("GET", f"{ROOT}{query}", who=who).json["resources"]]


def test_by_guid_and_by_encoded_crn(cloud: Any) -> None:
    crn = cloud.crn(cloud.target)
    assert crn.endswith(f":{cloud.target}::")
    by_guid = cloud.call("GET", f"{ROOT}/{cloud.target}").json
    assert cloud.call("GET", f"{ROOT}/{quote(crn, safe='')}").json == by_guid
    assert by_guid["id"] == by_guid["crn"] == crn
    assert by_guid["parameters"] == {"service-endpoints": "public", "throughput": "150", "storage_size": "2048"}
    assert by_guid["extensions"]["kafka_http_url"] == f"{cloud.sim.url}/es/{cloud.target}"
    assert by_guid["last_operation"]["type"] == "create"
    assert cloud.sim.violations() == []


@pytest.mark.parametrize("cut", ["::", ":"])
def test_a_crn_without_its_trailing_colons_is_unknown(cloud: Any, cut: str) -> None:
    crn = cloud.crn(cloud.target).removesuffix(cut)
    reply = cloud.call("GET", f"{ROOT}/{quote(crn, safe='')}")
    assert (reply.status, reply.json["error_code"]) == (404, "RC-InstanceNotFound")


def test_a_crn_with_another_region_is_unknown(cloud: Any) -> None:
    crn = cloud.crn(cloud.target).replace("us-east", "us-south")
    assert cloud.call("GET", f"{ROOT}/{quote(crn, safe='')}").status == 404


def test_an_unencoded_crn_is_no_known_route(cloud: Any) -> None:
    assert cloud.call("GET", f"{ROOT}/{cloud.crn()}").status == 501
    assert len(cloud.sim.violations()) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["es-source-us-south", "es-target-us-east"]),
        ("?name=es-target-us-east", ["es-target-us-east"]),
        ("?name=ES-TARGET-US-EAST", []),
        ("?guid=11111111-aaaa-4bbb-8ccc-000000000001", ["es-source-us-south"]),
        ("?resource_id=6a7f4e38-f218-48ef-9dd2-df408747568e&type=service_instance&limit=100", ["both"]),
        ("?resource_id=nothing", []),
        ("?resource_plan_id=ibm.message.hub.enterprise.3nodes.2tb", ["both"]),
        ("?state=removed", []),
        ("?updated_from=2020-01-01&updated_to=2020-01-02", []),
    ],
)
def test_filters(cloud: Any, query: str, expected: list[str]) -> None:
    both = ["es-source-us-south", "es-target-us-east"]
    assert names(cloud, query) == (both if expected == ["both"] else expected)
    assert cloud.sim.violations() == []


def test_start_makes_everything_else_ignored(cloud: Any) -> None:
    page = cloud.call("GET", f"{ROOT}?limit=1&type=service_instance").json
    assert (page["rows_count"], page["next_url"][:29]) == (1, "/v2/resource_instances?start=")
    rest = cloud.call("GET", page["next_url"] + "&name=nothing").json
    assert [row["name"] for row in rest["resources"]] == ["es-target-us-east"]
    assert not rest["next_url"]
    assert cloud.call("GET", f"{ROOT}?start=nothing").status == 400


def test_only_the_account_and_callers_with_rights_see_an_instance(start: Any) -> None:
    cloud = start("two_accounts")
    assert names(cloud, who="simulated-key-source") == ["es-source-us-south"]
    assert cloud.call("GET", f"{ROOT}/{cloud.target}", who="simulated-key-source").status == 404
    cloud = start()
    assert names(cloud, who="nobody") == []
    assert cloud.call("GET", f"{ROOT}/{cloud.target}", who="nobody").status == 404
    assert cloud.patch({"metrics": []}, who="viewer").status == 403


def test_lock(cloud: Any) -> None:
    path = f"{ROOT}/{cloud.target}"
    assert cloud.call("POST", f"{path}/lock").json["locked"] is True
    assert cloud.call("PATCH", path, {"name": "other"}).status == 400
    assert cloud.call("DELETE", path).status == 400
    assert cloud.call("DELETE", f"{path}/lock").json["locked"] is False
    assert cloud.call("PATCH", path, {"name": "other"}).json["name"] == "other"


def test_delete(cloud: Any) -> None:
    path = f"{ROOT}/{cloud.target}"
    assert cloud.call("DELETE", path).status == 204
    after = cloud.call("GET", path).json
    assert (after["state"], after["last_operation"]["type"]) == ("pending_reclamation", "reclamation")
    assert after["deleted_at"] is not None
    assert names(cloud) == ["es-source-us-south"]
    assert names(cloud, "?state=pending_reclamation") == ["es-target-us-east"]
    assert cloud.call("DELETE", path).status == 410
    assert cloud.patch({"metrics": []}).status == 410


def test_rename_is_done_at_once(cloud: Any) -> None:
    before = cloud.get()["updated_at"]
    cloud.sim.clock.advance(1)
    after = cloud.call("PATCH", f"{ROOT}/{cloud.target}", {"name": "new name"}).json
    assert (after["last_operation"]["state"], after["last_operation"]["async"]) == ("succeeded", False)
    assert after["updated_at"] > before
    assert cloud.call("PATCH", f"{ROOT}/{cloud.target}", {"name": "a/b"}).status == 400


def test_duplicate_names_and_other_plans(start: Any) -> None:
    cloud = start("duplicate_names")
    rows = cloud.call("GET", f"{ROOT}?name=es-source-us-south").json["resources"]
    assert len({row["guid"] for row in rows}) == 2
    with pytest.raises(KeyError, match="2 instances"):
        cloud.sim.instance("es-source-us-south")
    cloud = start("unsupported_plans")
    standard, gen2 = (cloud.get(cloud.sim.instance(name).guid) for name in ("es-standard", "es-gen2"))
    assert standard["resource_plan_id"] == "ibm.message.hub.standard.v2"
    assert "kafka_http_url" in standard["extensions"] and "throughput" not in standard["parameters"]
    assert gen2["resource_plan_id"] == "enterprise-gen2" and list(gen2["extensions"]) == ["dataservices"]


def test_last_operation_can_be_null_or_running(start: Any) -> None:
    scenario = start().sim.scenario
    scenario["instances"][0]["last_operation"] = None
    running = {"type": "update", "state": "in progress", "seconds_left": 30, "outcome": "failed"}
    scenario["instances"][1]["last_operation"] = running
    cloud = start(scenario)
    assert cloud.get(cloud.source)["last_operation"] is None
    assert cloud.patch({"metrics": []}).status == 422
    cloud.sim.clock.advance(31)
    assert cloud.get()["last_operation"]["state"] == "failed"


def test_resource_groups(cloud: Any) -> None:
    path = f"/v2/resource_groups?account_id={cloud.account}"
    rows = cloud.call("GET", path + "&name=Default&default=true").json["resources"]
    assert rows[0]["id"] == cloud.get()["resource_group_id"]
    assert cloud.call("GET", path + "&name=Other").json["resources"] == []
