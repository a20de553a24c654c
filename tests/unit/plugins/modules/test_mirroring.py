# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import mirroring
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    FakeClock,
    crn,
    jwt,
    operation,
    policy_v1,
)

ECHO = {"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east"}
RUNNING = {"last_operation": operation("in progress", "update", "Update in progress."), "updated_at": "T1"}
DONE = {"last_operation": operation("succeeded", "update", "Update succeeded."), "updated_at": "T2"}
BROKEN = {"last_operation": operation("failed", "update", "not authorized"), "updated_at": "T2"}
REFUSED = {"error_code": "RC-ServiceBrokerErrorResponse", "message": "[403] not authorized", "status_code": 422}


def options(cloud: Cloud, **changes: t.Any) -> dict[str, t.Any]:
    return {**cloud.base, "target": TARGET, "source": crn(), **changes}


def capacity(**more: t.Any) -> dict[str, t.Any]:
    return {"parameters": {"throughput": "150", "storage_size": "2048", **more}}


def begin(cloud: Cloud, selection: list[str] | None = None, **changes: t.Any) -> None:
    cloud.token()
    cloud.instance(**changes)
    cloud.selection(selection)


def begin_writing(cloud: Cloud, selection: list[str] | None = None, **changes: t.Any) -> None:
    """What is written is decided by two looks."""
    begin(cloud, selection, **changes)
    cloud.instance(**changes)
    cloud.selection(selection)


def test_enabling(cloud: Cloud) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING), status=202)
    cloud.instance(**RUNNING)
    cloud.instance(**DONE)
    cloud.selection([])
    ran = run_main(mirroring, options(cloud))
    assert (ran.code, ran.result["changed"], ran.result["action"]) == (0, True, "enabled")
    assert ran.result["mirroring"]["enabled"] is True
    assert ran.result["updates_sent"] == 1
    assert ran.result["waiting"] is False
    assert ran.result["operation"]["state"] == "succeeded"
    assert ran.result["diff"]["before"]["enabled"] is False
    assert ran.result["diff"]["after"]["enabled"] is True
    assert ran.result["authorization_delay"] is None
    assert ran.result["duration"] > 5
    assert KEY not in ran.text
    assert jwt() not in ran.text


def test_check_mode_writes_nothing(cloud: Cloud) -> None:
    begin(cloud)
    ran = run_main(mirroring, options(cloud, schemas="proxied"), check=True)
    assert (ran.result["changed"], ran.result["action"], ran.result["updates_sent"]) == (True, "enabled", 0)
    assert ran.result["diff"]["before"]["enabled"] is False
    assert ran.result["diff"]["after"] == {
        "enabled": True,
        **ECHO,
        "topic_name_transform": None,
        "group_id_transform": None,
        "schemas": "proxied",
    }
    assert cloud.writes() == []


@pytest.mark.parametrize("check", [False, True])
def test_a_second_run_changes_nothing(check: bool, cloud: Cloud) -> None:
    begin(cloud, ["^a$"], **capacity(mirroring=ECHO))
    ran = run_main(mirroring, options(cloud), check=check)
    assert (ran.result["changed"], ran.result["action"]) == (False, "none")
    assert ran.result["mirroring"]["known"]["source_crn"] == "echoed"
    assert ran.result["diff"] == {"before": {}, "after": {}}
    assert cloud.writes() == []


def test_an_enabled_pair_that_cannot_be_read_is_left_alone(cloud: Cloud) -> None:
    begin(cloud, [])
    ran = run_main(mirroring, options(cloud))
    assert (ran.result["changed"], ran.result["action"]) == (False, "left_alone")
    assert "force: true" in ran.warnings


def test_force_sends_the_settings_again(cloud: Cloud) -> None:
    begin_writing(cloud, [])
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING))
    cloud.instance(**DONE)
    cloud.selection([])
    ran = run_main(mirroring, options(cloud, force=True))
    assert (ran.result["changed"], ran.result["updates_sent"]) == (True, 1)


