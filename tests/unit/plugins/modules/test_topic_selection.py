# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import topic_selection
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import KEY, SOURCE, TARGET, FakeClock

PATH = "/target/admin/mirroring/topic-selection"


def options(cloud: Cloud, *topics: str, **changes: t.Any) -> dict[str, t.Any]:
    return {**cloud.base, "target": TARGET, "topics": list(topics), **changes}


def begin(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()


def expect_post(cloud: Cloud, patterns: list[str], reply: t.Any = None, **details: t.Any) -> None:
    reply = {"includes": patterns} if reply is None and not details else reply
    cloud.server.expect("POST", PATH, reply, body={"includes": patterns}, headers=cloud.headers, **details)


def test_replacing(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(["^old$", "^a$"])
    expect_post(cloud, ["^b$", "^a$"])
    cloud.selection(["^b$", "^a$"])
    ran = run_main(topic_selection, options(cloud, "^b$", "^a$", "^b$"))
    assert (ran.code, ran.result["changed"], ran.result["topics"]) == (0, True, ["^b$", "^a$"])
    assert ran.result["diff"] == {"before": {"topics": ["^a$", "^old$"]}, "after": {"topics": ["^a$", "^b$"]}}
    assert ran.result["preview"] is None
    assert ran.warnings == ""
    assert KEY not in ran.text


def test_what_a_task_wrote_is_told_for_records(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(["^old$"])
    expect_post(cloud, ["^b$"], {"includes": ["^b$"]}, reply_headers={"X-Global-Transaction-Id": "t-1"})
    cloud.selection(["^b$"])
    told = run_main(topic_selection, options(cloud, "^b$")).result["evidence"]
    (write,) = told.pop("writes")
    assert told["started_at"] <= write.pop("at") <= told["ended_at"]
    assert write == {"method": "POST", "path": PATH, "status": 200, "transaction_id": "t-1"}


def test_what_a_task_wrote_is_told_when_it_failed(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(["^old$"])
    expect_post(cloud, ["^b$"], {"message": "no"}, status=422)
    ran = run_main(topic_selection, options(cloud, "^b$"))
    (write,) = ran.result["evidence"]["writes"]
    assert ran.failed
    assert (write["status"], len(write["transaction_id"])) == (422, 36)


@pytest.mark.parametrize("check", [False, True])
def test_order_does_not_matter(check: bool, cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(["^b$", "^a$"])
    ran = run_main(topic_selection, options(cloud, "^a$", "^b$"), check=check)
    assert (ran.result["changed"], ran.result["topics"]) == (False, ["^b$", "^a$"])
    assert ran.result["diff"] == {"before": {}, "after": {}}
    assert cloud.writes() == []


def test_check_mode_writes_nothing(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection([""])
    ran = run_main(topic_selection, options(cloud, "^a$"), check=True)
    assert (ran.result["changed"], ran.result["topics"]) == (True, ["^a$"])
    assert ran.result["diff"] == {"before": {"topics": []}, "after": {"topics": ["^a$"]}}
    assert cloud.writes() == []


@pytest.mark.parametrize("topics", [[], [""]])
def test_selecting_nothing(topics: list[str], cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(["^a$"])
    expect_post(cloud, [""])
    cloud.selection([])
    assert run_main(topic_selection, options(cloud, *topics)).result["topics"] == []
    begin(cloud)
    cloud.selection([""])
    assert run_main(topic_selection, options(cloud, *topics)).result["changed"] is False


@pytest.mark.parametrize("lost", [{"fault": "reset"}, {"status": 503}, {"reply": "<html>"}])
def test_a_lost_answer_is_looked_up(lost: dict[str, t.Any], cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection([])
    expect_post(cloud, ["^a$"], **{"reply": None, "status": 200, **lost})
    cloud.selection(["^a$"])
    cloud.selection(["^a$"])
    assert run_main(topic_selection, options(cloud, "^a$")).result["changed"] is True


def test_a_lost_answer_that_did_nothing_is_sent_again(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection([])
    expect_post(cloud, ["^a$"], status=502)
    cloud.selection([])
    expect_post(cloud, ["^a$"])
    cloud.selection(["^a$"])
    assert run_main(topic_selection, options(cloud, "^a$")).result["changed"] is True


def test_what_is_shown_late_is_waited_for(cloud: Cloud, clock: FakeClock) -> None:
    begin(cloud)
    cloud.selection([])
    expect_post(cloud, ["^a$"])
    cloud.selection([])
    cloud.selection(["^a$"])
    assert run_main(topic_selection, options(cloud, "^a$")).result["topics"] == ["^a$"]
    assert 0 < sum(clock.slept) < 10


def test_what_somebody_else_sets_is_told(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection([])
    expect_post(cloud, ["^a$"])
    cloud.selection(["^theirs$"])
    ran = run_main(topic_selection, options(cloud, "^a$", settle_timeout=0))
    assert ran.failed
    assert "shows ['^theirs$']" in ran.result["msg"]
    assert ran.result["changed"] is True


@pytest.mark.parametrize("status", [403, 404])
def test_right_after_enabling_the_target_may_not_show_it_yet(status: int, cloud: Cloud, clock: FakeClock) -> None:
    begin(cloud)
    cloud.selection(None, status=status)
    cloud.selection([])
    expect_post(cloud, ["^a$"])
    cloud.selection(["^a$"])
    assert run_main(topic_selection, options(cloud, "^a$", just_enabled=True)).result["changed"] is True
    assert 0 < sum(clock.slept) < 10


@pytest.mark.parametrize("status", [403, 404])
def test_patience_right_after_enabling_ends(status: int, cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(None, status=status)
    ran = run_main(topic_selection, options(cloud, "^a$", just_enabled=True, settle_timeout=0))
    assert ran.failed
    assert f"HTTP {status}" in ran.result["msg"]


def test_mirroring_is_not_enabled(cloud: Cloud, clock: FakeClock) -> None:
    begin(cloud)
    cloud.selection(None)
    ran = run_main(topic_selection, options(cloud, "^a$"))
    assert ran.failed
    assert "mirroring is not enabled there" in ran.result["msg"]
    assert "Enable mirroring first" in ran.result["msg"]
    assert ran.result["failure"]["kind"] == "not_found"
    assert ran.result.get("changed", False) is False


def test_a_preview(cloud: Cloud) -> None:
    begin(cloud)
    cloud.instance("source")
    cloud.topics("source", orders=6, other=1, payments__eu=3)
    cloud.selection(["^orders$", "^pay.*"])
    ran = run_main(topic_selection, options(cloud, "^orders$", "^pay.*", source=SOURCE))
    assert [(one["topic"], one["remote_topic"], one["partitions"]) for one in ran.result["preview"]] == [
        ("orders", "orders.us-south", 6),
        ("payments.eu", "payments.eu.us-south", 3),
    ]


def test_a_preview_with_a_transform(cloud: Cloud) -> None:
    begin(cloud)
    cloud.instance("source")
    cloud.topics("source", app1__orders=6, orders=1)
    cloud.selection(["^orders$"])
    transform = {"type": "rename", "rename": {"remove_prefix": "app1.", "add_prefix": "dr-"}}
    ran = run_main(topic_selection, options(cloud, "^orders$", source=SOURCE, topic_name_transform=transform))
    assert [one["remote_topic"] for one in ran.result["preview"]] == ["dr-orders"]


def test_risky_patterns_are_warned_of(cloud: Cloud) -> None:
    begin(cloud)
    cloud.selection(["orders,payments"])
    ran = run_main(topic_selection, options(cloud, "orders,payments"))
    assert "not anchored" in ran.warnings
    assert "comma" in ran.warnings


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": ["("]}, "not a usable topic pattern: '('"),
        ({"topics": ["^a$", ""]}, "an empty pattern beside others"),
        ({"topics": None}, "topics"),
        ({"target": "crn:v1:oops"}, "target is not the CRN"),
        ({"topic_name_transform": {"type": "rename", "rename": {"add_prefix": "a b"}}}, "rename.add_prefix"),
        ({"topic_name_transform": {"type": "rename"}}, "rename"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(topic_selection, {**options(cloud, "^a$"), **changes})
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.received == []
