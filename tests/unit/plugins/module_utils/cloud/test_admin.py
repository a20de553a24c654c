# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
import urllib.parse

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud import admin as admin_module
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.admin import Admin, Topic
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import FakeClock, make_api, make_call

SELECTION = "/admin/mirroring/topic-selection"
ACTIVE = "/admin/mirroring/active-topics"


def admin(server: Scripted, clock: FakeClock | None = None) -> Admin:
    return Admin(make_api(server.url, make_call(clock or FakeClock())), "es (1)")


def expect_page(server: Scripted, number: int, topics: list[t.Any], **headers: str) -> None:
    server.expect(
        "GET",
        "/admin/topics",
        topics,
        query={"per_page": "1000", "page": str(number)},
        reply_headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def topics(*names: str) -> list[dict[str, t.Any]]:
    return [{"name": name, "partitions": 3, "replicationFactor": 3} for name in names]


def names(server: Scripted) -> list[str]:
    return [topic.name for topic in admin(server).topics()]


NEXT = '<https://x/admin/topics?page=2>; rel="next", <https://x/admin/topics?page=9>; rel="last"'
LAST = '<https://x/admin/topics?page=1>; rel="first", <https://x/admin/topics?page=1>; rel="prev"'


def test_link_headers_say_where_the_list_ends(server: Scripted) -> None:
    expect_page(server, 1, topics("b", "c"), Link=NEXT, X_Total_Count="3")
    expect_page(server, 2, topics("a"), Link=LAST, X_Total_Count="3")
    assert names(server) == ["a", "b", "c"]


@pytest.mark.parametrize("link", ["<https://x?page=2>; rel=next", '<https://x?page=2>;rel="next"'])
def test_spellings_of_next(link: str, server: Scripted) -> None:
    expect_page(server, 1, topics("a"), Link=link)
    expect_page(server, 2, [])
    assert names(server) == ["a"]


def test_the_total_says_where_the_list_ends(server: Scripted) -> None:
    expect_page(server, 1, topics("a"), X_Total_Count="3")
    expect_page(server, 2, topics("b"), X_Total_Count="3")
    expect_page(server, 3, topics("c"), X_Total_Count="3")
    assert names(server) == ["a", "b", "c"]


@pytest.mark.parametrize("total", [None, "", "many", "-1"])
def test_without_headers_an_empty_page_ends_the_list(total: str | None, server: Scripted) -> None:
    headers = {} if total is None else {"X_Total_Count": total}
    for number, name in enumerate(["a", "b", "c"], 1):
        expect_page(server, number, topics(name), **headers)
    expect_page(server, 4, [], **headers)
    assert names(server) == ["a", "b", "c"]


def test_a_server_that_ignores_pages_does_not_go_on_for_ever(server: Scripted) -> None:
    expect_page(server, 1, topics("a", "b"))
    expect_page(server, 2, topics("a", "b"))
    assert names(server) == ["a", "b"]


def test_pages_without_end_are_an_error(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_module, "MOST_PAGES", 3)
    for number, name in enumerate(["a", "b", "c"], 1):
        expect_page(server, number, topics(name))
    with pytest.raises(_errors.UnusableAnswer, match="do not end"):
        names(server)


def test_no_topics_at_all(server: Scripted) -> None:
    expect_page(server, 1, [], X_Total_Count="0")
    assert names(server) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"name": "a", "partitions": 6}, [Topic("a", 6)]),
        ({"name": "a"}, [Topic("a", None)]),
        ({"name": "a", "partitions": "6"}, [Topic("a", None)]),
        ({"name": "a", "partitions": True}, [Topic("a", None)]),
        ({"name": "a", "partitions": None}, [Topic("a", None)]),
        ({"name": "a", "partitions": -1}, [Topic("a", None)]),
        ({"name": "a", "partitions": 10**4000}, [Topic("a", None)]),
        ({"name": 5}, []),
        ({}, []),
        ("a", []),
        (None, []),
    ],
)
def test_documents_of_topics(document: t.Any, expected: list[Topic], server: Scripted) -> None:
    expect_page(server, 1, [document], X_Total_Count="1")
    assert admin(server).topics() == expected


@pytest.mark.parametrize("body", [{}, {"topics": []}, "null", '"x"'])
def test_what_is_no_list_of_topics(body: t.Any, server: Scripted) -> None:
    server.expect("GET", "/admin/topics", body, query={"per_page": "1000", "page": "1"})
    with pytest.raises(_errors.UnusableAnswer, match=r"list the topics of es \(1\): the answer is not a list"):
        admin(server).topics()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"includes": ["^b$", "^a.*"]}, ["^b$", "^a.*"]),
        ({"includes": [""]}, []),
        ({"includes": []}, []),
        ({"includes": None}, []),
        ({}, []),
        ({"includes": ["^a$", "", None, 5]}, ["^a$"]),
    ],
)
def test_selections(body: t.Any, expected: list[str], server: Scripted) -> None:
    server.expect("GET", SELECTION, body)
    assert admin(server).selection() == expected


