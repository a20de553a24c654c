# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._api import Api
from ansible_collections.mirrorops.event_streams.plugins.module_utils._call import PrivateReadStore, Read
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.iam import Iam
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import (
    Grant,
    Side,
    parse_policy,
    policy_body,
)
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import Http
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.scripted import Scripted
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    SOURCE,
    TARGET,
    THIRD,
    FakeClock,
    StaticBearer,
    make_api,
    make_call,
    policy_v1,
    policy_v2,
)


class Refused(StaticBearer):
    """An identity that gets its first token, and then none any more."""

    def current(self) -> str:
        if len(self.tokens) == 1:
            raise _errors.AuthenticationFailed("the API key is not accepted", status=400)
        return self.tokens.pop()


GRANT = Grant(Side(ACCOUNT, "messagehub", TARGET), Side(ACCOUNT, "messagehub", SOURCE))
QUERY = {"account_id": ACCOUNT, "type": "authorization"}


def iam(server: Scripted, clock: FakeClock | None = None) -> Iam:
    return Iam(make_api(server.url, make_call(clock or FakeClock())))


def expect_list(
    server: Scripted,
    version: str,
    policies: list[t.Any],
    following: t.Any = None,
    start: str | None = None,
    **more: t.Any,
) -> None:
    body = {"policies": policies, **({"next": following} if following is not None else {})}
    query = QUERY if start is None else {**QUERY, "start": start}
    server.expect("GET", f"/{version}/policies", body, query=query, **more)


def ids(server: Scripted) -> list[str]:
    return [policy.id for policy in iam(server).authorizations(ACCOUNT)]


def test_a_refused_key_does_not_mean_that_there_is_no_second_syntax(server: Scripted) -> None:
    expect_list(server, "v1", [policy_v1("a")])
    api = Api(Http(make_call()), server.url, Refused("t1", "t2"), "Transaction-Id")
    with pytest.raises(_errors.AuthenticationFailed, match="not accepted"):
        Iam(api).authorizations(ACCOUNT)


def test_both_syntaxes_are_read_and_each_policy_counts_once(server: Scripted) -> None:
    expect_list(server, "v1", [policy_v1("a"), policy_v1("b", state="deleted"), policy_v1("c", type="access"), None, 5])
    expect_list(server, "v2", [policy_v2("a"), policy_v2("d"), policy_v2("e", state="deleted")])
    assert ids(server) == ["a", "d"]


def test_all_pages_are_read(server: Scripted) -> None:
    host = "https://elsewhere.example.com/v1/policies"
    expect_list(server, "v1", [policy_v1("a")], {"start": "s1", "href": f"{host}?start=other"})
    expect_list(server, "v1", [policy_v1("b")], {"href": f"{host}?account_id=x&start=s%2F2&limit=1"}, "s1")
    expect_list(server, "v1", [], {"start": "s3"}, "s/2")
    expect_list(server, "v1", [policy_v1("c")], {}, "s3")
    expect_list(server, "v2", [policy_v2("d")], {"start": "t1"})
    expect_list(server, "v2", [], None, "t1")
    assert ids(server) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "following",
    [None, {}, {"start": None}, {"start": ""}, {"start": 5}, {"href": None}, {"href": "/v1/policies"}, "x", []],
)
def test_what_ends_a_list(following: t.Any, server: Scripted) -> None:
    expect_list(server, "v1", [policy_v1("a")], following)
    expect_list(server, "v2", [])
    assert ids(server) == ["a"]


def test_pages_without_end_are_an_error(server: Scripted) -> None:
    expect_list(server, "v1", [], {"start": "one"})
    expect_list(server, "v1", [], {"start": "two"}, "one")
    expect_list(server, "v1", [], {"start": "one"}, "two")
    with pytest.raises(_errors.UnusableAnswer, match="do not end"):
        ids(server)


PLACEHOLDER = {"type": "access", "roles": [{"role_id": "crn:v1:bluemix:public:iam::::role:UnsupportedVersion"}]}


def test_placeholders_are_resolved_at_the_configured_endpoint(server: Scripted) -> None:
    hidden = {**PLACEHOLDER, "id": "slip", "href": "https://evil.example.com/v2/policies/real%2F1"}
    listed = {**PLACEHOLDER, "id": "d", "href": "https://iam.cloud.ibm.com/v2/policies/d"}
    gone = {**PLACEHOLDER, "id": "gone"}
    expect_list(server, "v1", [hidden, listed, gone, policy_v1("a")])
    expect_list(server, "v2", [policy_v2("d")])
    server.expect("GET", "/v2/policies/real%252F1", policy_v2("real/1"))
    server.expect("GET", "/v2/policies/gone", status=404)
    assert ids(server) == ["a", "d", "real/1"]


