# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints with a path, an admin port for each instance, and transport that fails in passing."""

from __future__ import annotations

from typing import Any

import pytest


def test_endpoints_with_a_path(simulator: Any, playbook: Any, observe: Any) -> None:
    environment = {**playbook.environment(simulator), **simulator.environment(prefix=True)}
    playbook.environment = lambda *_: environment
    playbook.mirror().worked()
    observe(simulator).mirrored()
    roots = {"iam": "/iam/", "resource_controller": "/rc/", "admin": "/es/"}
    assert {entry["api"] for entry in simulator.journal} == set(roots)
    assert [entry["path"] for entry in simulator.journal if not entry["path"].startswith(roots[entry["api"]])] == []


def test_other_forms_of_endpoints(simulator: Any, playbook: Any, observe: Any) -> None:
    environment = playbook.environment(simulator)
    environment["IBMCLOUD_IAM_API_ENDPOINT"] += "/identity/token"
    environment["IBMCLOUD_RESOURCE_CONTROLLER_API_ENDPOINT"] += "/"
    playbook.environment = lambda *_: environment
    playbook.mirror().worked()
    observe(simulator).mirrored()


def test_an_admin_address_for_each_instance(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(admin="port")
    playbook.mirror().worked()
    observe(simulator).mirrored()


PATCH = {"api": "resource_controller", "method": "PATCH"}
POLICY = {"api": "iam", "method": "POST", "path": "/policies$"}
SELECTION = {"api": "admin", "method": "POST", "path": "topic-selection$"}
LOST = [
    pytest.param({"action": "reset_after"}, id="reset after"),
    pytest.param({"action": "reset_before"}, id="reset before"),
    pytest.param({"action": "status", "status": 502, "processed": True, "body": "html"}, id="502 after"),
    pytest.param({"action": "status", "status": 503, "body": "html"}, id="503 before", marks=pytest.mark.slow),
    pytest.param({"action": "truncated_json"}, id="cut off", marks=pytest.mark.slow),
    pytest.param({"action": "cut_connection"}, id="connection cut", marks=pytest.mark.slow),
    pytest.param({"action": "html_body"}, id="html", marks=pytest.mark.slow),
    pytest.param({"action": "empty_body"}, id="empty", marks=pytest.mark.slow),
    pytest.param({"action": "unauthorized"}, id="401", marks=pytest.mark.slow),
    pytest.param({"action": "status", "status": 429}, id="429", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("where", [PATCH, POLICY, SELECTION], ids=["update", "policy", "selection"])
@pytest.mark.parametrize("fault", LOST)
def test_a_write_whose_answer_is_lost(
    simulator: Any, playbook: Any, observe: Any, fault: dict[str, Any], where: dict[str, Any]
) -> None:
    """One accepted update, one policy, one selection; and another run has nothing to do."""
    simulator.add_fault(**fault, **where)
    playbook.mirror(mirroring_settle_timeout=1.5).worked()
    seen = observe(simulator)
    seen.mirrored()
    (planned,) = simulator.faults
    assert planned["seen"] >= 1

    simulator.clear_journal()
    assert playbook.mirror().worked().changed == 0
    seen.untouched()


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_a_lost_answer_and_reads_that_are_behind(simulate: Any, playbook: Any, observe: Any, outcome: str) -> None:
    """Nothing tells at first that the update was accepted; still it is sent once."""
    timing = {"operation_seconds": 1.5, "stale_seconds": 0.8}
    simulator = simulate(switches={"stale_operation": outcome}, timing=timing)
    simulator.add_fault("reset_after", **PATCH)
    playbook.mirror().worked()
    seen = observe(simulator)
    seen.mirrored()
    assert len(seen.patches(accepted=False)) == 1


@pytest.mark.parametrize(
    "action",
    [
        "cut_connection",
        "html_body",
        pytest.param("reset_before", marks=pytest.mark.slow),
        pytest.param("truncated_json", marks=pytest.mark.slow),
    ],
)
def test_reads_that_fail_in_passing(simulator: Any, playbook: Any, observe: Any, action: str) -> None:
    for api in ("iam", "resource_controller", "admin"):
        simulator.add_fault(action, api=api, method="GET", nth=2, times=2)
    playbook.mirror().worked()
    observe(simulator).mirrored()
    assert all(fault["seen"] > 3 for fault in simulator.faults)


@pytest.mark.parametrize("rate_limit", ["429", pytest.param("429_retry_after_1", marks=pytest.mark.slow)])
def test_too_many_requests(simulate: Any, playbook: Any, observe: Any, rate_limit: str) -> None:
    simulator = simulate(switches={"rate_limit": rate_limit, "error_bodies": "html"})
    playbook.mirror().worked()
    assert any(entry["status"] == 429 for entry in simulator.journal)
    observe(simulator).mirrored()


def test_the_admin_api_is_down(simulator: Any, playbook: Any, observe: Any) -> None:
    """What cannot be read is not guessed: without it nothing is sent to the instance."""
    simulator.add_fault("status", api="admin", status=403, body="html", times=None)
    run = playbook.mirror()
    assert "Traceback" not in run.output
    assert run.failure
    observe(simulator).untouched()