@pytest.mark.parametrize("body", [[], "null", {"includes": "^a$"}, {"includes": {}}, '"x"'])
def test_what_is_no_selection(body: t.Any, server: Scripted) -> None:
    server.expect("GET", SELECTION, body)
    with pytest.raises(_errors.UnusableAnswer, match=r"read the topic selection of es \(1\)"):
        admin(server).selection()


@pytest.mark.parametrize("reply", [{"error_code": 40400}, "<html>", None])
def test_404_means_that_mirroring_is_not_enabled(reply: t.Any, server: Scripted) -> None:
    server.expect("GET", SELECTION, reply, status=404)
    server.expect("GET", ACTIVE, reply, status=404)
    assert admin(server).selection() is None
    assert admin(server).active_topics() is None


@pytest.mark.parametrize("status", [400, 401, 403, 415])
def test_other_refusals_do_not(status: int, server: Scripted) -> None:
    for path in (SELECTION, ACTIVE):
        server.expect(
            "GET", path, {"error_code": status * 100, "message": "no"}, status=status, times=1 + (status == 401)
        )
    with pytest.raises(_errors.ApiError, match=f"HTTP {status}, code {status}00"):
        admin(server).selection()
    with pytest.raises(_errors.ApiError, match=f"HTTP {status}, code {status}00"):
        admin(server).active_topics()


@pytest.mark.parametrize(
    ("patterns", "sent"),
    [(["^b$", "^a.*"], ["^b$", "^a.*"]), ([], [""])],
    ids=["patterns", "nothing in its documented form"],
)
def test_replacing_the_selection(patterns: list[str], sent: list[str], server: Scripted) -> None:
    server.expect("POST", SELECTION, {"includes": sent}, body={"includes": sent})
    assert admin(server).select(patterns) == patterns


@pytest.mark.parametrize(
    "details", [{"status": 503}, {"fault": "reset"}, {"reply": None}, {"reply": '{"incl'}, {"reply": []}]
)
def test_a_replacement_whose_answer_is_lost_is_sent_once(
    details: dict[str, t.Any], server: Scripted, clock: FakeClock
) -> None:
    server.expect("POST", SELECTION, body={"includes": ["a"]}, **details)
    with pytest.raises(_errors.ExchangeError, match="set the topic selection") as caught:
        admin(server, clock).select(["a"])
    assert caught.value.processed == "maybe"
    assert clock.slept == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"active_topics": ["b", "a"]}, ["b", "a"]),
        ({"active_topics": []}, []),
        ({"active_topics": None}, []),
        ({}, []),
        ({"active_topics": ["a", "", None]}, ["a"]),
    ],
)
def test_active_topics(body: t.Any, expected: list[str], server: Scripted) -> None:
    server.expect("GET", ACTIVE, body)
    assert admin(server).active_topics() == expected


@pytest.mark.parametrize("body", [[], "null", {"active_topics": "a"}])
def test_what_is_no_list_of_active_topics(body: t.Any, server: Scripted) -> None:
    server.expect("GET", ACTIVE, body)
    with pytest.raises(_errors.UnusableAnswer, match="read the active topics"):
        admin(server).active_topics()


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"status": "degraded"}, "degraded"), ({"status": None}, "unknown"), ({}, "unknown"), ([], "unknown")],
)
def test_status(body: t.Any, expected: str, server: Scripted) -> None:
    server.expect("GET", "/admin/status", body)
    assert admin(server).status() == expected


@pytest.mark.parametrize(("status", "there"), [(202, True), (200, True), (204, True), (404, False), (410, False)])
def test_deleting_a_topic(status: int, there: bool, server: Scripted) -> None:
    server.expect("DELETE", "/admin/topics/orders.us-south", status=status)
    assert admin(server).delete_topic("orders.us-south") is there


@pytest.mark.parametrize("name", ["a/b?c=d#e", "../x", "{{ x }}", "%2e"])
def test_a_name_is_no_path(name: str, server: Scripted) -> None:
    server.expect("DELETE", f"/admin/topics/{urllib.parse.quote(name, safe='')}", status=202)
    admin(server).delete_topic(name)
    assert server.received[0].path.startswith("/admin/topics/")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_elsewhere_is_none(name: str, server: Scripted) -> None:
    assert admin(server).delete_topic(name) is False
    assert server.received == []


def test_a_deletion_that_is_refused(server: Scripted) -> None:
    server.expect("DELETE", "/admin/topics/a", {"error_code": 42200, "message": "no"}, status=422)
    with pytest.raises(_errors.ApiError, match=r"Failed to delete the topic a of es \(1\): no"):
        admin(server).delete_topic("a")
