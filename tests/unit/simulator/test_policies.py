# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: two views of one store, and what makes an authorization effective."""

from __future__ import annotations

from typing import Any

import pytest


def listing(cloud: Any, version: str = "v1", query: str = "", who: str = "operator") -> list[Any]:
    path = f"/{version}/policies?account_id={cloud.account}{query}"
    rows: list[Any] = cloud.call("GET", path, who=who).json["policies"]
    return rows


def test_create_answers_with_what_was_sent_and_more(cloud: Any) -> None:
    body = cloud.grant(description="why")
    reply = cloud.call("POST", "/v1/policies", body)
    made = reply.json
    assert reply.status == 201 and reply.headers["ETag"].startswith("1-") and len(reply.headers["ETag"]) == 34
    assert (made["state"], made["type"], made["description"]) == ("active", "authorization", "why")
    assert made["href"] == f"https://iam.cloud.ibm.com/v1/policies/{made['id']}"
    assert made["subjects"] == body["subjects"]
    assert {attribute["operator"] for attribute in made["resources"][0]["attributes"]} == {"stringEquals"}
    assert made["roles"][0]["display_name"] == "Reader"
    assert made["created_by_id"].startswith("IBMid-")


def test_a_v1_policy_has_a_v2_view_and_a_v2_policy_a_placeholder(cloud: Any) -> None:
    old = cloud.authorize("v1").json
    new = cloud.authorize("v2", subject=cloud.source, resource=cloud.target).json
    assert [row["id"] for row in listing(cloud, "v2")] == [old["id"], new["id"]]
    seen = cloud.call("GET", f"/v2/policies/{old['id']}").json
    assert {a["key"]: a["value"] for a in seen["subject"]["attributes"]}["serviceInstance"] == cloud.target
    assert seen["control"]["grant"]["roles"][0]["role_id"].endswith(":Reader")
    holder = listing(cloud, "v1", "&type=authorization")[1]
    assert holder["href"].endswith(f"/v2/policies/{new['id']}") and "state" not in holder
    assert holder["roles"][0]["role_id"].endswith(":UnsupportedVersion")
    assert holder["subjects"][0]["attributes"] == [{"name": "iam_id", "value": "unsupported version"}]


def test_pages_follow_start(start: Any) -> None:
    cloud = start(switches={"policy_page_size": "1"})
    first = cloud.authorize().json["id"]
    second = cloud.authorize(subject=cloud.source, resource=cloud.target).json["id"]
    path = f"/v1/policies?account_id={cloud.account}"
    page = cloud.call("GET", path).json
    assert [row["id"] for row in page["policies"]] == [first] and page["limit"] == 1
    assert page["next"]["start"] in page["next"]["href"]
    last = cloud.call("GET", f"{path}&start={page['next']['start']}").json
    assert [row["id"] for row in last["policies"]] == [second] and "next" not in last


def test_a_caller_without_rights_sees_an_empty_list(cloud: Any) -> None:
    number = cloud.authorize().json["id"]
    assert len(listing(cloud, who="viewer")) == 1
    reply = cloud.call("GET", f"/v1/policies?account_id={cloud.account}", who="nobody")
    assert (reply.status, reply.json["policies"]) == (200, [])
    path = f"/v1/policies/{number}"
    assert cloud.call("DELETE", path, who="viewer").json["errors"][0]["code"] == "insufficent_permissions"
    assert cloud.call("POST", "/v1/policies", cloud.grant(), who="viewer").status == 403
    other = cloud.call("GET", f"/v1/policies?account_id={'0' * 32}")
    assert (other.status, other.json["policies"]) == (200, [])


def test_a_duplicate(cloud: Any) -> None:
    first = cloud.authorize()
    reply = cloud.authorize(description="other words")
    error = reply.json["errors"][0]
    assert (reply.status, error["code"]) == (409, "policy_conflict_error")
    assert error["details"]["conflicts_with"]["etag"] == first.headers["ETag"]
    assert error["details"]["conflicts_with"]["policy"]["id"] == first.json["id"]
    assert len(listing(cloud)) == 1


