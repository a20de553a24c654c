# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.connect import connect
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.search import Search
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    SOURCE,
    TARGET,
    FakeClock,
    StaticBearer,
    crn,
    make_call,
)

PATH = "/v3/resources/search"
FIRST = {"query": "service_name:messagehub", "fields": ["*"]}
SECOND = {"query": "family:resource_controller", "fields": ["*"]}
SOURCE_CRN, TARGET_CRN = crn(SOURCE), crn(TARGET, "us-east")


def search(server: Scripted, clock: FakeClock | None = None, prefix: str = "") -> Search:
    return Search(Http(make_call(clock)), server.url + prefix, StaticBearer("t1", "t2"), "X-Request-Id")


def expect(server: Scripted, body: t.Any, items: t.Any, path: str = PATH, **details: t.Any) -> None:
    more = details.pop("more", {})
    server.expect("POST", path, {"items": items, "limit": 100, **more}, query={"limit": "100"}, body=body, **details)


def item(crn: str = SOURCE_CRN, **fields: t.Any) -> dict[str, t.Any]:
    return {"crn": crn, "name": "x", "family": "resource_controller", **fields}


def test_tags_by_crn(server: Scripted) -> None:
    expect(server, FIRST, [item(tags=["a:b", "c"]), item(TARGET_CRN)], headers={"Authorization": "Bearer t1"})
    assert search(server).tags() == {SOURCE_CRN: ["a:b", "c"], TARGET_CRN: []}


@pytest.mark.parametrize(
    ("tags", "read"), [("one", ["one"]), (None, []), ([1, "x", None], ["x"]), ({"name": "x"}, []), ([], [])]
)
def test_tags_in_other_shapes(server: Scripted, tags: t.Any, read: list[str]) -> None:
    expect(server, FIRST, [item(tags=tags)])
    assert search(server).tags() == {SOURCE_CRN: read}


def test_a_documented_field_is_tried_when_the_first_finds_nothing(server: Scripted) -> None:
    expect(server, FIRST, [])
    other = "crn:v1:bluemix:public:kms:us-south:a/1:x::"
    expect(server, SECOND, [item(other, tags=["x"]), item(tags=["y"]), "nonsense", {"name": "without a CRN"}])
    assert search(server).tags() == {SOURCE_CRN: ["y"]}


def test_nothing_at_all(server: Scripted) -> None:
    expect(server, FIRST, [])
    expect(server, SECOND, [])
    assert search(server).tags() == {}


def crns(start: int, count: int) -> list[dict[str, t.Any]]:
    return [item(crn(f"{number:08x}-aaaa-4bbb-8ccc-000000000001")) for number in range(start, start + count)]


def test_the_next_page_is_asked_for_with_the_cursor_alone(server: Scripted) -> None:
    expect(server, FIRST, crns(0, 100), more={"search_cursor": "c1"})
    expect(server, {"search_cursor": "c1"}, crns(100, 100), more={"search_cursor": "c2"})
    expect(server, {"search_cursor": "c2"}, [], more={"search_cursor": "c3"})
    assert len(search(server).tags()) == 200


@pytest.mark.parametrize("cursor", [None, "", 5, "absent"])
def test_a_full_page_without_a_cursor_is_the_last(server: Scripted, cursor: t.Any) -> None:
    expect(server, FIRST, crns(0, 100), more={} if cursor == "absent" else {"search_cursor": cursor})
    assert len(search(server).tags()) == 100


def test_a_short_page_is_the_last_although_there_is_a_cursor(server: Scripted) -> None:
    expect(server, FIRST, crns(0, 99), more={"search_cursor": "c1"})
    assert len(search(server).tags()) == 99


@pytest.mark.parametrize("limit", [10, None, True, "10", 0, 500])
def test_a_cursor_may_forget_the_limit(server: Scripted, limit: t.Any) -> None:
    """A page that is as long as the answer says it may be is a full one, and the list goes on."""
    expect(server, FIRST, crns(0, 10 if limit == 10 else 100), more={"search_cursor": "c1", "limit": limit})
    expect(server, {"search_cursor": "c1"}, [])
    assert len(search(server).tags()) == (10 if limit == 10 else 100)