def test_a_placeholder_that_is_there_twice_is_resolved_once(server: Scripted) -> None:
    hidden = policy_v1("a", href="https://iam.cloud.ibm.com/v2/policies/b")
    expect_list(server, "v1", [hidden, hidden])
    expect_list(server, "v2", [])
    server.expect("GET", "/v2/policies/b", status=404)
    assert ids(server) == []


@pytest.mark.parametrize("href", ["http://[", "//x]?start=a"])
def test_a_link_to_the_next_page_that_is_no_url(href: str, server: Scripted) -> None:
    expect_list(server, "v1", [], {"href": href})
    with pytest.raises(_errors.UnusableAnswer, match="no URL"):
        ids(server)


def test_a_placeholder_for_something_else_does_not_count(server: Scripted) -> None:
    expect_list(server, "v1", [{**PLACEHOLDER, "id": "x"}])
    expect_list(server, "v2", [])
    server.expect("GET", "/v2/policies/x", policy_v2("x", type="access"))
    assert ids(server) == []


@pytest.mark.parametrize("status", [400, 404])
def test_a_service_without_v2_authorizations(status: int, server: Scripted) -> None:
    expect_list(server, "v1", [policy_v1("a")])
    server.expect("GET", "/v2/policies", {"errors": [{"code": "unable_to_process"}]}, query=QUERY, status=status)
    assert ids(server) == ["a"]


@pytest.mark.parametrize(("version", "status"), [("v1", 400), ("v1", 403), ("v1", 404), ("v2", 403)])
def test_other_refusals_are_told(version: str, status: int, server: Scripted) -> None:
    if version == "v2":
        expect_list(server, "v1", [policy_v1("a")])
    reply = {"errors": [{"code": "insufficent_permissions", "message": "no"}], "status_code": status}
    server.expect("GET", f"/{version}/policies", reply, query=QUERY, status=status)
    with pytest.raises(
        _errors.ApiError, match=f"list the authorization policies of account {ACCOUNT}.*insufficent"
    ) as caught:
        ids(server)
    assert caught.value.status == status


@pytest.mark.parametrize("body", [[], {}, {"policies": None}, {"policies": {}}, "null"])
def test_what_is_no_list_of_policies(body: t.Any, server: Scripted) -> None:
    server.expect("GET", "/v1/policies", body, query=QUERY, reply_headers={"Transaction-Id": "t-1"})
    with pytest.raises(_errors.UnusableAnswer, match=r"no list of policies.*transaction t-1"):
        ids(server)


def test_creating(server: Scripted) -> None:
    server.expect("POST", "/v1/policies", policy_v1("new"), status=201, body=policy_body(GRANT, "why"))
    policy = iam(server).create(GRANT, "why")
    assert policy is not None
    assert policy.id == "new"
    assert policy.equals(GRANT)


CONFLICTS = {
    "id": {"errors": [{"code": "policy_conflict_error", "details": {"conflicts_with": {"policy": "p1"}}}]},
    "v1": {"errors": [{"code": "policy_conflict_error", "details": {"conflicts_with": {"policy": policy_v1()}}}]},
    "v2": {"errors": [{"code": "policy_conflict_error", "details": {"conflicts_with": {"policy": policy_v2()}}}]},
    "empty": {"errors": []},
    "null": {"errors": [{"code": "policy_conflict_error", "details": None}]},
    "array": [{"code": "policy_conflict_error"}],
    "html": "<h1>conflict</h1>",
    "nothing": None,
    "cut": '{"errors": [{"co',
}


@pytest.mark.parametrize("shape", CONFLICTS)
def test_a_conflict_means_that_it_is_there(shape: str, server: Scripted) -> None:
    server.expect("POST", "/v1/policies", CONFLICTS[shape], status=409, body=policy_body(GRANT, None))
    assert iam(server).create(GRANT, None) is None


@pytest.mark.parametrize("reply", [{}, [], {"id": ""}, None, "null"])
def test_a_creation_without_a_policy_in_the_answer_may_have_worked(reply: t.Any, server: Scripted) -> None:
    server.expect("POST", "/v1/policies", reply, status=201, body=policy_body(GRANT, None))
    with pytest.raises(_errors.UnusableAnswer) as caught:
        iam(server).create(GRANT, None)
    assert caught.value.processed == "maybe"


@pytest.mark.parametrize("status", [400, 403, 500])
def test_a_creation_that_is_refused(status: int, server: Scripted, clock: FakeClock) -> None:
    server.expect("POST", "/v1/policies", {"errors": [{"code": "x"}]}, status=status, body=policy_body(GRANT, None))
    with pytest.raises(_errors.ApiError, match="create the authorization policy") as caught:
        iam(server, clock).create(GRANT, None)
    assert caught.value.processed == ("maybe" if status == 500 else "no")
    assert clock.slept == []


