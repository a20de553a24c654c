# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A seeded sample of the fault matrix (tests/faults) through real `ansible-playbook`."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.faults.matrix import DURATIONS, FAULTS, HANG, LATER, Case, cases
from ansible_collections.mirrorops.event_streams.tests.faults.stage import Stage

SEED = 20261123
SAMPLED, SAMPLED_WHEN_SLOW = 4, 60
SHORT = {"retry_timeout": 2, "request_timeout": HANG / 2}
"""So that what lasts for ever ends soon."""


def mirror() -> list[dict[str, Any]]:
    """The playbook mirror with other time-outs."""
    play = {"name": "Mirror", "hosts": "localhost", "connection": "local", "gather_facts": False}
    roles = [f"mirrorops.event_streams.{role}" for role in ("setup", "bindings", "enable", "validate")]
    return [{**play, "module_defaults": {"group/mirrorops.event_streams.all": SHORT}, "roles": roles}]


def test_the_matrix_makes_the_playbooks_requests(simulate: Any, playbook: Any) -> None:
    """What is swept in process is what the playbook does; where nothing has to be waited for, request by request."""
    at_once = dict.fromkeys(("operation_seconds", "remote_topic_seconds", "active_topic_seconds"), 0.0)
    real, staged = simulate(timing=at_once), simulate(timing=at_once)
    playbook.simulator = real
    playbook.mirror().worked()
    Stage(staged).mirror()
    asked = [[(entry["method"], entry["path"], entry["body"]) for entry in one.journal] for one in (real, staged)]
    assert asked[0] == asked[1]
    assert len(asked[0]) > 30


def sample(size: int, journal: list[dict[str, Any]]) -> list[Case]:
    """Some of the cases at the requests of a run."""
    every = list(cases(journal))
    return random.Random(f"{SEED} {size}").sample(every, size)


def sweep(size: int, part: slice, simulate: Any, playbook: Any, observe: Any, record: Any) -> None:
    """Tries some cases: success or one clear error, and the next run finishes the work."""
    undisturbed = simulate()
    playbook(mirror(), playbook.pair).worked()
    recovered = 0
    tried = sample(size, undisturbed.journal)[part]
    for case in tried:
        simulator = simulate()
        simulator.add_fault(**FAULTS[case.fault], **dict(case.place), times=DURATIONS[case.duration])
        run = playbook(mirror(), {**playbook.pair, "mirroring_wait_timeout": 8})
        assert "Traceback" not in run.output, case
        if run.rc:
            assert run.failure, case
        else:
            recovered += 1
            observe(simulator).mirrored()
        simulator.clear_faults()
        operation = simulator.instance("es-target-us-east").operation
        if operation is not None and operation.running and operation.finishes is None:
            operation.finishes = simulator.clock.now()
        simulator.clock.advance(LATER)
        playbook(mirror(), playbook.pair).worked()
        observe(simulator).mirrored(updates=len(observe(simulator).patches()))
        effective = [one for one in simulator.instance("es-target-us-east").updates if one.outcome == "succeeded"]
        assert len(effective) == 1, case
    record("fault", "through ansible-playbook")
    record("cases", len(tried))
    record("recovered", recovered)
    record("defects", 0)


@pytest.mark.parametrize("part", range(2))
def test_a_sample_through_ansible(simulate: Any, playbook: Any, observe: Any, record_property: Any, part: int) -> None:
    sweep(SAMPLED, slice(part, None, 2), simulate, playbook, observe, record_property)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_more_through_ansible(simulate: Any, playbook: Any, observe: Any, record_property: Any, part: int) -> None:
    sweep(SAMPLED_WHEN_SLOW, slice(part, None, 6), simulate, playbook, observe, record_property)
