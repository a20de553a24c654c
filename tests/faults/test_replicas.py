# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads come from two places, of which one is behind: what was seen a moment ago is gone again with the next look."""

from __future__ import annotations

import collections
import copy
import itertools
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.tests.faults.matrix import mirrored
from ansible_collections.mirrorops.event_streams.tests.faults.stage import AUTHORIZED, TARGET, Stage, scenario
from simulator import Simulator

OLD_FAILURE = {"type": "update", "state": "failed", "description": "Nodes were not available."}
OLD_SUCCESS = {"type": "update", "state": "succeeded", "description": "Update succeeded."}


def put_behind(simulator: Simulator, seconds: float) -> None:
    """Every second look at an instance shows what was seen so many seconds ago."""
    world = simulator.state
    true_view = world.shown
    history: dict[str, list[tuple[float, dict[str, Any]]]] = collections.defaultdict(list)
    turns = itertools.count()

    def shown(instance: Any) -> dict[str, Any]:
        now, view = world.clock.now(), copy.deepcopy(true_view(instance))
        history[instance.guid].append((now, view))
        if next(turns) % 2 == 0:
            return view
        older = [seen for moment, seen in history[instance.guid] if moment <= now - seconds]
        return older[-1] if older else history[instance.guid][0][1]

    world.shown = shown  # type: ignore[method-assign]


def patches(simulator: Simulator) -> int:
    """How many updates were sent, accepted or not."""
    return sum(entry["method"] == "PATCH" for entry in simulator.journal)


@pytest.mark.parametrize("echo", ["full", "none"])
@pytest.mark.parametrize("before", [OLD_FAILURE, OLD_SUCCESS], ids=["failed before", "succeeded before"])
@pytest.mark.parametrize("authorized", [True, False], ids=["old authorization", "young authorization"])
@pytest.mark.parametrize("paths", ["as_before", "503", "403"])
@pytest.mark.parametrize("first", [0, 1])
def test_one_of_two_is_behind(echo: str, before: dict[str, str], authorized: bool, paths: str, first: int) -> None:
    """Within the settle time: the operation of before is taken neither for the end nor for the failure of ours."""
    world = scenario(
        policies=AUTHORIZED if authorized else [],
        target={"last_operation": before},
        switches={"echo": echo, "mirroring_paths_during_operation": paths},
    )
    with Simulator(world) as simulator:
        stage = Stage(simulator, poll_interval=30)
        put_behind(simulator, 50)
        for _dummy in range(first):
            simulator.state.shown(simulator.instance(TARGET))
        stage.mirror()
        assert mirrored(simulator)
        assert len(simulator.instance(TARGET).updates) == 1
        assert patches(simulator) == 1


@pytest.mark.parametrize("seconds", [50, 300])
@pytest.mark.parametrize("echo", ["full", "none"])
def test_somebody_elses_update_is_seen_and_gone_again(seconds: float, echo: str) -> None:
    """Far behind, too: what is refused as busy is not sent again and again."""
    running = {"type": "update", "state": "in progress", "seconds_left": 1000.0}
    world = scenario(policies=AUTHORIZED, target={"last_operation": running}, switches={"echo": echo})
    with Simulator(world) as simulator:
        stage = Stage(simulator, poll_interval=30)
        put_behind(simulator, seconds)
        stage.mirror()
        assert mirrored(simulator)
        assert len(simulator.instance(TARGET).updates) == 1
        assert patches(simulator) <= 6
