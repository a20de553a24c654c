# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mirrorops.event_streams.plugins.modules import authorization_policy_info
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.running import Cloud, run_main
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    SOURCE,
    TARGET,
    policy_v1,
    policy_v2,
)

PAIR = {"source_service_instance_id": TARGET, "target_service_instance_id": SOURCE}


def test_all(cloud: Cloud) -> None:
    cloud.token()
    cloud.policies(ACCOUNT, policy_v1("a"), policy_v1("reversed", SOURCE, TARGET), v2=[policy_v2("wide", None)])
    ran = run_main(authorization_policy_info, {**cloud.base, "account_id": ACCOUNT})
    assert [(one["id"], one["covers"]) for one in ran.result["policies"]] == [
        ("a", False),
        ("reversed", False),
        ("wide", False),
    ]


def test_which_cover_an_access(cloud: Cloud) -> None:
    for covering_only, expected in ((False, ["a", "reversed", "wide"]), (True, ["a", "wide"])):
        cloud.token()
        cloud.policies(ACCOUNT, policy_v1("a"), policy_v1("reversed", SOURCE, TARGET), v2=[policy_v2("wide", None)])
        ran = run_main(authorization_policy_info, {**cloud.base, **PAIR, "covering_only": covering_only})
        assert [one["id"] for one in ran.result["policies"]] == expected
        assert [one["id"] for one in ran.result["policies"] if one["covers"]] == ["a", "wide"]


def test_covering_what(cloud: Cloud) -> None:
    ran = run_main(authorization_policy_info, {**cloud.base, "covering_only": True})
    assert "covering_only needs to know what is to be covered" in ran.result["msg"]
