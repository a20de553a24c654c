# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fresh authorization takes a while to become effective: the update itself is tried, no time is slept by guess."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils._errors import MirrorOpsError
from ansible_collections.mirrorops.event_streams.tests.faults.matrix import mirrored
from ansible_collections.mirrorops.event_streams.tests.faults.stage import TARGET, Stage, scenario
from simulator import Simulator

BUDGET = 300.0
"""mirroring_authorization_timeout as it is when nobody sets it, in seconds."""

Start = Callable[..., Stage]
both_ways = pytest.mark.parametrize("refusals", ["at_once", "late"])
both_echoes = pytest.mark.parametrize("echo", ["full", "none"])


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a simulator where a grant takes some seconds, and a stage before it."""
    running: list[Simulator] = []

    def start(
        delay: float, refusals: str = "at_once", echo: str = "full", operation: float = 60.0, **more: Any
    ) -> Stage:
        timing = {"policy_propagation_seconds": delay, "operation_seconds": operation}
        switches = {"refusals": refusals, "echo": echo, **more}
        running.append(Simulator(scenario(switches=switches, timing=timing)).start())
        return Stage(running[-1], poll_interval=10, retry_timeout=5)

    yield start
    for simulator in running:
        simulator.stop()
        assert simulator.violations() == []


def patches(stage: Stage) -> list[dict[str, Any]]:
    """The updates that were sent."""
    return [entry for entry in stage.simulator.journal if entry["method"] == "PATCH"]


def granted_at(stage: Stage) -> float:
    """When the policy was created."""
    return next(entry["clock"] for entry in stage.simulator.journal if entry["write"])


@both_ways
@both_echoes
@pytest.mark.parametrize("delay", [5.0, 20.0, 90.0, 220.0])
def test_it_is_tried_until_it_works(start: Start, delay: float, refusals: str, echo: str) -> None:
    stage = start(delay, refusals, echo)
    done = stage.mirror()
    assert mirrored(stage.simulator)
    effective = [one for one in stage.simulator.instance(TARGET).updates if one.outcome == "succeeded"]
    assert len(effective) == 1
    measured = done["enable"]["authorization_delay"]
    assert measured == pytest.approx(patches(stage)[-1]["clock"] - granted_at(stage), abs=1.1)
    # At once it is noticed within the poll interval; late, an operation has to fail first.
    assert delay <= measured <= delay + (10 if refusals == "at_once" else 60 + 60) + 10
    assert any(
        f"the update was let through {measured:g} s after the authorization was granted" in line for line in stage.shown
    )
    assert len(patches(stage)) <= 8 + delay / 8


@both_ways
def test_nothing_is_slept_for_when_it_works_at_once(start: Start, refusals: str) -> None:
    stage = start(0.0, refusals)
    done = stage.mirror()
    assert done["enable"]["authorization_delay"] is None
    (sent,) = patches(stage)
    assert sent["clock"] - granted_at(stage) <= 2.5


@both_ways
@both_echoes
def test_there_is_an_end_to_it(start: Start, refusals: str, echo: str) -> None:
    """What does not become effective within the budget fails, with the service's own words and what to check."""
    stage = start(100 * BUDGET, refusals, echo)
    with pytest.raises(MirrorOpsError, match="the target is not authorized to read the source") as caught:
        stage.mirror()
    assert "Check the authorization" in caught.value.remedy
    assert BUDGET - 70 <= patches(stage)[-1]["clock"] - granted_at(stage) <= BUDGET
    assert len(patches(stage)) <= 8 + BUDGET / 8
    stage.simulator.clock.advance(100 * BUDGET)
    stage.mirror()
    assert mirrored(stage.simulator)


@both_ways
def test_an_old_authorization_gets_no_patience(start: Start, refusals: str) -> None:
    """The refusal has another cause: the first one is final."""
    stage = start(0.0, refusals)
    stage.bind("es-source-us-south", TARGET)
    stage.simulator.clock.advance(2 * BUDGET)
    stage.simulator.set_timing("policy_propagation_seconds", 10 * BUDGET)
    with pytest.raises(MirrorOpsError, match="not authorized"):
        stage.mirror()
    assert len(patches(stage)) == 1


@both_ways
def test_without_budget_nothing_is_tried_again(start: Start, refusals: str) -> None:
    stage = start(20.0, refusals)
    with pytest.raises(MirrorOpsError, match="not authorized"):
        stage.mirror(authorization_timeout=0)
    assert len(patches(stage)) == 1


def test_an_operation_that_takes_long_to_fail_is_forgiven_once_more(start: Start) -> None:
    """It says how things were when it began, not when it failed 40 minutes later."""
    stage = start(45.0, "late", operation=2400.0)
    done = stage.mirror()
    assert mirrored(stage.simulator)
    assert len(patches(stage)) == 2
    assert done["enable"]["authorization_delay"] == pytest.approx(2400, abs=60)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_whatever_the_refusal_says(start: Start, status: int, body: str) -> None:
    """Nobody has documented its words, so they decide nothing."""
    stage = start(0.0)
    stage.simulator.add_fault("status", method="PATCH", status=status, body=body, times=3)
    stage.mirror()
    assert mirrored(stage.simulator)
    assert len(patches(stage)) == 4
    assert math.isclose(len(stage.simulator.instance(TARGET).updates), 1)
