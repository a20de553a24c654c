# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorizations: fresh, old, wider than needed, the wrong way round, both ways."""

from __future__ import annotations

from typing import Any

import pytest

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
GUIDS = {SOURCE: "11111111-aaaa-4bbb-8ccc-000000000001", TARGET: "22222222-aaaa-4bbb-8ccc-000000000002"}
GROUP = "0123456789abcdef0123456789abcdef"
ROLE = "crn:v1:bluemix:public:iam::::serviceRole:"
WHOLE_SERVICE = {"accountId": ACCOUNT, "serviceName": "messagehub"}
ASKS = {**WHOLE_SERVICE, "serviceInstance": GUIDS[TARGET]}
ASKED = {**WHOLE_SERVICE, "serviceInstance": GUIDS[SOURCE]}


def v1(subject: dict[str, str], resource: dict[str, str], role: str = "Reader") -> dict[str, Any]:
    """A policy in the first syntax; IAM's subject is the mirroring target."""
    sides = [[{"name": name, "value": value} for name, value in side.items()] for side in (subject, resource)]
    return {
        "type": "authorization",
        "subjects": [{"attributes": sides[0]}],
        "resources": [{"attributes": sides[1]}],
        "roles": [{"role_id": ROLE + role}],
    }


def v2(subject: dict[str, Any], resource: dict[str, Any], role: str = "Reader") -> dict[str, Any]:
    """A policy in the second syntax."""

    def attribute(key: str, value: Any) -> dict[str, Any]:
        operator = "stringEqualsAnyOf" if isinstance(value, list) else "stringEquals"
        return {"key": key, "operator": operator, "value": value}

    sides = [{"attributes": [attribute(*pair) for pair in side.items()]} for side in (subject, resource)]
    grant = {"roles": [{"role_id": ROLE + role}]}
    return {"type": "authorization", "subject": sides[0], "resource": sides[1], "control": {"grant": grant}}


WIDER = [
    pytest.param(v1(ASKS, ASKED), id="exact"),
    pytest.param(v1({"accountId": ACCOUNT, "serviceName": "messagehub", "resourceGroupId": GROUP}, ASKED), id="group"),
    pytest.param(v1(WHOLE_SERVICE, WHOLE_SERVICE), id="whole service"),
    pytest.param(v1(ASKS, ASKED, "Manager"), id="higher role"),
    pytest.param(v2(ASKS, ASKED, "Writer"), id="v2"),
    pytest.param(v2({**ASKS, "serviceInstance": ["other", GUIDS[TARGET]]}, WHOLE_SERVICE), id="v2 any of"),
]


def bindings() -> list[dict[str, Any]]:
    """A play with the bindings role alone."""
    given = {"bindings_source": SOURCE, "bindings_target": TARGET}
    head = {"name": "Bind", "hosts": "localhost", "gather_facts": False, "vars": given}
    return [{**head, "roles": ["mirrorops.event_streams.bindings"]}]


@pytest.mark.parametrize("refusals", ["at_once", "late"])
def test_a_fresh_authorization_takes_its_time(simulate: Any, playbook: Any, observe: Any, refusals: str) -> None:
    simulator = simulate(switches={"refusals": refusals}, timing={"policy_propagation_seconds": observe.ages})
    seen = observe(simulator)

    def refused_twice() -> bool:
        return len(seen.patches(accepted=False)) >= 2

    run = playbook.mirror(
        mirroring_authorization_timeout=60, meanwhile=lambda: (seen.until(refused_twice), seen.later())
    ).worked()
    assert run.facts["enable_result"]["authorization_delay"] > 0
    sent, accepted = len(seen.patches(accepted=False)), len(seen.patches())
    assert sent >= 3
    assert accepted == (sent if refusals == "late" else 1)
    seen.mirrored(updates=accepted)


@pytest.mark.parametrize("refusals", ["at_once", "late"])
def test_a_fresh_authorization_takes_too_long(simulate: Any, playbook: Any, observe: Any, refusals: str) -> None:
    simulator = simulate(switches={"refusals": refusals}, timing={"policy_propagation_seconds": 1000})
    seen = observe(simulator)
    failure = playbook.mirror(mirroring_authorization_timeout=3).failure
    assert "the target is not authorized to read the source" in failure
    sent = [entry["clock"] for entry in seen.patches(accepted=False)]
    assert len(sent) >= 2
    assert sent[-1] - sent[0] <= 3
    assert seen.policies() == [(GUIDS[TARGET], GUIDS[SOURCE])]


@pytest.mark.parametrize("refusals", ["at_once", "late"])
def test_an_old_authorization_is_not_waited_for(simulate: Any, playbook: Any, observe: Any, refusals: str) -> None:
    simulator = simulate(
        switches={"refusals": refusals},
        timing={"policy_propagation_seconds": 1e9},
        policies=[{**v1(ASKS, ASKED), "created_at": "2020-01-01T00:00:00Z"}],
    )
    seen = observe(simulator)
    failure = playbook.mirror(mirroring_authorization_timeout=300).failure
    assert "the target is not authorized to read the source" in failure
    assert len(seen.patches(accepted=False)) == 1


@pytest.mark.parametrize("policy", WIDER)
def test_a_wider_authorization_is_adopted(simulate: Any, playbook: Any, observe: Any, policy: dict[str, Any]) -> None:
    simulator = simulate(policies=[policy])
    for instance in simulator.state.instances.values():
        instance.resource_group = GROUP
    run = playbook(bindings()).worked()
    assert run.changed == 0
    assert run.facts["bindings_result"]["mirroring"]["id"] in simulator.state.policies.by_id
    observe(simulator).untouched()


@pytest.mark.parametrize("policy", [v1(ASKED, ASKS), v2(ASKED, ASKS, "Manager")], ids=["v1", "v2"])
def test_the_wrong_way_round_does_not_count(simulate: Any, playbook: Any, observe: Any, policy: dict[str, Any]) -> None:
    simulator = simulate(policies=[policy])
    (wrong,) = simulator.state.policies.by_id
    run = playbook.mirror().worked()
    observe(simulator).mirrored(failback=True)
    assert run.facts["bindings_result"]["changed"] is True
    assert run.facts["bindings_result"]["reversed_ids"] == [wrong]
    assert "the wrong way round" in run.output
    (finding,) = [one for one in run.facts["setup_result"]["findings"] if one["evidence"].get("reversed_ids")]
    assert (finding["status"], finding["evidence"]["reversed_ids"]) == ("warn", [wrong])


def test_ready_to_fail_back(simulator: Any, playbook: Any, observe: Any) -> None:
    seen = observe(simulator)
    predicted = playbook.mirror("--check", mirroring_failback=True).worked()
    seen.untouched()
    done = playbook.mirror(mirroring_failback=True).worked()
    assert predicted.changes == done.changes
    assert done.changed == 4
    seen.mirrored(failback=True)
    assert done.facts["bindings_result"]["failback"]["id"] in simulator.state.policies.by_id

    simulator.clear_journal()
    assert playbook.mirror(mirroring_failback=True).worked().changed == 0
    seen.untouched()


def test_ready_to_fail_back_in_two_accounts(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate("two_accounts")
    keys = {"mirroring_source_api_key": "simulated-key-source", "mirroring_target_api_key": "simulated-key-target"}
    playbook.mirror(mirroring_failback=True, **keys).worked()
    observe(simulator).mirrored(failback=True)
    owners = {policy.account for policy in simulator.state.policies.by_id.values()}
    assert owners == {simulator.instance(name).account for name in (SOURCE, TARGET)}
