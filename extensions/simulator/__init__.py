# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict local simulator of the IBM Cloud APIs that mirroring needs. Standard library only."""

from __future__ import annotations

from .scenario import ScenarioError, load_scenario, scenario_names
from .simulator import Simulator
from .switches import SWITCHES

__all__ = ["SWITCHES", "ScenarioError", "Simulator", "load_scenario", "scenario_names"]
