# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import Call
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Topic
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import SERVICE_ID
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.discovery import (
    WORKERS,
    describe,
    discover,
    look,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.fleet_options import read_options
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.pairs import Fleet
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import Unreadable
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    SOURCE,
    TARGET,
    THIRD,
    FakeClock,
    crn,
    document,
    instance,
    operation,
)

LIST = "/v2/resource_instances"
FILTERS = {"type": "service_instance", "limit": "100", "resource_id": SERVICE_ID}
GEN2: dict[str, t.Any] = {"resource_plan_id": "enterprise-gen2", "extensions": {}}


def run(server: Scripted, **options: t.Any) -> Fleet:
    """Discovers with a fixed token, so that the script holds no token requests."""
    endpoints = {"iam_endpoint": server.url, "resource_controller_endpoint": server.url, "search_endpoint": server.url}
    given = {**endpoints, "accounts": [{"name": "one", "iam_token": "t1"}], "retry_timeout": 0, **options}
    secrets: set[str] = set()
    read = read_options(given, secrets)
    return discover(Call(params=read.params, clock=FakeClock(), secrets=secrets), read)


def expect_list(server: Scripted, *documents: t.Any, token: str = "t1", **query: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    server.expect("GET", LIST, {"resources": list(documents)}, query={**FILTERS, **query}, headers=headers)


def named(found: Fleet) -> list[str]:
    return [one["facts"]["name"] for one in found["instances"]]


def test_filters_of_the_server_are_sent_and_all_are_checked(server: Scripted) -> None:
    filters = {"guid": SOURCE, "resource_plan_id": "enterprise-gen2", "state": "active", "region": "us-south"}
    sent = {name: value for name, value in filters.items() if name != "region"}
    documents = [
        document(guid=SOURCE, region="us-south", name="right", **GEN2),
        document(guid=SOURCE, region="us-east", name="other region", **GEN2),
        document(guid=THIRD, region="us-south", name="other GUID", **GEN2),
        document(guid=SOURCE, region="us-south", name="other plan"),
        document(guid=SOURCE, region="us-south", name="other state", **{**GEN2, "state": "failed"}),
    ]
    expect_list(server, *documents, **sent)
    assert named(run(server, filters=filters)) == ["right"]


def test_instances_of_all_accounts_are_sorted_and_counted_once(server: Scripted) -> None:
    one, two = document(name="b", **GEN2), document(guid=THIRD, name="a", **GEN2)
    expect_list(server, one)
    expect_list(server, two, one, token="t2")
    accounts = [{"name": "one", "iam_token": "t1"}, {"name": "two", "iam_token": "t2"}]
    found = run(server, accounts=accounts)
    assert [(one["facts"]["name"], one["account"]) for one in found["instances"]] == [("a", "two"), ("b", "one")]
    assert found["skipped"] == []
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("status", [401, 403])
def test_accounts_that_cannot_be_read(server: Scripted, status: int) -> None:
    accounts = [{"name": "one", "iam_token": "t1"}, {"name": "two", "iam_token": "t2"}]

    def script() -> None:
        server.expect("GET", LIST, {"error_code": "x", "message": "not you"}, status=status, query=FILTERS)

    script()
    with pytest.raises(_errors.ApiError, match="account 'one'") as error:
        run(server, accounts=accounts)
    assert error.value.status == status
    script()
    expect_list(server, document(**GEN2), token="t2")
    found = run(server, accounts=accounts, strict_permissions=False)
    assert named(found) == ["es-target"]
    (skipped,) = found["skipped"]
    assert skipped["account"] == "one"
    assert f"HTTP {status}" in skipped["reason"]


@pytest.mark.parametrize("status", [404, 500])
def test_other_trouble_fails_in_any_case(server: Scripted, status: int) -> None:
    server.expect("GET", LIST, {"message": "no"}, status=status, query=FILTERS)
    with pytest.raises(_errors.ApiError, match="account 'one'"):
        run(server, strict_permissions=False)


def test_bad_endpoints_and_keys_of_any_account_are_told_before_anything_is_sent(server: Scripted) -> None:
    for bad in ({"name": "two", "ibmcloud_api_key": "@/no/such/file"}, {"name": "two", "iam_token": "a b"}):
        with pytest.raises(_errors.InvalidInput):
            run(server, accounts=[{"name": "one", "iam_token": "t1"}, bad])
    with pytest.raises(_errors.InvalidInput, match="search_endpoint"):
        run(server, mode="pairs", pairs_from="tags", search_endpoint="http://example.com")
    with pytest.raises(_errors.InvalidInput, match="iam_token has characters that are no Unicode"):
        run(server, accounts=[{"name": "one", "iam_token": "\ud800"}])


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("[?region=='us-east']", ["a"]),
        ("[0:1]", ["a"]),
        ("reverse(@)", ["a", "b"]),
        ("[@[0], @[0]][]", ["a"]),
        ("[]", ["a", "b"]),
        ("[?name=='c']", []),
    ],
)
def test_a_query(server: Scripted, query: str, left: list[str]) -> None:
    expect_list(server, document(name="a", **GEN2), document(guid=SOURCE, region="us-south", name="b", **GEN2))
    assert named(run(server, query=query)) == left


