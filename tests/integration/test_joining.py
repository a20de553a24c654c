# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Updates that are under way already: ours, or somebody else's."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
AUTHORIZED = [{"subject": TARGET, "resource": SOURCE}]
GRANT = "urn:ibm:params:oauth:grant-type:apikey"


def patch(simulator: Any, parameters: dict[str, Any]) -> None:
    """Updates the target as another client would."""
    form = {"grant_type": GRANT, "apikey": "simulated-key-main"}
    token = requests.post(f"{simulator.iam_url}/identity/token", data=form, timeout=5).json()["access_token"]
    answer = requests.patch(
        f"{simulator.rc_url}/v2/resource_instances/{simulator.instance(TARGET).guid}",
        json={"parameters": parameters},
        headers={"Authorization": f"Bearer {token}"},
        timeout=5,
    )
    assert answer.ok, answer.text


def enabling(simulator: Any) -> dict[str, Any]:
    """What another client sends to enable mirroring as PAIR asks for it."""
    source = str(simulator.instance(SOURCE).crn)
    return {"mirroring": {"source_crn": source, "source_alias": "us-south", "target_alias": "us-east"}}


def enable_role(**variables: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A play with the enable role alone."""
    head = {"name": "Enable", "hosts": "localhost", "gather_facts": False}
    given = {
        "enable_source": SOURCE,
        "enable_target": TARGET,
        "enable_topics": ["^orders$", "^payments$"],
        "enable_poll_interval": 0.1,
        "enable_settle_timeout": 3,
        **variables,
    }
    return [{**head, "roles": ["mirrorops.event_streams.enable"]}], given


def test_an_update_that_does_the_same_is_joined(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(policies=AUTHORIZED, timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    patch(simulator, enabling(simulator))
    run = playbook.mirror(meanwhile=lambda: (seen.polled(), seen.later())).worked()
    assert run.facts["enable_result"]["action"] == "joined"
    seen.mirrored()
    assert len(seen.patches(accepted=False)) == 1


@pytest.mark.parametrize("echo", ["full", "none"])
def test_an_update_of_something_else_is_waited_for(simulate: Any, playbook: Any, observe: Any, echo: str) -> None:
    simulator = simulate(
        policies=AUTHORIZED,
        switches={"echo": echo},
        target={"last_operation": {"type": "update", "state": "in progress", "seconds_left": observe.ages}},
    )
    seen = observe(simulator)
    ends = simulator.instance(TARGET).operation.finishes
    run = playbook.mirror(meanwhile=lambda: (seen.polled(), seen.later())).worked()
    assert run.facts["enable_result"]["action"] == "enabled"
    seen.mirrored()
    (sent,) = seen.patches(accepted=False)
    assert sent["clock"] >= ends


def test_scaling_by_somebody_else_is_waited_for(simulate: Any, playbook: Any, observe: Any) -> None:
    """Above 150 MB/s the throughput must come along: the one that is true after the scaling."""
    size = {"throughput": "300", "storage_size": "4096"}
    simulator = simulate(policies=AUTHORIZED, source=size, timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    patch(simulator, size)
    simulator.set_timing("operation_seconds", 0.4)
    plays, variables = enable_role()
    playbook(plays, variables, meanwhile=lambda: (seen.polled(), seen.later())).worked()
    seen.mirrored(updates=2)
    (_scaling, enabled) = seen.patches(accepted=False)
    assert enabled["body"]["parameters"]["throughput"] == "300"


def test_start_now_and_validate_later(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    started = playbook.mirror(mirroring_wait=False, mirroring_topics=None).worked()
    assert started.facts["enable_result"]["waiting"] is True
    assert started.facts["validate_result"]["verdict"] == "pending"
    assert simulator.instance(TARGET).busy

    checked = playbook.mirror(
        play="validate", mirroring_topics=None, meanwhile=lambda: (seen.polled(), seen.later())
    ).worked()
    assert checked.facts["validate_result"]["verdict"] == "mirroring"
    assert not simulator.instance(TARGET).busy
    seen.mirrored([], {})


def test_start_now_and_mirror_later(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    started = playbook.mirror(mirroring_wait=False).worked()
    assert started.facts["enable_result"]["topics_set"] is False
    assert simulator.instance(TARGET).busy

    joined = playbook.mirror(meanwhile=lambda: (seen.polled(), seen.later())).worked()
    assert joined.facts["enable_result"]["action"] == "joined"
    seen.mirrored()
    assert len(seen.patches(accepted=False)) == 1


def test_check_mode_while_an_update_runs(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(policies=AUTHORIZED, timing={"operation_seconds": observe.ages})
    patch(simulator, enabling(simulator))
    simulator.clear_journal()
    playbook.mirror("--check").worked()
    assert simulator.instance(TARGET).busy
    observe(simulator).untouched()


def test_the_time_to_wait_is_over(simulate: Any, playbook: Any, observe: Any) -> None:
    simulator = simulate(timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    failure = playbook.mirror(mirroring_wait_timeout=0.5).failure
    assert "has not ended" in failure
    assert simulator.instance(TARGET).busy

    joined = playbook.mirror(meanwhile=lambda: (seen.polled(), seen.later())).worked()
    assert joined.facts["enable_result"]["action"] == "joined"
    seen.mirrored()


@pytest.mark.parametrize("lag", [0.0, 0.3, *(pytest.param(n / 8, marks=pytest.mark.slow) for n in range(1, 17))])
@pytest.mark.parametrize("echo", ["full", "none"])
def test_two_runs_at_the_same_moment(simulate: Any, playbook: Any, observe: Any, echo: str, lag: float) -> None:
    """One policy, one update, both succeed; whoever comes second waits for the first. (In step: tests/faults.)"""
    simulator = simulate(switches={"echo": echo}, timing={"operation_seconds": 1.5})
    name = "mirrorops.event_streams.mirror"
    first = playbook.start(name, playbook.pair)
    time.sleep(lag)
    second = playbook.start(name, playbook.pair)
    for process, record in (first, second):
        playbook.finish(process, record).worked()
    seen = observe(simulator)
    seen.mirrored()
    assert len(seen.policies()) == 1
    assert len(simulator.instance(TARGET).updates) == 1
    simulator.clear_journal()
    assert playbook.mirror().worked().changed == 0
    seen.untouched()


def test_the_deadline_is_reached(simulate: Any, playbook: Any, observe: Any) -> None:
    """The result says what is still running and how to join it; `validate` joins it, and `mirror` finishes the work."""
    simulator = simulate(timing={"operation_seconds": observe.ages})
    seen = observe(simulator)
    run = playbook.mirror(mirroring_wait_timeout=1)
    assert "update in progress" in run.failure
    assert "run this again to join it. The playbook validate only waits and looks." in run.failure
    (failed,) = [entry["result"] for entry in run.tasks if entry["status"] == "failed"]
    assert failed["failure"]["kind"] == "wait_expired"
    assert failed["failure"]["operation"]["state"] == "in progress"
    assert run.changed == 2, "the authorization, and the update that was sent"

    looking = playbook.mirror(
        play="validate", mirroring_topics=None, meanwhile=lambda: (seen.polled(), seen.later())
    ).worked()
    assert looking.facts["validate_result"]["verdict"] == "mirroring"
    assert looking.facts["validate_result"]["operation"]["state"] == "succeeded"
    playbook.mirror().worked()
    seen.mirrored()
    assert len(seen.patches(accepted=False)) == 1