def test_a_cursor_may_be_the_same_each_time(server: Scripted) -> None:
    expect(server, FIRST, crns(0, 100), more={"search_cursor": "live"})
    expect(server, {"search_cursor": "live"}, crns(100, 100), more={"search_cursor": "live"})
    expect(server, {"search_cursor": "live"}, crns(200, 5), more={"search_cursor": "live"})
    assert len(search(server).tags()) == 205


def test_other_services_fill_pages_too(server: Scripted) -> None:
    others = [item(f"crn:v1:bluemix:public:kms:us-south:a/1:{number}::") for number in range(200)]
    expect(server, FIRST, [])
    expect(server, SECOND, others[:100], more={"search_cursor": "c1"})
    expect(server, {"search_cursor": "c1"}, others[100:], more={"search_cursor": "c2"})
    expect(server, {"search_cursor": "c2"}, [item(tags=["x"])])
    assert search(server).tags() == {SOURCE_CRN: ["x"]}


def test_pages_that_do_not_end(server: Scripted) -> None:
    expect(server, FIRST, crns(0, 100), more={"search_cursor": "c1"})
    expect(server, {"search_cursor": "c1"}, crns(0, 100), more={"search_cursor": "c1"})
    with pytest.raises(_errors.UnusableAnswer, match="do not end"):
        search(server).tags()


@pytest.mark.parametrize("body", [[], {}, {"items": None}, {"items": {}}, "text"])
def test_an_answer_without_items(server: Scripted, body: t.Any) -> None:
    server.expect("POST", PATH, body if body != "text" else '"text"', query={"limit": "100"}, body=FIRST)
    with pytest.raises(_errors.UnusableAnswer, match="no list of items"):
        search(server).tags()


def test_it_is_repeated_like_every_read_and_changes_nothing(server: Scripted, clock: FakeClock) -> None:
    server.expect("POST", PATH, status=503, query={"limit": "100"}, body=FIRST)
    server.expect("POST", PATH, query={"limit": "100"}, body=FIRST, fault="reset")
    expect(server, FIRST, [item(tags=["x"])])
    api = search(server, clock)
    assert api.tags() == {SOURCE_CRN: ["x"]}
    assert len(clock.slept) == 2
    assert api.http.call.changed is False


def test_a_rejected_token_is_renewed(server: Scripted) -> None:
    server.expect("POST", PATH, status=401, query={"limit": "100"}, body=FIRST, headers={"Authorization": "Bearer t1"})
    expect(server, FIRST, [item()], headers={"Authorization": "Bearer t2"})
    assert list(search(server).tags()) == [SOURCE_CRN]


@pytest.mark.parametrize(
    ("params", "url"),
    [
        ({}, "https://api.global-search-tagging.cloud.ibm.com"),
        ({"visibility": "public-and-private"}, "https://api.global-search-tagging.cloud.ibm.com"),
        ({"visibility": "private"}, "https://api.private.us-south.global-search-tagging.cloud.ibm.com"),
        (
            {"visibility": "private", "endpoint_region": "eu-de"},
            "https://api.private.eu-de.global-search-tagging.cloud.ibm.com",
        ),
        (
            {"visibility": "private", "endpoint_region": "us-east"},
            "https://api.private.us-south.global-search-tagging.cloud.ibm.com",
        ),
        ({"search_endpoint": "https://proxy.example.com/gs/"}, "https://proxy.example.com/gs"),
    ],
)
def test_where_the_index_is(params: dict[str, str], url: str) -> None:
    assert connect(make_call(iam_token="t", **params)).target.search().base_url == url


def test_a_missing_right_is_told(server: Scripted) -> None:
    server.expect(
        "POST",
        f"/gs{PATH}",
        {"errors": [{"code": "no", "message": "not you"}]},
        status=403,
        query={"limit": "100"},
        body=FIRST,
    )
    with pytest.raises(_errors.PermissionDenied, match="Failed to search for the tags of instances: not you"):
        search(server, prefix="/gs/").tags()
