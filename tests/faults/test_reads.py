# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of earlier tasks are used again: never for a write, and never to report a failure."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.mirrorops.event_streams.plugins.modules import (
    mirroring,
    mirroring_info,
    readiness_info,
    topic_selection,
)
from ansible_collections.mirrorops.event_streams.tests.faults.matrix import mirrored, path_of
from ansible_collections.mirrorops.event_streams.tests.faults.stage import (
    AUTHORIZED,
    ENABLED,
    SOURCE,
    TARGET,
    TOPICS,
    Stage,
    scenario,
)
from simulator import Simulator

AGE = 300
PAIR: dict[str, Any] = {"source": SOURCE, "target": TARGET, "topics": TOPICS, "wait": True, "max_age": AGE}
Start = Callable[..., Simulator]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a simulator."""
    running: list[Simulator] = []

    def start(**changes: Any) -> Simulator:
        running.append(Simulator(scenario(**changes)).start())
        return running[-1]

    yield start
    for simulator in running:
        simulator.stop()
        assert simulator.violations() == []


def look_around(stage: Stage) -> None:
    """What the role setup does, and a look at the policies, the selection and the topics, so that all of them are remembered."""
    stage.run(readiness_info, **PAIR)
    stage.run(mirroring_info, **{**PAIR, "wait": False})


def writes(simulator: Simulator) -> list[str]:
    """What was sent that can change something."""
    return [f"{entry['method']} {path_of(entry)}" for entry in simulator.writes()]


def test_what_another_run_has_done_meanwhile_is_not_done_again(start: Start) -> None:
    """Neither authorization nor update nor selection: each is read anew right before it would be written."""
    simulator = start()
    ours, theirs = Stage(simulator), Stage(simulator)
    look_around(ours)
    theirs.mirror()
    simulator.clear_journal()
    assert ours.bind(SOURCE, TARGET)["changed"] is False
    enabled, selected = ours.enable(PAIR)
    assert (enabled["changed"], selected["changed"]) == (False, False)
    assert ours.validate(PAIR)["verdict"] == "mirroring"
    assert writes(simulator) == []
    assert mirrored(simulator)


@pytest.mark.parametrize("echo", ["full", "none"])
def test_an_update_that_began_meanwhile_is_joined(start: Start, echo: str) -> None:
    simulator = start(policies=AUTHORIZED, switches={"echo": echo})
    ours, theirs = Stage(simulator), Stage(simulator)
    look_around(ours)
    theirs.run(mirroring, source=SOURCE, target=TARGET, wait=False)
    simulator.clear_journal()
    enabled, _selected = ours.enable(PAIR)
    assert enabled["changed"] is False
    assert not [entry for entry in simulator.writes() if entry["method"] == "PATCH"]
    assert mirrored(simulator)


def test_a_selection_that_was_changed_meanwhile_is_seen_before_it_is_set(start: Start) -> None:
    """The read of before differs from what is wanted; the one right before the write does not."""
    simulator = start(policies=AUTHORIZED, target={**ENABLED, "selection": ["^audit$"]})
    ours = Stage(simulator)
    look_around(ours)
    simulator.instance(TARGET).selection = list(TOPICS)
    done = ours.run(topic_selection, target=TARGET, topics=TOPICS, max_age=AGE)
    assert (done["changed"], writes(simulator)) == (False, [])


def test_what_seems_wrong_is_looked_at_again_before_it_is_told(start: Start) -> None:
    simulator = start(policies=AUTHORIZED, target={**ENABLED, "selection": ["^audit$"]})
    ours = Stage(simulator)
    look_around(ours)
    simulator.instance(TARGET).selection = list(TOPICS)
    simulator.clock.advance(60)
    assert ours.validate(PAIR)["verdict"] == "mirroring"


def test_validate_itself_asks_the_target(start: Start) -> None:
    """Its last operation and what it mirrors now, however little time has passed."""
    simulator = start(policies=AUTHORIZED, target=ENABLED)
    ours = Stage(simulator)
    ours.mirror()
    simulator.instance(TARGET).mirroring = None
    verdict = ours.run(mirroring_info, **PAIR)["verdict"]
    assert verdict == "not_mirroring"


def test_a_read_is_used_for_so_long_and_no_longer(start: Start) -> None:
    simulator = start(policies=AUTHORIZED, target=ENABLED)
    ours = Stage(simulator)
    ours.mirror()
    counts = []
    for seconds in (0, 0, AGE + 1):
        simulator.clear_journal()
        simulator.clock.advance(seconds)
        ours.run(topic_selection, target=TARGET, topics=TOPICS, max_age=AGE)
        counts.append(len(simulator.journal))
    assert counts == [0, 0, 2]


def test_by_default_everything_is_read_anew(start: Start) -> None:
    """A task that somebody repeats until something has happened must not see the past."""
    simulator = start(policies=AUTHORIZED, target=ENABLED)
    ours = Stage(simulator)
    counts: collections.Counter[int] = collections.Counter()
    for number in range(3):
        simulator.clear_journal()
        ours.run(mirroring_info, source=SOURCE, target=TARGET, topics=TOPICS)
        counts[number] = len(simulator.journal) - (number == 0)  # the token
    assert len(set(counts.values())) == 1
    assert counts[0] > 5
