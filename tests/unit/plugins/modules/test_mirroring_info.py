# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import mirroring_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    SOURCE,
    TARGET,
    FakeClock,
    crn,
    operation,
    policy_v1,
)

ECHO = {"mirroring": {"source_crn": crn(), "source_alias": "us-south", "target_alias": "us-east"}}
RUNNING = {"last_operation": operation("in progress", "update")}


def options(cloud: Cloud, **changes: t.Any) -> dict[str, t.Any]:
    return {**cloud.base, "target": TARGET, "source": SOURCE, "topics": ["^orders$"], **changes}


def look(
    cloud: Cloud, selection: list[str] | None, active: list[str] | None, target: dict[str, int], **source: int
) -> None:
    cloud.selection(selection)
    cloud.topics("target", **target)
    cloud.topics("source", **(source or {"orders": 6}))
    cloud.active(active)


def test_the_target_alone(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.selection(["^a$"])
    cloud.topics("target", us__checkpoints__internal=1)
    cloud.active(["a"])
    ran = run_main(mirroring_info, {**cloud.base, "target": TARGET})
    assert (ran.code, ran.result["verdict"], ran.result["findings"]) == (0, None, [])
    assert ran.result["topics"] == ["^a$"]
    assert ran.result["active_topics"] == ["a"]
    assert ran.result["mirroring"]["source_alias"] == "us"
    assert ran.result["mirroring"]["known"] == {
        "enabled": "observed",
        "source_crn": "unknown",
        "source_alias": "inferred",
        "target_alias": "unknown",
        "topic_name_transform": "unknown",
        "group_id_transform": "unknown",
        "schemas": "unknown",
    }
    assert any("enabled: True (observed)" in line for line in ran.result["summary"])
    assert KEY not in ran.text


def test_a_target_that_is_off(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance()
    cloud.selection(None)
    cloud.active(None)
    ran = run_main(mirroring_info, {**cloud.base, "target": TARGET})
    assert ran.result["mirroring"]["enabled"] is False
    assert ran.result["topics"] is None
    assert ran.result["active_topics"] is None


@pytest.mark.parametrize("check", [False, True])
def test_a_pair_that_mirrors(check: bool, cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO)
    cloud.instance("source")
    cloud.policies(ACCOUNT, policy_v1(), enough=True)
    look(cloud, ["^orders$"], ["orders"], {"orders__us-south": 6})
    ran = run_main(mirroring_info, options(cloud), check=check)
    assert (ran.result["verdict"], ran.result["problems"]) == ("mirroring", "")
    assert {one["rule"]: one["status"] for one in ran.result["findings"]} == {
        "operation": "pass",
        "enabled": "pass",
        "settings": "pass",
        "selection": "pass",
        "source": "pass",
        "active_topics": "pass",
        "remote_topics": "pass",
        "authorization": "pass",
    }
    assert [one["remote_topic"] for one in ran.result["preview"]] == ["orders.us-south"]
    assert ran.result["summary"][0] == "us-south -> us-east: mirroring"
    assert cloud.writes() == []


def test_briefly(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO)
    cloud.instance("source")
    cloud.policies(ACCOUNT)
    look(cloud, ["^orders$"], ["orders"], {"orders__us-south": 6})
    ran = run_main(mirroring_info, options(cloud, brief=True))
    assert [one["rule"] for one in ran.result["findings"]] == ["authorization"]
    assert ran.result["passed"] == [
        "operation",
        "enabled",
        "settings",
        "selection",
        "source",
        "active_topics",
        "remote_topics",
    ]
    assert "instance" not in ran.result
    assert ran.result["findings"][0]["status"] == "unknown"


def test_a_running_operation_is_waited_for_when_asked(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO, **RUNNING)
    cloud.instance("source")
    cloud.instance(parameters=ECHO, **RUNNING)
    cloud.instance(parameters=ECHO)
    cloud.policies(ACCOUNT, policy_v1(), enough=True)
    look(cloud, ["^orders$"], ["orders"], {"orders__us-south": 6})
    ran = run_main(mirroring_info, options(cloud, wait=True))
    assert ran.result["verdict"] == "mirroring"
    assert ran.result["duration"] > 5


def test_a_running_operation_is_only_told_otherwise(cloud: Cloud, clock: FakeClock) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO, **RUNNING)
    cloud.instance("source")
    cloud.policies(ACCOUNT, policy_v1(), enough=True)
    look(cloud, ["^orders$"], ["orders"], {"orders__us-south": 6})
    result = run_main(mirroring_info, options(cloud)).result
    assert (result["verdict"], result["accepted"]) == ("pending", True)
    assert clock.slept == []


def test_topics_are_waited_for(cloud: Cloud, clock: FakeClock) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO)
    cloud.instance("source")
    cloud.policies(ACCOUNT, policy_v1(), enough=True)
    look(cloud, ["^orders$"], [], {})
    look(cloud, ["^orders$"], ["orders"], {"orders__us-south": 6})
    ran = run_main(mirroring_info, options(cloud, wait=True))
    assert ran.result["verdict"] == "mirroring"
    assert len(clock.slept) == 1