@pytest.mark.parametrize("status", [200, 204, 404, 410])
@pytest.mark.parametrize("make", [policy_v1, policy_v2])
def test_deleting(status: int, make: t.Callable[..., dict[str, t.Any]], server: Scripted) -> None:
    policy = parse_policy(make("a/b"))
    assert policy is not None
    server.expect("DELETE", f"/{policy.version}/policies/a%2Fb", status=status)
    iam(server).delete(policy)


@pytest.mark.parametrize("status", [403, 409, 412, 503])
def test_a_deletion_that_is_refused(status: int, server: Scripted) -> None:
    policy = parse_policy(policy_v1("a"))
    assert policy is not None
    server.expect("DELETE", "/v1/policies/a", status=status)
    with pytest.raises(_errors.ApiError, match="delete the authorization policy a"):
        iam(server).delete(policy)


def concerning(server: Scripted) -> tuple[list[str], bool]:
    found = iam(server).concerning(ACCOUNT, GRANT)
    return [policy.id for policy in found.policies], found.none_shown


def test_the_second_syntax_is_asked_for_only_where_the_first_has_nothing_that_covers(server: Scripted) -> None:
    expect_list(server, "v1", [policy_v1("other", THIRD), policy_v1("a"), policy_v1("reversed", SOURCE, TARGET)])
    assert concerning(server) == (["a", "reversed"], False)


def test_policies_of_others_are_neither_returned_nor_nothing(server: Scripted) -> None:
    """That there are some proves that they may be seen, and so that the one that was looked for is not there."""
    expect_list(server, "v1", [policy_v1("other", THIRD)])
    expect_list(server, "v2", [policy_v2("another", resource=THIRD)])
    assert concerning(server) == ([], False)


def test_no_policies_at_all(server: Scripted) -> None:
    expect_list(server, "v1", [])
    expect_list(server, "v2", [])
    assert concerning(server) == ([], True)


def test_one_that_is_not_in_force_is_not_enough(server: Scripted) -> None:
    expect_list(server, "v1", [policy_v1("a", state="deleted")])
    expect_list(server, "v2", [policy_v2("b")])
    assert concerning(server) == (["b"], False)


GUIDS = [f"{number:08x}-aaaa-4bbb-8ccc-000000000000" for number in range(40)]
ANY = {"name": "serviceInstance", "operator": "stringMatch", "value": "*"}
EVERYBODYS = [policy_v1("all", None, None), policy_v1("*", None, None, subjects=[{"attributes": [ANY]}])]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_fleet_takes_a_list_apart_once(version: str, server: Scripted) -> None:
    """Each pair gets what may concern it, in the order of the service, whatever shares the instances fall into."""
    make = policy_v1 if version == "v1" else policy_v2
    fleet = [make(f"{one}/{number}", GUIDS[one], GUIDS[one - 1]) for number in range(2) for one in range(len(GUIDS))]
    first, second = [*fleet[:45], EVERYBODYS[0]], [*fleet[45:], EVERYBODYS[1]]
    if version == "v2":
        expect_list(server, "v1", [])
    expect_list(server, version, first, {"start": "p2"})
    expect_list(server, version, second, start="p2")
    call = make_call()
    for one in range(len(GUIDS)):
        api = Api(Http(call), server.url, StaticBearer("t1"), "Transaction-Id", max_age=300)
        grant = Grant(Side(ACCOUNT, "messagehub", GUIDS[one]), Side(ACCOUNT, "messagehub", GUIDS[one - 1]))
        found = Iam(api).concerning(ACCOUNT, grant)
        mine = (f"{one}/0", f"{one}/1", "all", "*")
        assert [policy.id for policy in found.policies] == [p["id"] for p in first + second if p["id"] in mine]
        assert (found.none_shown, api.reused) == (False, one > 0)


def test_that_there_is_no_second_list_is_not_remembered(server: Scripted) -> None:
    """It may be a slip of a gateway. What is behind the hints of the first list is asked for once."""
    call = make_call()
    expect_list(server, "v1", [policy_v1("other", THIRD), {**PLACEHOLDER, "id": "b"}])
    for number in range(2):
        server.expect("GET", "/v2/policies", {"errors": [{"code": "unable_to_process"}]}, query=QUERY, status=404)
        if not number:
            server.expect("GET", "/v2/policies/b", policy_v2("b"))
        api = Api(Http(call), server.url, StaticBearer("t1"), "Transaction-Id", max_age=300)
        assert [policy.id for policy in Iam(api).concerning(ACCOUNT, GRANT).policies] == ["b"]