def test_without_waiting(cloud: Cloud, clock: FakeClock) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING))
    ran = run_main(mirroring, options(cloud, wait=False))
    assert (ran.result["changed"], ran.result["waiting"]) == (True, True)
    assert ran.result["mirroring"]["enabled"] is None
    assert set(ran.result["mirroring"]["known"].values()) == {"unknown"}
    assert ran.result["operation"]["state"] == "in progress"
    assert clock.slept == [pytest.approx(0.5, rel=0.2)]


@pytest.mark.parametrize(("throughput", "sent"), [("150", {}), ("300", {"throughput": "300"})])
def test_throughput_goes_along_above_150(throughput: str, sent: dict[str, str], cloud: Cloud) -> None:
    begin_writing(cloud, parameters={"throughput": throughput})
    cloud.patch({**sent, "mirroring": ECHO}, cloud.document(**RUNNING))
    assert run_main(mirroring, options(cloud, wait=False)).result["changed"] is True


def test_throughput_that_the_target_does_not_show_is_the_sources(cloud: Cloud) -> None:
    begin_writing(cloud, parameters={})
    cloud.instance("source", parameters={"throughput": "450"})
    cloud.patch({"throughput": "450", "mirroring": ECHO}, cloud.document(**RUNNING))
    assert run_main(mirroring, options(cloud, wait=False)).result["changed"] is True


def test_a_given_throughput_needs_no_look_at_the_source(cloud: Cloud) -> None:
    begin_writing(cloud, parameters={})
    cloud.patch({"throughput": "300", "mirroring": ECHO}, cloud.document(**RUNNING))
    assert run_main(mirroring, options(cloud, wait=False, throughput=300)).result["changed"] is True


def test_options_of_enabling(cloud: Cloud) -> None:
    begin_writing(cloud)
    rename = {"type": "rename", "rename": {"add_prefix": "x-"}}
    settings = {
        "source_crn": crn(),
        "source_alias": "a",
        "target_alias": "b",
        "options": {"topic_name_transform": rename, "group_id_transform": {"type": "none"}},
        "schemas": "proxied",
    }
    cloud.patch({"mirroring": settings}, cloud.document(**RUNNING))
    given = options(
        cloud,
        wait=False,
        source_alias="a",
        target_alias="b",
        topic_name_transform=rename,
        group_id_transform={"type": "none"},
        schemas="proxied",
    )
    assert run_main(mirroring, given).result["changed"] is True


def test_other_settings_are_refused(cloud: Cloud) -> None:
    begin(cloud, ["^a$"], **capacity(mirroring={**ECHO, "source_alias": "old"}))
    ran = run_main(mirroring, options(cloud))
    assert ran.failed
    assert "source_alias is 'old', wanted 'us-south'" in ran.result["msg"]
    assert ran.result["failure"]["differences"] == {"source_alias": {"before": "old", "after": "us-south"}}
    assert cloud.writes() == []


def test_recreating_keeps_the_selection(cloud: Cloud) -> None:
    begin_writing(cloud, ["^a$"], **capacity(mirroring={**ECHO, "source_alias": "old"}))
    cloud.patch({"mirroring": {"disable": True}}, cloud.document(**RUNNING))
    for _dummy in range(2):
        cloud.instance(**DONE)
        cloud.selection(None)
    cloud.patch({"mirroring": ECHO}, cloud.document(last_operation=operation("in progress", "update"), updated_at="T3"))
    cloud.instance(last_operation=operation("in progress", "update"), updated_at="T3")
    cloud.instance(last_operation=operation("succeeded", "update"), updated_at="T4")
    cloud.selection([])
    cloud.server.expect(
        "POST", "/target/admin/mirroring/topic-selection", {"includes": ["^a$"]}, body={"includes": ["^a$"]}
    )
    cloud.selection(["^a$"])
    cloud.selection(["^a$"])
    ran = run_main(mirroring, options(cloud, recreate=True))
    assert (ran.result["changed"], ran.result["action"], ran.result["updates_sent"]) == (True, "recreated", 2)
    assert ran.result["diff"]["before"]["source_alias"] == "old"


