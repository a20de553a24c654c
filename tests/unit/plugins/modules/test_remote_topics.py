# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import remote_topics
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, Ran, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    KEY,
    SOURCE,
    TARGET,
    TOKEN_FORM,
    FakeClock,
    crn,
    operation,
    token_reply,
)

TOPICS = {"audit__us-south": 6, "orders__us-south": 3, "local": 1, "us-south__checkpoints__internal": 1}
AUDIT, ORDERS = "audit.us-south", "orders.us-south"


def run(cloud: Cloud, *delete: str, check: bool = False, **changes: t.Any) -> Ran:
    options = {"target": TARGET, "source": crn(), "delete": list(delete), "confirm": [TARGET], **changes}
    return run_main(remote_topics, {**cloud.base, **options}, check=check)


def begin(
    cloud: Cloud,
    selection: list[str] | None = None,
    active: t.Sequence[str] = (),
    deletes: bool = True,
    **document: t.Any,
) -> None:
    """Everything that is read before anything is deleted; that mirroring is off is then looked at more closely."""
    cloud.token()
    cloud.instance(**document)
    cloud.topics("target", **TOPICS)
    cloud.selection(selection)
    if selection is not None:
        cloud.active(list(active))
    elif deletes:
        cloud.selection(None)
        cloud.active(None)


def expect_delete(cloud: Cloud, name: str = AUDIT, status: int = 202, reply: t.Any = None, **details: t.Any) -> None:
    cloud.server.expect(
        "DELETE", f"/target/admin/topics/{name}", reply, status=status, headers=cloud.headers, **details
    )


def listed(cloud: Cloud, *without: str) -> None:
    """The list of topics, after some were deleted."""
    cloud.topics(
        "target", **{name: number for name, number in TOPICS.items() if name.replace("__", ".") not in without}
    )


def test_listing(cloud: Cloud) -> None:
    begin(cloud, ["^orders$"], ["orders"])
    ran = run(cloud)
    assert [(one["name"], one["base"], one["partitions"], one["fed"]) for one in ran.result["remote_topics"]] == [
        (AUDIT, "audit", 6, False),
        (ORDERS, "orders", 3, True),
    ]
    assert (ran.result["changed"], ran.result["planned"], ran.result["enabled"]) == (False, [], True)
    assert ran.result["aliases"] == {"source": "us-south", "target": "us-east"}
    assert ran.result["instance"]["guid"] == TARGET
    assert ran.result["diff"] == {"before": {}, "after": {}}
    assert ran.result["summary"][0].startswith("us-south -> us-east: remote topics on es-target (")
    assert "no local topic" not in ran.text and ".us-south would be listed, too" in ran.result["summary"][-1]
    assert cloud.writes() == []
    assert KEY not in ran.text


def test_deleting(cloud: Cloud, clock: FakeClock) -> None:
    begin(cloud)
    expect_delete(cloud)
    listed(cloud)
    listed(cloud, AUDIT)
    ran = run(cloud, AUDIT, "gone.us-south")
    assert (ran.result["changed"], ran.result["deleted"], ran.result["missing"]) == (True, [AUDIT], ["gone.us-south"])
    assert [one["name"] for one in ran.result["remote_topics"]] == [ORDERS]
    assert ran.result["diff"] == {"before": {"remote_topics": [AUDIT, ORDERS]}, "after": {"remote_topics": [ORDERS]}}
    assert "deleted on es-target" in ran.result["summary"][0]
    assert not any("To be deleted" in line for line in ran.result["summary"])
    assert 0 < sum(clock.slept) < 10


@pytest.mark.parametrize("confirm", [[TARGET], [], ["somebody else"]])
def test_check_mode(confirm: list[str], cloud: Cloud) -> None:
    begin(cloud)
    ran = run(cloud, check=True, delete_matching=[".*"], confirm=confirm)
    assert (ran.result["changed"], ran.result["deleted"]) == (True, [AUDIT, ORDERS])
    assert (ran.result["remote_topics"], ran.result["awaits_confirmation"]) == ([], False)
    assert cloud.writes() == []