def test_topics_that_never_appear(cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO)
    cloud.instance("source")
    cloud.policies(ACCOUNT, policy_v1(), enough=True)
    look(cloud, ["^orders$"], [], {})
    ran = run_main(mirroring_info, options(cloud, wait=True, topics_timeout=0))
    assert (ran.code, ran.result["verdict"], ran.result["accepted"]) == (0, "not_mirroring", False)
    assert "Missing on the target: orders.us-south" in ran.result["problems"]


@pytest.mark.parametrize(("wait", "accepted"), [(False, True), (True, False)])
def test_an_update_that_nobody_waits_for_is_no_failure_yet(wait: bool, accepted: bool, cloud: Cloud) -> None:
    cloud.token()
    cloud.instance(parameters=ECHO)
    cloud.instance("source")
    cloud.policies(ACCOUNT, policy_v1(), enough=True)
    look(cloud, ["^orders$"], [], {})
    given = options(cloud, wait=wait, topics_timeout=0, update_pending=True)
    result = run_main(mirroring_info, given).result
    assert (result["verdict"], result["accepted"]) == ("not_mirroring", accepted)


def test_what_this_run_would_do_counts_as_done(cloud: Cloud) -> None:
    for assume, verdict in ((True, "predicted"), (False, "not_mirroring")):
        cloud.token()
        cloud.instance()
        cloud.instance("source")
        cloud.policies(ACCOUNT, policy_v1("other", SOURCE, TARGET))
        look(cloud, None, None, {})
        ran = run_main(mirroring_info, options(cloud, assume_changes=assume), check=True)
        assert ran.result["verdict"] == verdict
        assert bool(ran.result["problems"]) is not assume


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": ["("]}, "not a usable topic pattern"),
        ({"source": "crn:v1:oops"}, "source is not the CRN"),
        ({"poll_interval": 0}, "poll_interval is 0"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(mirroring_info, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"max_lag": -1}, "max_lag must be 0 or more"),
        ({"max_lag": float("nan")}, "max_lag must be 0 or more"),
        ({"wait_for_lag": True}, "wait_for_lag is set without max_lag"),
        ({"max_lag": 60, "source": None}, "max_lag is set without source"),
    ],
)
def test_limits_for_lag_are_checked_before_anything_is_sent(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    given = {name: value for name, value in options(cloud, **changes).items() if value is not None}
    ran = run_main(mirroring_info, given)
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.calls() == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"page": "pair.html"}, "no absolute path"),
        ({"page": "/"}, "no absolute path"),
        ({"page": "/pair.html", "source": None}, "page is set without source"),
    ],
)
def test_pages_that_cannot_be_written_are_refused_before_anything_is_sent(
    changes: dict[str, t.Any], told: str, cloud: Cloud
) -> None:
    given = {name: value for name, value in options(cloud, **changes).items() if value is not None}
    ran = run_main(mirroring_info, given)
    assert ran.failed
    assert told in ran.result["msg"]
    assert cloud.server.calls() == []
