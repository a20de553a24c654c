# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every trouble at every request of every flow. `make test` takes a seeded sample of the cases, `make test-full` all of them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from ansible_collections.mirrorops.event_streams.tests.faults.matrix import (
    FAULTS,
    FLOWS,
    OBSERVED,
    Flow,
    cases,
    discover,
    tagged_scenario,
    try_case,
    undisturbed,
)
from ansible_collections.mirrorops.event_streams.tests.faults.stage import Stage
from simulator import Simulator

SAMPLE = 0.06
SEED = 20261123

every_fault = pytest.mark.parametrize("fault", FAULTS)
every_flow = pytest.mark.parametrize("flow", FLOWS, ids=[flow.name for flow in FLOWS])


def sweep(flow: Flow, fault: str, share: float, record: Callable[[str, object], None]) -> None:
    """Tries a share of one trouble's cases in one flow."""
    with Simulator(flow.scenario) as simulator:
        usual = undisturbed(simulator, flow)
        mine = [case for case in cases(usual) if case.fault == fault]
        chosen = random.Random(f"{SEED} {flow.name} {fault}").sample(mine, math.ceil(share * len(mine)))
        verdicts = {case: try_case(simulator, flow, case, len(usual)) for case in chosen}
    defects = [f"{flow.name}: {case}: {defect}" for case, verdict in verdicts.items() for defect in verdict.defects]
    record("fault", fault)
    record("cases", len(verdicts))
    record("recovered", sum(verdict.recovered for verdict in verdicts.values()))
    record("defects", sum(bool(verdict.defects) for verdict in verdicts.values()))
    assert not defects, "\n".join(defects)


@every_fault
@every_flow
def test_a_sample_of_the_matrix(flow: Flow, fault: str, record_property: Callable[[str, object], None]) -> None:
    sweep(flow, fault, SAMPLE, record_property)


@pytest.mark.slow
@every_fault
@every_flow
def test_the_whole_matrix(flow: Flow, fault: str, record_property: Callable[[str, object], None]) -> None:
    sweep(flow, fault, 1.0, record_property)


def test_the_inventory_finds_what_there_is_when_nothing_disturbs_it() -> None:
    with Simulator(tagged_scenario()) as simulator:
        assert discover(Stage(simulator)) == [OBSERVED]