def test_a_refusal_with_an_old_authorization_fails_at_once(cloud: Cloud, clock: FakeClock) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, REFUSED, status=422)
    cloud.instance()
    cloud.policies(ACCOUNT, policy_v1(created_at="2025-12-31T23:00:00Z"))
    ran = run_main(mirroring, options(cloud))
    assert ran.failed
    assert "[403] not authorized (HTTP 422, code RC-ServiceBrokerErrorResponse" in ran.result["msg"]
    assert ran.result.get("changed", False) is False
    assert clock.slept == [pytest.approx(0.5, rel=0.2)]


def test_a_refusal_with_a_young_authorization_is_tried_again(cloud: Cloud) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, REFUSED, status=422)
    cloud.instance()
    cloud.instance()
    cloud.selection(None)
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING))
    cloud.instance(**DONE)
    cloud.selection([])
    ran = run_main(mirroring, options(cloud, authorized_at="2026-01-01T00:16:00Z"))
    assert (ran.code, ran.result["updates_sent"]) == (0, 1)
    assert ran.result["authorization_delay"] >= 40


def test_a_failed_operation_shows_the_services_words(cloud: Cloud) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING))
    cloud.instance(**BROKEN)
    cloud.selection(None)
    cloud.policies(ACCOUNT)
    ran = run_main(mirroring, options(cloud))
    assert ran.failed
    assert (
        "enable mirroring us-south -> us-east: the service reports update failed: not authorized" in ran.result["msg"]
    )
    assert ran.result["failure"]["kind"] == "operation_failed"
    assert ran.result["changed"] is True


def test_a_running_operation_is_joined(cloud: Cloud) -> None:
    begin(cloud, **RUNNING, **capacity(mirroring=ECHO))
    cloud.instance(**DONE, **capacity(mirroring=ECHO))
    cloud.selection([])
    ran = run_main(mirroring, options(cloud))
    assert (ran.result["changed"], ran.result["action"]) == (False, "joined")
    assert cloud.writes() == []


@pytest.mark.parametrize(("echo", "action"), [({"mirroring": ECHO}, "joined"), ({}, "pending")])
@pytest.mark.parametrize("how", [{"check": True}, {"check": False}])
def test_a_running_operation_that_is_not_waited_for(
    echo: dict[str, t.Any], action: str, how: dict[str, bool], cloud: Cloud
) -> None:
    begin(cloud, **RUNNING, **capacity(**echo))
    ran = run_main(mirroring, options(cloud, wait=False), **how)
    assert (ran.result["changed"], ran.result["action"], ran.result["waiting"]) == (False, action, True)
    assert cloud.writes() == []


def test_the_time_limit(cloud: Cloud) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING))
    cloud.instance(**RUNNING)
    ran = run_main(mirroring, options(cloud, wait_timeout=1))
    assert ran.failed
    assert ran.result["failure"]["kind"] == "wait_expired"
    assert "Update in progress." in ran.result["msg"]
    assert ran.result["changed"] is True


def test_disabling(cloud: Cloud) -> None:
    begin_writing(cloud, ["^a$"], parameters={"throughput": "300"})
    cloud.patch({"throughput": "300", "mirroring": {"disable": True}}, cloud.document(**RUNNING))
    cloud.instance(**DONE)
    cloud.selection(None)
    ran = run_main(mirroring, {**cloud.base, "target": TARGET, "state": "absent"})
    assert (ran.result["changed"], ran.result["action"]) == (True, "disabled")
    assert ran.result["mirroring"]["enabled"] is False


@pytest.mark.parametrize("check", [False, True])
def test_disabling_what_is_off(check: bool, cloud: Cloud) -> None:
    begin(cloud)
    ran = run_main(mirroring, {**cloud.base, "target": TARGET, "state": "absent"}, check=check)
    assert (ran.result["changed"], ran.result["action"]) == (False, "none")