def test_deleted_is_readable_and_can_be_restored(cloud: Any) -> None:
    number = cloud.authorize().json["id"]
    path = f"/v1/policies/{number}"
    gone = cloud.call("DELETE", path)
    assert (gone.status, gone.raw) == (204, b"")
    read = cloud.call("GET", path)
    assert (read.status, read.json["state"]) == (200, "deleted")
    assert listing(cloud) == [] and len(listing(cloud, query="&state=deleted")) == 1
    assert cloud.call("DELETE", path).json["errors"][0]["code"] == "policy_not_found"
    assert cloud.call("PATCH", path, {"state": "active"}, If_Match="1-old").status == 409
    back = cloud.call("PATCH", path, {"state": "active"}, If_Match=read.headers["ETag"])
    assert (back.status, back.json["state"]) == (200, "active")
    assert cloud.sim.violations() == []


def test_replace_needs_if_match_and_v2_upgrades(cloud: Any) -> None:
    made = cloud.authorize()
    path = f"/policies/{made.json['id']}"
    assert cloud.call("PUT", "/v1" + path, cloud.grant()).status == 400
    assert len(cloud.sim.violations()) == 1
    upgraded = cloud.call("PUT", "/v2" + path, cloud.grant("v2"), If_Match=made.headers["ETag"])
    assert upgraded.status == 200 and upgraded.headers["ETag"].startswith("2-")
    assert listing(cloud)[0]["roles"][0]["display_name"] == "Unsupported Version"


def attribute(body: Any, side: str, name: str) -> Any:
    return next(a for a in body[side][0]["attributes"] if a["name"] == name)


@pytest.mark.parametrize(
    ("break_it", "is_violation"),
    [
        (lambda b: attribute(b, "resources", "accountId").update(value="0" * 32), False),
        (lambda b: b["roles"][0].update(role_id="crn:v1:bluemix:public:iam::::serviceRole:Nothing"), False),
        (lambda b: b.update(roles=[]), False),
        (lambda b: b["subjects"][0]["attributes"].pop(0), False),
        (lambda b: b["subjects"][0]["attributes"].pop(1), False),
        (lambda b: attribute(b, "subjects", "accountId").update(name="account"), True),
        (lambda b: attribute(b, "subjects", "accountId").update(operator="stringEquals"), True),
        (lambda b: attribute(b, "resources", "serviceName").update(operator="stringExists"), True),
        (lambda b: b.update(type="access"), True),
        (lambda b: b.update(subject={}), True),
        (lambda b: b.pop("roles"), True),
        (lambda b: b.update(description=5), True),
    ],
)
def test_refused_bodies(cloud: Any, break_it: Any, is_violation: bool) -> None:
    body = cloud.grant()
    break_it(body)
    reply = cloud.call("POST", "/v1/policies", body)
    assert (reply.status, reply.json["errors"][0]["code"]) == (400, "invalid_body")
    assert len(cloud.sim.violations()) == int(is_violation)
    assert listing(cloud) == []


def test_a_new_policy_is_readable_after_a_while(start: Any) -> None:
    cloud = start(timing={"policy_readable_seconds": 5})
    number = cloud.authorize().json["id"]
    assert cloud.call("GET", f"/v1/policies/{number}").status == 404
    assert listing(cloud) == []
    assert cloud.authorize().status == 409
    cloud.sim.clock.advance(6)
    assert cloud.call("GET", f"/v1/policies/{number}").status == 200
    assert len(listing(cloud)) == 1


def test_a_new_policy_is_effective_after_a_while(start: Any) -> None:
    cloud = start(timing={"policy_propagation_seconds": 30})
    cloud.authorize()
    cloud.sim.clock.advance(29)
    assert "not authorized" in cloud.mirror().json["message"]
    cloud.sim.clock.advance(2)
    assert cloud.mirror().status == 200