@pytest.mark.parametrize(
    ("confirm", "confirmed"),
    [
        (["es-target"], True),
        ([TARGET], True),
        ([TARGET.upper()], True),
        ([crn(TARGET, "us-east")], True),
        ([crn(TARGET, "us-east").rstrip(":")], True),
        (["other", " es-target "], True),
        ("other, es-target", True),
        ([], False),
        ("", False),
        (["es-targe"], False),
        (["ES-TARGET"], False),
        ([SOURCE], False),
        ([crn()], False),
        ([True], False),
        ([".*"], False),
    ],
)
def test_who_confirms_names_the_instance(confirm: t.Any, confirmed: bool, cloud: Cloud) -> None:
    begin(cloud)
    if confirmed:
        expect_delete(cloud)
        listed(cloud, AUDIT)
    ran = run(cloud, AUDIT, confirm=confirm)
    assert ran.failed is not confirmed
    if not confirmed:
        assert "deleting 1 topic cannot be undone and is not confirmed" in ran.result["msg"]
        assert "set confirm: [es-target]" in ran.result["msg"]
        assert ran.result["failure"]["kind"] == "not_confirmed"
        assert cloud.writes() == []


@pytest.mark.parametrize("confirm", [[TARGET], []])
def test_only_listing_tells_the_plan(confirm: list[str], cloud: Cloud) -> None:
    begin(cloud, deletes=False)
    ran = run(cloud, AUDIT, list_only=True, confirm=confirm)
    assert (ran.result["changed"], ran.result["planned"], ran.result["deleted"]) == (False, [AUDIT], [])
    assert (ran.result["confirmed"], ran.result["awaits_confirmation"]) == (bool(confirm), not confirm)
    assert (ran.result["problems"], len(ran.result["remote_topics"])) == ("", 2)
    assert cloud.writes() == []


def test_only_listing_tells_what_stands_in_the_way(cloud: Cloud) -> None:
    begin(cloud, ["^orders$"])
    ran = run(cloud, AUDIT, ORDERS, "local", list_only=True)
    assert not ran.failed
    assert ran.result["planned"] == []
    assert "orders.us-south: the selection has ^orders$" in ran.result["problems"]
    assert "local: no remote topic" in ran.result["problems"]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", [ORDERS, "local", "us-south.checkpoints.internal"])
def test_with_one_that_must_stay_nothing_is_deleted(name: str, check: bool, cloud: Cloud) -> None:
    begin(cloud, ["^orders$"])
    ran = run(cloud, AUDIT, name, check=check)
    assert ran.failed
    assert f"nothing was deleted: {name}: " in ran.result["msg"]
    assert "Instance: es-target" in ran.result["msg"]
    assert ran.result["failure"]["kind"] == "not_deletable"
    assert cloud.writes() == []


def test_nothing_is_deleted_while_an_operation_runs(cloud: Cloud) -> None:
    begin(cloud, deletes=False, last_operation=operation("in progress", "update"))
    ran = run(cloud, delete_matching=[".*"])
    assert "an operation of the target is running" in ran.result["msg"]
    assert cloud.writes() == []


