# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs that other hands have made, in the vendor's words, are adopted as they are (docs/docsite/rst/guide_migration.rst)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from ansible_collections.mirrorops.event_streams.tests.integration.conftest import SOURCE, TARGET
from ansible_collections.mirrorops.event_streams.tests.integration.test_authorization import (
    ACCOUNT,
    ASKED,
    ASKS,
    GROUP,
    WHOLE_SERVICE,
    v1,
    v2,
)

WHOLE_GROUP = {"accountId": ACCOUNT, "serviceName": "messagehub", "resourceGroupId": GROUP}
RENAME = {"type": "rename", "rename": {"add_prefix": "dr-"}}
PLAIN: dict[str, Any] = {"source_alias": "us-south", "target_alias": "us-east"}
OTHER_ALIASES: dict[str, Any] = {"source_alias": "dallas", "target_alias": "washington"}
EVERYTHING: dict[str, Any] = {
    **OTHER_ALIASES,
    "options": {"topic_name_transform": RENAME, "group_id_transform": {"type": "none"}},
    "schemas": "proxied",
}


def variables(settings: dict[str, Any]) -> dict[str, Any]:
    """The variables of such a pair; the regions need not be said."""
    told = {**settings, **settings.get("options", {})}
    return {
        f"mirroring_{name}": value for name, value in told.items() if name != "options" and PLAIN.get(name) != value
    }


def make_pair(simulator: Any, seen: Any, settings: dict[str, Any], policy: dict[str, Any], patterns: list[str]) -> None:
    """What the vendor's guide says, with nothing but its API, and with what Terraform's module sends for what is not set."""
    for instance in simulator.state.instances.values():
        instance.resource_group = GROUP
    source, target = simulator.instance(SOURCE), simulator.instance(TARGET)

    def send(method: str, url: str, **body: Any) -> Any:
        answer = client.request(method, url, timeout=30, **body)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    with requests.Session() as client:
        grant = {
            "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
            "apikey": simulator.environment()["IC_API_KEY"],
        }
        token = send("POST", f"{simulator.iam_url}/identity/token", data=grant)["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        syntax = "v1" if "subjects" in policy else "v2"
        send("POST", f"{simulator.iam_url}/{syntax}/policies", json={**policy, "description": "made by hand"})
        mirroring = {"options": None, "source_crn": str(source.crn), **settings}
        parameters = {"throughput": "150", "storage_size": "2048", "mirroring": mirroring}
        send("PATCH", f"{simulator.rc_url}/v2/resource_instances/{target.guid}", json={"parameters": parameters})
        seen.later()
        admin = f"{simulator.admin_url(TARGET)}/admin/mirroring/topic-selection"
        send("POST", admin, json={"includes": patterns})
    seen.later()
    simulator.clear_journal()


@pytest.mark.parametrize(
    ("echo", "settings", "policy"),
    [
        pytest.param("full", PLAIN, v1(ASKS, ASKED), id="by hand"),
        pytest.param("none", PLAIN, v1(WHOLE_GROUP, ASKED), id="by hand, not shown"),
        pytest.param("literal", EVERYTHING, v2(WHOLE_GROUP, ASKED), id="by Terraform's module"),
        pytest.param("extensions", OTHER_ALIASES, v2(WHOLE_SERVICE, WHOLE_SERVICE, "Manager"), id="wide"),
        pytest.param("none", EVERYTHING, v2(ASKS, ASKED), id="not shown"),
    ],
)
def test_a_pair_of_other_hands_is_adopted_without_a_change(
    simulate: Any, playbook: Any, observe: Any, echo: str, settings: dict[str, Any], policy: dict[str, Any]
) -> None:
    simulator = simulate(switches={"echo": echo})
    seen = observe(simulator)
    make_pair(simulator, seen, settings, policy, ["^payments$", "^orders$"])
    (authorization,) = simulator.state.policies.by_id

    for arguments in ("--check", "--diff"), ():
        run = playbook.mirror(*arguments, **variables(settings)).worked()
        assert run.changed == 0
        assert run.facts["bindings_result"]["mirroring"]["id"] == authorization
        assert run.facts["validate_result"]["verdict"] == "mirroring"
        assert ("the cloud does not show its" in run.output) == (echo == "none")
        seen.untouched()


def test_settings_that_differ_are_told_and_left_alone(simulator: Any, playbook: Any, observe: Any) -> None:
    seen = observe(simulator)
    make_pair(simulator, seen, OTHER_ALIASES, v1(ASKS, ASKED), ["^orders$"])
    for arguments in ("--check",), ():
        failure = playbook.mirror(*arguments).failure
        assert "source_alias is 'dallas', wanted 'us-south'" in failure
        seen.untouched()


def test_patterns_that_differ_are_predicted(simulator: Any, playbook: Any, observe: Any) -> None:
    seen = observe(simulator)
    make_pair(simulator, seen, PLAIN, v1(ASKS, ASKED), ["^audit$"])
    run = playbook.mirror("--check", "--diff").worked()
    assert [role for _host, role, _task, changed in run.changes if changed] == ["enable"]
    shown = [line for line in run.stdout.splitlines() if line.startswith(("-", "+"))]
    assert any(line.startswith("-") and '"^audit$"' in line for line in shown)
    assert any(line.startswith("+") and '"^orders$"' in line for line in shown)
    assert playbook.mirror("--check", mirroring_topics=None).worked().changed == 0
    seen.untouched()
