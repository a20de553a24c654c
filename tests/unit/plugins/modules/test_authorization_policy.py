# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.policies import Grant, Side, policy_body
from ansible_collections.mirrorops.event_streams.plugins.modules import authorization_policy
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    KEY,
    OTHER_ACCOUNT,
    SOURCE,
    TARGET,
    FakeClock,
    jwt,
    policy_v1,
    policy_v2,
)

GRANT = Grant(Side(ACCOUNT, "messagehub", TARGET), Side(ACCOUNT, "messagehub", SOURCE))
BODY = policy_body(GRANT, "Event Streams mirroring")


def options(cloud: Cloud, **changes: t.Any) -> dict[str, t.Any]:
    return {
        **cloud.base,
        "account_id": ACCOUNT,
        "source_service_instance_id": TARGET,
        "target_service_instance_id": SOURCE,
        **changes,
    }


def expect_creation(cloud: Cloud, reply: t.Any = None, status: int = 201, **details: t.Any) -> None:
    reply = policy_v1("new", created_at=None) if reply is None and status == 201 else reply
    cloud.server.expect(
        "POST", "/v1/policies", reply, status=status, body=details.pop("body", BODY), headers=cloud.headers, **details
    )


def test_creating(cloud: Cloud, clock: FakeClock) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("reversed", SOURCE, TARGET))
    expect_creation(cloud)
    ran = run_main(authorization_policy, options(cloud))
    assert (ran.code, ran.result["changed"], ran.result["exact"]) == (0, True, True)
    assert ran.result["policy"]["id"] == "new"
    assert ran.result["authorized_at"] == "2026-01-01T00:16:40Z", "by our own clock, which can be trusted for its age"
    assert ran.result["reversed_ids"] == ["reversed"]
    assert "wrong way round" in ran.warnings
    assert ran.result["diff"]["before"] == {"policy": None}
    assert ran.result["diff"]["after"]["policy"]["id"] == "new"
    assert KEY not in ran.text
    assert jwt() not in ran.text


def test_check_mode_writes_nothing(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT)
    ran = run_main(authorization_policy, options(cloud), check=True)
    assert (ran.result["changed"], ran.result["authorized_at"]) == (True, None)
    assert ran.result["diff"]["before"] == {"policy": None}
    assert ran.result["diff"]["after"]["policy"]["id"] is None
    assert ran.result["diff"]["after"]["policy"]["roles"] == ["Reader"]
    assert cloud.writes() == []


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("policies", "expected", "exact"),
    [
        ({"v1": [policy_v1("a")]}, "a", True),
        ({"v2": [policy_v2("a")]}, "a", True),
        ({"v1": [policy_v1("wide", None, None), policy_v1("a")]}, "a", True),
        ({"v1": [policy_v1("wide", None)]}, "wide", False),
        ({"v1": [policy_v1("reversed", SOURCE, TARGET)], "v2": [policy_v2("wide", resource=None)]}, "wide", False),
    ],
)
def test_what_is_there_is_adopted(
    policies: dict[str, t.Any], expected: str, exact: bool, check: bool, cloud: Cloud
) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, *policies.get("v1", []), v2=policies.get("v2", []), enough="v2" not in policies)
    ran = run_main(authorization_policy, options(cloud), check=check)
    assert (ran.result["changed"], ran.result["policy"]["id"], ran.result["exact"]) == (False, expected, exact)
    assert ran.result["authorized_at"] == "2026-01-01T10:00:00Z"
    assert ran.result["diff"] == {"before": {}, "after": {}}


def test_a_resource_group_helps_to_recognise_wider_policies(cloud: Cloud) -> None:
    group = {"name": "resourceGroupId", "value": "group-1"}
    wide = policy_v1("wide", None)
    wide["subjects"][0]["attributes"].append(group)
    cloud.token()
    cloud.policies(ACCOUNT, wide, enough=True)
    ran = run_main(authorization_policy, options(cloud, source_resource_group_id="group-1"))
    assert (ran.result["changed"], ran.result["policy"]["id"]) == (False, "wide")