def test_no_topics_are_read_no_plan_is_made(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.server.expect(
        "GET", "/target/admin/topics", status=403, query={"per_page": "1000", "page": "1"}, headers=cloud.headers
    )
    ran = run(cloud, AUDIT)
    assert "Failed to list the topics of es-target" in ran.result["msg"]


@pytest.mark.parametrize("source", ["es-source", SOURCE, crn(), "", None])
def test_with_an_alias_the_source_is_not_asked(source: str | None, cloud: Cloud) -> None:
    begin(cloud, deletes=False)
    ran = run(cloud, source=source, source_alias="us-south")
    assert len(ran.result["remote_topics"]) == 2
    assert SOURCE not in " ".join(cloud.server.calls())


def test_without_one_the_region_is_looked_up(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.instance("source")
    cloud.topics("target", **TOPICS)
    cloud.selection(None)
    assert run(cloud, source=SOURCE).result["aliases"]["source"] == "us-south"


def test_a_source_that_is_gone_is_told_with_the_way_round(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.instance("source", state="removed")
    ran = run(cloud, source=SOURCE)
    assert "If it is gone, give its CRN, or source_alias" in ran.result["msg"]


LOST = [{"fault": "reset"}, {"status": 503}, {"reply": "<html>"}, {"fault": "cut", "reply": {}}]


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_answer_is_looked_up(lost: dict[str, t.Any], cloud: Cloud) -> None:
    begin(cloud)
    expect_delete(cloud, **lost)
    listed(cloud)
    listed(cloud, AUDIT)
    listed(cloud, AUDIT)
    assert run(cloud, AUDIT).result["deleted"] == [AUDIT]
    assert len(cloud.writes()) == 1


def test_a_lost_answer_that_did_nothing_is_sent_again_when_it_can_do_nothing_any_more(
    cloud: Cloud, clock: FakeClock
) -> None:
    begin(cloud)
    expect_delete(cloud, status=502)
    for _look in range(6):
        listed(cloud)
    expect_delete(cloud)
    listed(cloud, AUDIT)
    assert run(cloud, AUDIT, settle_timeout=30).result["changed"] is True
    assert sum(clock.slept) >= 30


def test_what_is_throttled_is_sent_again_at_once(cloud: Cloud, clock: FakeClock) -> None:
    begin(cloud)
    expect_delete(cloud, status=429)
    expect_delete(cloud)
    listed(cloud, AUDIT)
    assert run(cloud, AUDIT).result["deleted"] == [AUDIT]
    assert sum(clock.slept) < 5


def test_what_is_being_deleted_already_is_waited_for(cloud: Cloud) -> None:
    begin(cloud)
    expect_delete(cloud, status=404)
    listed(cloud)
    listed(cloud, AUDIT)
    assert run(cloud, AUDIT).result["deleted"] == [AUDIT]


@pytest.mark.parametrize(("status", "told"), [(202, "still listed 0 s after"), (404, "goes on listing it")])
def test_what_goes_on_being_listed_is_told(status: int, told: str, cloud: Cloud) -> None:
    begin(cloud)
    expect_delete(cloud, status=status)
    listed(cloud)
    ran = run(cloud, AUDIT, settle_timeout=0)
    assert told in ran.result["msg"] and AUDIT in ran.result["msg"]
    assert ran.result["failure"]["still_listed"] == [AUDIT]
    assert ran.result["changed"] is (status == 202)


def test_a_refusal_in_between_tells_what_was_deleted_before(cloud: Cloud) -> None:
    begin(cloud)
    expect_delete(cloud)
    expect_delete(cloud, ORDERS, 422, {"error_code": 42200, "message": "not now"})
    ran = run(cloud, AUDIT, ORDERS)
    assert "not now (HTTP 422" in ran.result["msg"]
    assert f"Deleted before that: {AUDIT}." in ran.result["msg"]
    assert ran.result["failure"]["accepted"] == [AUDIT]
    assert ran.result["changed"] is True


def test_a_transform_without_the_alias(cloud: Cloud) -> None:
    for listing in (True, False):
        begin(cloud, deletes=not listing)
        ran = run(cloud, AUDIT, topic_name_transform={"type": "none"}, list_only=listing)
        assert "the topic_name_transform is none" in ran.result["problems" if listing else "msg"]
        assert ran.result.get("remote_topics", []) == []
    assert cloud.writes() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"delete_matching": ["("]}, "not a usable topic pattern: '('"),
        ({"delete_matching": [r"\p{L}+"]}, "delete_matching has what only the service's own"),
        ({"target": "crn:v1:oops"}, "target is not the CRN"),
        ({"source": "crn:v1:oops"}, "source is not the CRN"),
        ({"source": " "}, "source is empty"),
        ({"source": None}, "source_alias"),
        ({"settle_timeout": -1}, "settle_timeout is -1"),
        ({"topic_name_transform": {"type": "rename", "rename": {"add_prefix": "a b"}}}, "rename.add_prefix"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run(cloud, **changes)
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.received == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": crn(TARGET, "us-east")}, "source and target are the same instance"),
        ({"source": TARGET.upper(), "source_alias": "x"}, "source and target are the same instance"),
        ({"source_alias": "us-east"}, "are both 'us-east'"),
        ({"source_alias": "a b"}, "cannot be part of a topic name"),
    ],
)
def test_pairs_that_are_none(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    cloud.server.expect("POST", "/identity/token", token_reply(), form=TOKEN_FORM)
    cloud.instance()
    ran = run(cloud, **changes)
    assert told in ran.result["msg"]
    assert cloud.writes() == []
