# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict local simulator of the IBM Cloud APIs that mirroring needs. Standard library only."""

from __future__ import annotations

from .rehearsal import Rehearsal, scenario_of
from .scenario import ScenarioError, load_scenario, scenario_names
from .simulator import Simulator
from .snapshot import SnapshotError, load_snapshot
from .switches import SWITCHES

__all__ = [
    "SWITCHES",
    "Rehearsal",
    "ScenarioError",
    "Simulator",
    "SnapshotError",
    "load_scenario",
    "load_snapshot",
    "scenario_names",
    "scenario_of",
]