def test_another_account(cloud: Cloud) -> None:
    grant = Grant(Side(OTHER_ACCOUNT, "messagehub", TARGET), Side(ACCOUNT, "messagehub", SOURCE), ("Writer",))
    reply = policy_v1("new", subject_account=OTHER_ACCOUNT)
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("same account"))
    expect_creation(cloud, reply, body=policy_body(grant, "why"))
    given = options(cloud, source_service_account=OTHER_ACCOUNT, roles=["Writer"], description="why")
    assert run_main(authorization_policy, given).result["changed"] is True


def test_the_account_comes_out_of_the_key(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("a"), enough=True)
    given = options(cloud)
    del given["account_id"]
    assert run_main(authorization_policy, given).result["policy"]["id"] == "a"


def test_a_token_alone_does_not_tell_the_account(cloud: Cloud) -> None:
    given = {**options(cloud), "iam_token": "ready", "ibmcloud_api_key": None, "account_id": None}
    ran = run_main(authorization_policy, given)
    assert "account of the policies is not known" in ran.result["msg"]


def test_409_is_success(cloud: Cloud) -> None:
    """Somebody else was faster between our look and our creation."""
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, {"errors": [{"code": "policy_conflict_error"}]}, status=409)
    cloud.policies(ACCOUNT, policy_v1("theirs"))
    ran = run_main(authorization_policy, options(cloud))
    assert (ran.code, ran.result["changed"], ran.result["policy"]["id"]) == (0, False, "theirs")
    assert ran.result["authorized_at"] == "2026-01-01T10:00:00Z"


@pytest.mark.parametrize("lost", [{"fault": "reset"}, {"status": 503}, {"reply": '{"id": "ne'}, {"reply": {}}])
def test_a_lost_answer_is_looked_up_and_found(lost: dict[str, t.Any], cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, **{"status": 201, **lost})
    cloud.policies(ACCOUNT, policy_v1("new"))
    ran = run_main(authorization_policy, options(cloud))
    assert (ran.result["changed"], ran.result["policy"]["id"]) == (True, "new")


def test_a_lost_answer_that_did_nothing_is_sent_again(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, "<html>", status=502)
    cloud.policies(ACCOUNT)
    expect_creation(cloud)
    assert run_main(authorization_policy, options(cloud)).result["changed"] is True


def test_a_lost_answer_then_409(cloud: Cloud) -> None:
    """The first attempt worked after all; its policy is not listed yet."""
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, status=502)
    cloud.policies(ACCOUNT)
    expect_creation(cloud, {"errors": []}, status=409)
    cloud.policies(ACCOUNT)
    ran = run_main(authorization_policy, options(cloud))
    assert (ran.code, ran.result["changed"], ran.result["policy"]) == (0, True, None)


def test_one_that_exists_unseen_may_be_fresh(cloud: Cloud) -> None:
    """Created by a run that was killed a moment ago, say: its age is not known, so it gets the patience of a new one."""
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, {"errors": []}, status=409)
    cloud.policies(ACCOUNT)
    ran = run_main(authorization_policy, options(cloud))
    assert (ran.result["changed"], ran.result["policy"]) == (False, None)
    assert ran.result["authorized_at"] == "2026-01-01T00:16:40Z"


def test_too_many_requests(cloud: Cloud, clock: FakeClock) -> None:
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, status=429, reply_headers={"Retry-After": "7"})
    expect_creation(cloud)
    assert run_main(authorization_policy, options(cloud)).result["changed"] is True
    assert clock.slept == [7]


def test_a_refusal(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT)
    expect_creation(cloud, {"errors": [{"code": "insufficent_permissions", "message": "no"}]}, status=403)
    ran = run_main(authorization_policy, options(cloud))
    assert (ran.code, ran.result.get("changed", False)) == (1, False)
    assert "create the authorization policy: no (HTTP 403, code insufficent_permissions" in ran.result["msg"]


def test_an_outage_ends(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT)
    for number in range(6):
        expect_creation(cloud, status=503)
        if number < 5:
            cloud.policies(ACCOUNT)
    ran = run_main(authorization_policy, options(cloud))
    assert ran.result["failure"]["status"] == 503
    assert ran.result["changed"] is True, "one of them may have worked"


