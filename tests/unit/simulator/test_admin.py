# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administration API: topics, rights, errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

SELECTION = "/admin/mirroring/topic-selection"


def test_mirroring_paths_are_404_on_the_source_and_when_off(cloud: Any) -> None:
    for at in (cloud.source, cloud.target):
        for method, path in (("GET", SELECTION), ("POST", SELECTION), ("GET", "/admin/mirroring/active-topics")):
            body = {"includes": ["x"]} if method == "POST" else None
            reply = cloud.admin(method, path, body, at=at)
            assert (reply.status, reply.json["error_code"]) == (404, 40400)
            assert reply.json["incident_id"] == reply.headers["X-Global-Transaction-Id"]
    cloud.enable()
    assert cloud.admin("GET", SELECTION, at=cloud.source).status == 404
    assert cloud.sim.violations() == []


def test_post_replaces_the_whole_selection(cloud: Any) -> None:
    cloud.enable()
    assert cloud.select("b", "a").json == {"includes": ["b", "a"]}
    assert cloud.select("c").json == {"includes": ["c"]}
    assert cloud.selection().json == {"includes": ["c"]}
    assert cloud.select("").json == {"includes": []}


def test_rights(cloud: Any) -> None:
    cloud.enable()
    assert cloud.admin("GET", SELECTION, who="viewer").status == 403
    assert cloud.admin("GET", "/admin/mirroring/active-topics", who="viewer").status == 403
    assert cloud.admin("GET", "/admin/topics", who="viewer").status == 200
    assert cloud.admin("POST", "/admin/topics", {"name": "x"}, who="viewer").status == 403
    assert cloud.admin("GET", "/admin/topics", who="nobody").status == 403


def test_the_other_account_has_no_role(start: Any) -> None:
    cloud = start("two_accounts")
    assert cloud.admin("GET", "/admin/topics", who="simulated-key-source").status == 403
    assert cloud.admin("GET", "/admin/topics", who="simulated-key-target").status == 200


@pytest.mark.parametrize(
    ("data", "content", "status"),
    [
        (b'{"includes": []}', "text/plain", 415),
        (b'{"includes": ', "application/json", 400),
        (b'{"includes": "orders"}', "application/json", 400),
        (b'{"includes": [5]}', "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"includes": [], "excludes": []}', "application/json", 400),
        (b'{"includes": ["x"]}', "application/json; charset=utf-8", 200),
    ],
)
def test_bodies(cloud: Any, data: bytes, content: str, status: int) -> None:
    cloud.enable()
    headers = {"Authorization": f"Bearer {cloud.token()}", "Content-Type": content}
    assert cloud.send("POST", f"/es/{cloud.target}{SELECTION}", data, headers).status == status
    assert len(cloud.sim.violations()) == int(status != 200)


def test_topic_life(cloud: Any) -> None:
    at = cloud.source
    body = {"name": "stock", "partition_count": 6, "configs": [{"name": "retention.ms", "value": "1000"}]}
    assert cloud.admin("POST", "/admin/topics", body, at=at).status == 202
    assert cloud.admin("POST", "/admin/topics", body, at=at).json["error_code"] == 42236
    topic = cloud.admin("GET", "/admin/topics/stock", at=at).json
    assert (topic["partitions"], topic["retentionMs"], topic["configs"]["retention.ms"]) == (6, 1000, "1000")
    change = {"configs": [{"name": "retention.ms", "reset_to_default": True}]}
    assert cloud.admin("PATCH", "/admin/topics/stock", change, at=at).status == 202
    wrong = {"configs": [{"name": "retention.ms", "value": "--1"}]}
    assert cloud.admin("PATCH", "/admin/topics/stock", wrong, at=at).status == 422
    assert cloud.admin("GET", "/admin/topics/stock", at=at).json["retentionMs"] == 86400000
    fewer = {"new_total_partition_count": 2}
    assert cloud.admin("PATCH", "/admin/topics/stock", fewer, at=at).status == 422
    assert cloud.admin("DELETE", "/admin/topics/stock", at=at).status == 202
    assert cloud.admin("GET", "/admin/topics/stock", at=at).json["error_code"] == 40403
    long = {"name": "x" * 201}
    assert cloud.admin("POST", "/admin/topics", long, at=at).status == 422


@pytest.mark.parametrize(
    ("query", "names", "total"),
    [
        ("", ["audit", "orders", "payments"], 3),
        ("?topic_filter=*s", ["orders", "payments"], 2),
        ("?topic_filter=%2F^or%2F", ["orders"], 1),
        ("?topic_filter=rder", [], 0),
        ("?per_page=2", ["audit", "orders"], 3),
        ("?per_page=2&page=2", ["payments"], 3),
        ("?per_page=2&page=9", [], 3),
    ],
)
def test_filter_and_pages(cloud: Any, query: str, names: list[str], total: int) -> None:
    reply = cloud.admin("GET", f"/admin/topics{query}", at=cloud.source)
    assert [topic["name"] for topic in reply.json] == names
    assert reply.headers["X-Total-Count"] == str(total)
    assert {"first", "last"} <= set(re.findall(r'rel="(\w+)"', reply.headers["Link"]))


def test_links_lead_to_the_next_page(cloud: Any) -> None:
    reply = cloud.admin("GET", "/admin/topics?per_page=1&topic_filter=*s", at=cloud.source)
    path = re.findall(r'<([^>]*)>; rel="next"', reply.headers["Link"])[0]
    assert [topic["name"] for topic in cloud.call("GET", path).json] == ["payments"]


def test_transaction_ids_are_honoured(cloud: Any) -> None:
    reply = cloud.call("GET", f"/es/{cloud.target}/admin/topics/x", X_Global_Transaction_Id="mine")
    assert reply.headers["X-Global-Transaction-Id"] == reply.json["incident_id"] == "mine"
    assert cloud.call("GET", "/v2/resource_instances", Transaction_Id="mine").headers["Transaction-Id"] == "mine"
    assert cloud.call("GET", "/v1/policies/x", Transaction_Id="mine").headers["Transaction-Id"] == "mine"


def test_a_port_of_its_own(start: Any) -> None:
    cloud = start(admin="port")
    url = cloud.get()["extensions"]["kafka_http_url"]
    assert url == cloud.sim.admin_url(cloud.target) and url != cloud.sim.url and url.count("/") == 2
    assert cloud.call("GET", f"{url}/admin/status").json == {"status": "available"}
    assert cloud.call("GET", f"{url}/v2/resource_instances").status == 501
    assert cloud.sim.journal[-1]["api"] == "admin" and cloud.sim.journal[-1]["instance"] == cloud.target


def test_alive_needs_no_credential(cloud: Any) -> None:
    assert cloud.send("GET", f"/es/{cloud.target}/alive").status == 200