def test_hints_that_have_changed_are_followed(server: Scripted) -> None:
    """The second list is not older than what it is put beside."""
    clock = FakeClock()
    call = make_call(clock)

    def look() -> list[str]:
        api = Api(Http(call), server.url, StaticBearer("t1"), "Transaction-Id", max_age=300)
        return [policy.id for policy in Iam(api).concerning(ACCOUNT, GRANT).policies]

    expect_list(server, "v1", [policy_v1("other", THIRD)])
    expect_list(server, "v2", [])
    assert look() == []
    clock.now += 200
    expect_list(server, "v1", [policy_v1("other", THIRD), {**PLACEHOLDER, "id": "b"}])
    api = Api(Http(call), server.url, StaticBearer("t1"), "Transaction-Id")
    expect_list(server, "v2", [])
    server.expect("GET", "/v2/policies/b", policy_v2("b"))
    assert [policy.id for policy in Iam(api).concerning(ACCOUNT, GRANT).policies] == ["b"]
    clock.now += 200
    assert look() == ["b"]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("status", [400, 404])
def test_a_list_that_ends_in_the_middle_is_not_taken_for_all(version: str, status: int, server: Scripted) -> None:
    if version == "v2":
        expect_list(server, "v1", [])
    expect_list(server, version, [policy_v1("other", THIRD)], {"start": "p2"})
    server.expect("GET", f"/{version}/policies", {}, query={**QUERY, "start": "p2"}, status=status)
    with pytest.raises(_errors.UnusableAnswer, match="ends in the middle"):
        concerning(server)


def test_that_there_is_nothing_behind_a_hint_is_not_remembered(server: Scripted) -> None:
    """It may be a slip of a gateway, too."""
    call = make_call()
    expect_list(server, "v1", [{**PLACEHOLDER, "id": "a"}, {**PLACEHOLDER, "id": "b"}])
    expect_list(server, "v2", [])
    server.expect("GET", "/v2/policies/a", policy_v2("a", resource=THIRD))
    server.expect("GET", "/v2/policies/b", {}, status=404)
    server.expect("GET", "/v2/policies/b", policy_v2("b"))
    for expected in ([], ["b"]):
        api = Api(Http(call), server.url, StaticBearer("t1"), "Transaction-Id", max_age=300)
        assert [policy.id for policy in Iam(api).concerning(ACCOUNT, GRANT).policies] == expected


def test_only_a_policy_answers_a_hint(server: Scripted) -> None:
    expect_list(server, "v1", [{**PLACEHOLDER, "id": "b"}])
    expect_list(server, "v2", [{"id": "b", "type": "unknown"}])
    server.expect("GET", "/v2/policies/b", policy_v2("b"))
    assert concerning(server) == (["b"], False)


def test_a_hint_to_what_the_first_list_has_in_full_is_none(server: Scripted) -> None:
    expect_list(server, "v1", [{**PLACEHOLDER, "id": "c"}, policy_v1("c", THIRD)])
    expect_list(server, "v2", [])
    assert concerning(server) == ([], False)


class Counting(PrivateReadStore):
    """Counts what it is given, and the characters that are taken out of it."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.taken = 0

    def put(self, key: str, read: Read) -> None:
        self.count += 1
        super().put(key, read)

    def get(self, key: str) -> Read | None:
        found = super().get(key)
        self.taken += len(json.dumps(found.body)) if found else 0
        return found


def found_among(others: int, server: Scripted, store: Counting, times: int, hub: str | None = None) -> None:
    policies = [policy_v1(f"{number}", hub or f"{number:08x}-a", f"{number:08x}-b") for number in range(others)]
    expect_list(server, "v1", [*policies, policy_v1("a")])
    for _dummy in range(times):
        call = dataclasses.replace(make_call(), reads=store)
        api = Api(Http(call), server.url, StaticBearer("t1"), "Transaction-Id", max_age=300)
        assert [policy.id for policy in Iam(api).concerning(ACCOUNT, GRANT).policies] == ["a"]


def test_shares_of_a_very_long_list_are_not_more_than_a_run_can_keep(server: Scripted) -> None:
    store = Counting()
    found_among(5000, server, store, times=1)
    assert 200 < store.count < 300


@pytest.mark.parametrize("hub", [None, TARGET])
@pytest.mark.parametrize("others", [100, 1000, 4000])
def test_what_a_pair_takes_up_does_not_grow_with_the_policies_of_others(
    others: int, hub: str | None, server: Scripted
) -> None:
    """Nor with those of its own hub, an instance that has to do with many."""
    store = Counting()
    found_among(others, server, store, times=2, hub=hub)
    assert 0 < store.taken < 50_000