@pytest.mark.parametrize(
    "query", ["[].name", "[0]", "length(@)", "nothing", "[].{crn: crn}", "sum([].name)", "nothing(@)"]
)
def test_a_query_that_yields_something_else(server: Scripted, query: str) -> None:
    expect_list(server, document(**GEN2))
    with pytest.raises(_errors.InvalidInput, match="query"):
        run(server, query=query)


def with_admin(server: Scripted, guid: str, **changes: t.Any) -> dict[str, t.Any]:
    extensions = {"kafka_http_url": f"{server.url}/{guid}", "kafka_brokers_sasl": ["x"]}
    return document(**{"guid": guid, "name": guid[:4], "extensions": extensions, **changes})


def expect_selection(server: Scripted, guid: str, status: int = 200, **details: t.Any) -> None:
    path = f"/{guid}/admin/mirroring/topic-selection"
    server.expect("GET", path, {"includes": []} if status == 200 else {}, status=status, **details)


@pytest.mark.parametrize(
    ("status", "enabled", "how"),
    [(200, True, "observed"), (404, False, "observed"), (403, None, "unknown"), (503, None, "unknown")],
)
def test_each_instance_is_looked_at_once(server: Scripted, status: int, enabled: bool | None, how: str) -> None:
    expect_list(server, with_admin(server, TARGET))
    expect_selection(server, TARGET, status)
    (found,) = run(server, retry_timeout=100)["instances"]
    assert found["mirroring"] is not None
    assert (found["mirroring"]["enabled"], found["mirroring"]["how"]) == (enabled, how)
    assert (found["mirroring"]["reason"] is None) == (enabled is False)


def test_only_targets_of_pairs_are_looked_at(server: Scripted) -> None:
    expect_list(server, with_admin(server, SOURCE), with_admin(server, TARGET), with_admin(server, THIRD))
    expect_selection(server, TARGET)
    found = run(server, mode="pairs", pairs=[{"name": "p", "source": SOURCE, "target": TARGET}])
    assert [bool(one["mirroring"]) for one in found["instances"]] == [False, True, False]


def test_wrong_pairs_are_told_before_any_instance_is_looked_at(server: Scripted) -> None:
    expect_list(server, with_admin(server, SOURCE))
    with pytest.raises(_errors.NotFound, match="target of pair 'p'"):
        run(server, mode="pairs", pairs=[{"name": "p", "source": SOURCE, "target": TARGET}])


def test_tags_are_those_of_the_index_and_instances_those_of_the_controller(server: Scripted) -> None:
    expect_list(server, with_admin(server, SOURCE, region="us-south"), with_admin(server, TARGET))
    items = [
        {"crn": crn(SOURCE), "name": "an old name", "tags": ["mirroring:p:source"]},
        {"crn": crn(TARGET, "us-east").replace(TARGET, TARGET.upper()), "tags": ["mirroring:p:target"]},
        {"crn": crn(THIRD), "name": "deleted since", "tags": ["mirroring:p:target"]},
        {"crn": "crn:messagehub:x:messagehub:", "tags": ["mirroring:p:target"]},
    ]
    body = {"query": "service_name:messagehub", "fields": ["*"]}
    server.expect("POST", "/v3/resources/search", {"items": items}, query={"limit": "100"}, body=body)
    expect_selection(server, TARGET, 404)
    found = run(server, mode="pairs", pairs_from="tags")
    assert [(one["facts"]["name"], one["tags"]) for one in found["instances"]] == [
        (SOURCE[:4], ["mirroring:p:source"]),
        (TARGET[:4], ["mirroring:p:target"]),
    ]