def v2(cloud: Any, subject: list[tuple[str, str, Any]], resource: list[tuple[str, str, Any]]) -> Any:
    body = cloud.grant("v2")
    base = [("accountId", "stringEquals", cloud.account), ("serviceName", "stringEquals", "messagehub")]
    for side, given in (("subject", subject), ("resource", resource)):
        keys = ("key", "operator", "value")
        body[side]["attributes"] = [dict(zip(keys, entry, strict=True)) for entry in [*base, *given]]
    return body


TARGET = "22222222-aaaa-4bbb-8ccc-000000000002"
SOURCE = "11111111-aaaa-4bbb-8ccc-000000000001"


@pytest.mark.parametrize(
    ("subject", "resource", "enough"),
    [
        ([], [], True),
        ([("serviceInstance", "stringEquals", TARGET)], [], True),
        ([("serviceInstance", "stringMatch", "2222*")], [], True),
        ([("serviceInstance", "stringEqualsAnyOf", ["x", TARGET])], [], True),
        ([("serviceInstance", "stringMatchAnyOf", ["x*", "222*"])], [], True),
        ([("serviceInstance", "stringExists", True)], [], True),
        ([("resourceGroupId", "stringEquals", "<group>")], [("serviceInstance", "stringEquals", SOURCE)], True),
        ([("resourceGroupId", "stringExists", True)], [], True),
        ([("serviceInstance", "stringExists", False)], [], False),
        ([("resourceGroupId", "stringEquals", "0" * 32)], [], False),
        ([("serviceInstance", "stringEquals", SOURCE)], [("serviceInstance", "stringEquals", TARGET)], False),
        ([("serviceInstance", "stringEqualsAnyOf", ["x"])], [], False),
        ([], [("serviceInstance", "stringMatch", "3333*")], False),
        ([("region", "stringEquals", "us-south")], [], False),
    ],
)
def test_scopes_that_allow_mirroring(cloud: Any, subject: Any, resource: Any, enough: bool) -> None:
    group = cloud.sim.instance(TARGET).resource_group
    subject = [(key, operator, group if value == "<group>" else value) for key, operator, value in subject]
    assert cloud.call("POST", "/v2/policies", v2(cloud, subject, resource)).status == 201
    assert cloud.mirror().status == (200 if enough else 422)


def test_neither_a_swapped_nor_a_deleted_policy_allows_mirroring(cloud: Any) -> None:
    cloud.authorize(subject=cloud.source, resource=cloud.target)
    assert cloud.mirror().status == 422
    number = cloud.authorize().json["id"]
    cloud.call("DELETE", f"/v2/policies/{number}")
    assert cloud.mirror().status == 422
    assert cloud.authorize().status == 201
    assert cloud.mirror().status == 200


def test_the_policy_belongs_to_the_account_of_the_source(start: Any) -> None:
    cloud = start("two_accounts")
    keys = {"source": "simulated-key-source", "target": "simulated-key-target"}
    assert cloud.call("POST", "/v1/policies", cloud.grant(), who=keys["target"]).status == 400
    assert cloud.patch({"mirroring": cloud.block()}, who=keys["target"]).status == 422
    assert cloud.call("POST", "/v1/policies", cloud.grant(), who=keys["source"]).status == 201
    assert cloud.patch({"mirroring": cloud.block()}, who=keys["source"]).status == 404
    assert cloud.patch({"mirroring": cloud.block()}, who=keys["target"]).status == 200


def test_roles_and_unknown_ids(cloud: Any) -> None:
    roles = cloud.call("GET", "/v2/roles?service_name=messagehub&policy_type=authorization").json
    assert roles["service_roles"][0]["crn"].endswith("serviceRole:Reader")
    assert cloud.call("GET", "/v1/policies/nothing").json["errors"][0]["code"] == "policy_not_found"
    assert cloud.call("GET", "/v1/policies").json["errors"][0]["code"] == "missing_required_query_parameter"
