# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Global Search: what is found, page by page, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

SEARCH = "/v3/resources/search"
ALL = {"query": "service_name:messagehub", "fields": ["*"]}
COUNT = 5


@pytest.fixture
def tagged(start: Any) -> Any:
    """Five instances, each with a tag of its own."""
    entry = {"account": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "region": "us-south"}
    return start(instances=[{**entry, "name": f"es-{number}", "tags": [f"n:{number}"]} for number in range(COUNT)])


def search(cloud: Any, body: Any, query: str = "", **details: Any) -> Any:
    return cloud.call("POST", SEARCH + query, body, **details)


def test_items_have_all_fields_when_asked(tagged: Any) -> None:
    items = search(tagged, ALL, "?limit=100").json["items"]
    assert [(item["name"], item["tags"]) for item in items] == [(f"es-{n}", [f"n:{n}"]) for n in range(COUNT)]
    assert {item["crn"] for item in items} == {str(one.crn) for one in tagged.sim.state.instances.values()}


def test_fields_are_chosen(tagged: Any) -> None:
    default = search(tagged, {"query": 'tags:"n:1"'}).json["items"]
    assert [sorted(item) for item in default] == [["account_id", "crn", "family", "name", "type"]]
    (one,) = search(tagged, {"query": "name:es-2", "fields": ["region"]}).json["items"]
    assert sorted(one) == ["crn", "region"]


@pytest.mark.parametrize(("limit", "pages"), [(2, [2, 2, 1]), (5, [5, 0]), (100, [5])])
def test_pages_follow_the_cursor(tagged: Any, limit: int, pages: list[int]) -> None:
    body: Any = ALL
    seen: list[list[str]] = []
    while body:
        answer = search(tagged, body, f"?limit={limit}").json
        seen.append([item["name"] for item in answer["items"]])
        body = {"search_cursor": answer["search_cursor"]} if "search_cursor" in answer else None
    assert [len(names) for names in seen] == pages
    assert sorted(name for names in seen for name in names) == [f"es-{n}" for n in range(COUNT)]
    assert tagged.sim.violations() == []


def test_ten_are_shown_unless_more_are_asked_for(start: Any) -> None:
    entry = {"account": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "region": "us-south"}
    cloud = start(instances=[{**entry, "name": f"es-{number}"} for number in range(12)])
    assert len(search(cloud, ALL).json["items"]) == 10


def test_only_the_own_account_is_seen(start: Any) -> None:
    cloud = start("two_accounts")
    (item,) = search(cloud, ALL, who="simulated-key-target").json["items"]
    assert item["name"] == "es-target-us-east"


def test_a_deleted_instance_is_not_found(tagged: Any) -> None:
    guid = tagged.sim.instance("es-0").guid
    assert tagged.call("DELETE", f"/v2/resource_instances/{guid}").status == 204
    assert "es-0" not in str(search(tagged, ALL).json)


def test_without_rights_nothing_is_found(start: Any) -> None:
    key = {"key": "k", "name": "operator", "rights": "none"}
    account = {"id": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "api_keys": [key]}
    assert search(start(accounts=[account]), ALL).json["items"] == []


def test_it_is_a_read(tagged: Any) -> None:
    search(tagged, ALL)
    assert tagged.sim.writes() == []
    entry = tagged.sim.journal[-1]
    assert (entry["api"], entry["path"], entry["body"]) == ("search", SEARCH, ALL)


def test_it_has_a_prefix_and_a_place_in_the_environment(tagged: Any) -> None:
    base = tagged.sim.environment(prefix=True)["IBMCLOUD_GS_API_ENDPOINT"]
    assert base == f"{tagged.sim.search_url}/gs"
    assert tagged.call("POST", f"{base}{SEARCH}", ALL).status == 200
    assert tagged.call("POST", f"/rc{SEARCH}", ALL).status == 501


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({}, ""),
        ({"fields": ["*"]}, ""),
        ({"query": "service_name:messagehub AND tags:x"}, ""),
        ({"query": "doc.extensions:x"}, ""),
        ({"query": "nothing:x"}, ""),
        ({"query": "messagehub"}, ""),
        ({**ALL, "search_cursor": "x"}, ""),
        ({"search_cursor": "x"}, ""),
        ({**ALL, "limit": 5}, ""),
        (ALL, "?limit=0"),
        (ALL, "?limit=1000"),
        (ALL, "?sort=name"),
    ],
)
def test_what_is_not_known_is_a_violation(tagged: Any, body: Any, query: str) -> None:
    reply = search(tagged, body, query)
    assert reply.status == 400
    assert reply.json["errors"][0]["message"] == tagged.sim.violations()[0]["violation"]


def test_credentials_are_needed(tagged: Any) -> None:
    json_type = {"Content-Type": "application/json"}
    assert tagged.send("POST", SEARCH, b"{}", json_type).status == 401
    assert tagged.send("POST", SEARCH, b"{}", {**json_type, "Authorization": "Bearer nonsense"}).status == 401


def test_a_fault_can_be_planned(tagged: Any) -> None:
    tagged.sim.add_fault("forbidden", api="search")
    assert [search(tagged, ALL).status for _dummy in range(2)] == [403, 200]