def test_without_instances_there_is_no_search(server: Scripted) -> None:
    empty: dict[str, t.Any] = {"resources": []}
    server.expect("GET", LIST, empty, query=FILTERS)
    server.expect("GET", LIST, empty, query={name: FILTERS[name] for name in ("type", "limit")})
    assert run(server, mode="pairs", pairs_from="tags")["instances"] == []


@pytest.mark.parametrize("echo", [True, False])
def test_topics_are_read_where_nothing_else_tells_the_source(server: Scripted, echo: bool) -> None:
    shown = {"mirroring": {"source_crn": crn(SOURCE), "source_alias": "us-south"}} if echo else {}
    expect_list(server, with_admin(server, TARGET, parameters=shown))
    expect_selection(server, TARGET)
    if not echo:
        topics = [{"name": "us-south.checkpoints.internal", "partitions": 1}]
        query = {"per_page": "1000", "page": "1"}
        server.expect("GET", f"/{TARGET}/admin/topics", topics, query=query, reply_headers={"X-Total-Count": "1"})
    (found,) = run(server, mode="pairs", pairs_from="observed")["instances"]
    assert found["mirroring"] is not None
    assert found["mirroring"]["source_alias"] == "us-south"
    assert found["mirroring"]["source_crn"] == (crn(SOURCE) if echo else None)


def test_topics_are_asked_for_once(server: Scripted) -> None:
    expect_list(server, with_admin(server, TARGET))
    expect_selection(server, TARGET)
    server.expect("GET", f"/{TARGET}/admin/topics", status=503, query={"per_page": "1000", "page": "1"})
    (found,) = run(server, mode="pairs", pairs_from="observed", retry_timeout=100)["instances"]
    assert found["mirroring"] is not None
    assert "HTTP 503" in found["mirroring"]["reason"]


def test_many_are_looked_at_at_the_same_time_and_none_twice(server: Scripted) -> None:
    guids = [f"{number:08x}-aaaa-4bbb-8ccc-000000000001" for number in range(3 * WORKERS)]
    expect_list(server, *(document(guid=guid, name=guid, **GEN2) for guid in guids))
    found = run(server)["instances"]
    assert [one["facts"]["guid"] for one in found] == guids
    assert all(one["mirroring"] and "not asked" in one["mirroring"]["reason"] for one in found)


def test_a_session_of_a_look_is_its_own(server: Scripted) -> None:
    """Threads must not add to a set that another one goes through."""
    read = read_options(
        {"iam_endpoint": server.url, "resource_controller_endpoint": server.url, "iam_token": "t1"}, set()
    )
    call = Call(params={**read.params, **read.credentials["default"]}, secrets={"x"}, clock=FakeClock())
    before = dataclasses.replace(call)
    look(call, instance(extensions={"kafka_http_url": "https://elsewhere.example.com"}), True)
    assert (call.secrets, call.params) == ({"x"}, before.params)


ECHO = {"parameters": {"mirroring": {"source_crn": crn(SOURCE)}}}


@pytest.mark.parametrize(
    ("changes", "selection", "topics", "reason"),
    [
        ({}, None, None, None),
        (ECHO, ["^a$"], None, None),
        ({}, ["^a$"], None, "does not show the source"),
        ({}, Unreadable("because"), None, "because"),
        ({"last_operation": operation("in progress")}, None, None, "under way"),
        ({}, ["^a$"], [Topic("us-south.checkpoints.internal", 1)], "does not show the source"),
        ({}, ["^a$"], [Topic("orders", 1)], "these sources: none"),
        ({}, ["^a$"], [Topic("a.checkpoints.internal", 1), Topic("b.checkpoints.internal", 1)], "these sources: a, b"),
        ({}, ["^a$"], Unreadable("no right"), "no right"),
    ],
)
def test_what_is_not_known_has_a_reason(changes: t.Any, selection: t.Any, topics: t.Any, reason: str | None) -> None:
    told = describe(instance(**changes), selection, topics)["reason"]
    assert told == reason if reason is None else reason in told