def test_taking_back(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("a"), policy_v1("other", TARGET, TARGET), v2=[policy_v2("b")])
    cloud.server.expect("DELETE", "/v1/policies/a", status=503, headers=cloud.headers)
    cloud.server.expect("DELETE", "/v1/policies/a", status=404, headers=cloud.headers)
    cloud.policies(ACCOUNT, policy_v1("other", TARGET, TARGET), v2=[policy_v2("b")])
    cloud.server.expect("DELETE", "/v2/policies/b", status=204, headers=cloud.headers)
    ran = run_main(authorization_policy, options(cloud, state="absent"))
    assert (ran.result["changed"], ran.result["policy"]) == (True, None)
    assert ran.result["diff"]["before"]["policy"]["id"] == "a"
    assert ran.result["diff"]["after"] == {"policy": None}


@pytest.mark.parametrize("gone", [True, False])
def test_a_policy_that_is_listed_is_not_taken_for_gone(cloud: Cloud, gone: bool) -> None:
    """One 404 may come from anywhere."""
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("a"))
    for _dummy in range(1 if gone else 6):
        cloud.server.expect("DELETE", "/v1/policies/a", status=404, headers=cloud.headers)
        cloud.policies(ACCOUNT, policy_v1("a"))
    if gone:
        cloud.server.expect("DELETE", "/v1/policies/a", status=204, headers=cloud.headers)
    ran = run_main(authorization_policy, options(cloud, state="absent"))
    assert ran.failed is not gone
    if not gone:
        assert "goes on listing it" in ran.result["msg"]
        assert ran.result["failure"]["kind"] == "not_found"


def test_taking_back_in_check_mode(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("a"))
    ran = run_main(authorization_policy, options(cloud, state="absent"), check=True)
    assert ran.result["changed"] is True
    assert cloud.writes() == []


def test_taking_back_what_is_not_there(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("reversed", SOURCE, TARGET))
    assert run_main(authorization_policy, options(cloud, state="absent")).result["changed"] is False


def test_wider_policies_are_not_taken_back(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("wide", None))
    ran = run_main(authorization_policy, options(cloud, state="absent"))
    assert (ran.result["changed"], ran.result["policy"]["id"]) == (False, "wide")
    assert "grants more than this" in ran.warnings


def test_guids_are_compared_and_sent_in_small_letters(cloud: Cloud) -> None:
    """A policy for a GUID in capital letters would grant nothing: values are compared letter by letter."""
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("p-1"), enough=True)
    given = {
        "source_service_instance_id": TARGET.upper(),
        "target_service_instance_id": SOURCE.upper(),
    }
    ran = run_main(authorization_policy, options(cloud, **given))
    assert (ran.result["changed"], ran.result["policy"]["id"]) == (False, "p-1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source_service_instance_id": None}, "source_service_instance_id is missing"),
        ({"target_service_instance_id": ""}, "target_service_instance_id is missing"),
        ({"source_service_instance_id": "es-target"}, "is not a GUID"),
        ({"target_service_instance_id": "crn:v1:x"}, "is not a GUID"),
        ({"target_service_instance_id": TARGET}, "same instance"),
        ({"roles": []}, "roles is empty"),
        ({"roles": [""]}, "roles is empty"),
        ({"roles": ["Reader", "Wri ter"]}, "roles has what is neither the name nor the CRN of a role: 'Wri ter'"),
        ({"roles": ["Reader\n"]}, "roles has what is neither"),
        ({"roles": ["crn:Reader"]}, "roles has what is neither"),
        ({"account_id": f"a/{ACCOUNT}"}, f"account_id is not an account id: 'a/{ACCOUNT}'"),
        ({"account_id": f"{ACCOUNT}\n"}, "account_id is not an account id"),
        ({"source_service_account": " "}, "source_service_account is not an account id"),
        ({"source_service_name": ""}, "source_service_name is not the name of a service: ''"),
        ({"target_service_name": "message hub"}, "target_service_name is not the name of a service"),
        ({"target_service_instance_id": TARGET.upper()}, "same instance"),
        ({"state": "gone"}, "value of state must be one of"),
    ],
)
def test_bad_input(changes: dict[str, t.Any], told: str, cloud: Cloud) -> None:
    ran = run_main(authorization_policy, options(cloud, **changes))
    assert ran.failed
    assert told in ran.result["msg"]