def test_what_cannot_be_found_out_is_not_guessed(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.selection(None, status=403)
    ran = run_main(mirroring, options(cloud))
    assert ran.failed
    assert ran.result["failure"]["kind"] == "cannot_tell"
    assert "HTTP 403" in ran.result["msg"]
    assert cloud.writes() == []


def test_a_locked_target(cloud: Cloud) -> None:
    begin(cloud, locked=True)
    ran = run_main(mirroring, options(cloud))
    assert "is locked, so it cannot be updated" in ran.result["msg"]
    assert cloud.writes() == []


def test_a_target_of_another_plan(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(resource_plan_id="enterprise-gen2")
    ran = run_main(mirroring, options(cloud))
    assert "enterprise-gen2" in ran.result["msg"]
    assert "Gen 1" in ran.result["msg"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": None}, "source"),
        ({"target": None}, "target"),
        ({"source": "crn:v1:oops"}, "source is not the CRN"),
        ({"authorized_at": "yesterday"}, "authorized_at is no ISO 8601 time: 'yesterday'"),
        ({"poll_interval": 0}, "poll_interval is 0"),
        ({"wait_timeout": -1}, "wait_timeout is -1"),
        ({"group_id_transform": {"type": "use_alias"}}, "value of type must be one of"),
        ({"topic_name_transform": {"type": "rename", "rename": {}}}, "renames nothing"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(mirroring, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.received == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": crn(TARGET)}, "source and target are the same instance"),
        ({"source": crn(SOURCE, "us-east")}, "both instances are in us-east"),
        ({"source_alias": "x", "target_alias": "x"}, "are both 'x'"),
        ({"source_alias": "a b"}, "source_alias 'a b'"),
    ],
)
def test_pairs_that_cannot_work(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    ran = run_main(mirroring, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]


def test_recreating_without_waiting_tells_what_was_selected(cloud: Cloud) -> None:
    """It is not known whether disabling drops the selection, and nobody is there to restore it."""
    begin_writing(cloud, ["^a$"], **capacity(mirroring={**ECHO, "source_alias": "old"}))
    cloud.patch({"mirroring": {"disable": True}}, cloud.document(**RUNNING))
    for _dummy in range(2):
        cloud.instance(**DONE)
        cloud.selection(None)
    cloud.patch({"mirroring": ECHO}, cloud.document(**RUNNING))
    ran = run_main(mirroring, options(cloud, recreate=True, wait=False))
    assert (ran.result["action"], ran.result["waiting"]) == ("recreated", True)
    assert "The topic selection was ['^a$']" in ran.warnings


def test_somebody_elses_update_is_judged_like_one_that_was_found(cloud: Cloud) -> None:
    """It came between two looks, and nothing shows from where it mirrors."""
    begin(cloud)
    cloud.instance(**DONE)
    cloud.selection([])
    ran = run_main(mirroring, options(cloud))
    assert (ran.result["changed"], ran.result["action"], ran.result["updates_sent"]) == (False, "left_alone", 0)
    assert "does not show its source_crn" in ran.warnings


@pytest.mark.parametrize(
    ("status", "told", "not_told"),
    [
        (403, "Give the identity the missing role", "plans"),
        (404, "Check the name or id", "plans"),
        (422, "Check the authorization", "missing role"),
        (400, "Check the authorization", "missing role"),
    ],
)
def test_the_remedy_fits_the_refusal(cloud: Cloud, status: int, told: str, not_told: str) -> None:
    begin_writing(cloud)
    cloud.patch({"mirroring": ECHO}, {"message": "no"}, status=status)
    cloud.instance()
    cloud.policies(ACCOUNT)
    ran = run_main(mirroring, options(cloud))
    assert told in ran.result["msg"]
    assert not_told not in ran.result["msg"]
