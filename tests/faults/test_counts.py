# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counts in the guide on reliability are those of the tests."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.mirrorops.event_streams.tests.faults import (
    matrix,
    recovery_flows,
    test_bad_input,
    test_hostile_answers,
    test_joining,
    test_matrix,
)
from ansible_collections.mirrorops.event_streams.tests.faults.stage import Stage, scenario
from ansible_collections.mirrorops.event_streams.tests.integration import (
    sweep,
    test_crash_sweep,
    test_faults,
    test_recovery_killed,
)
from simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs/docsite/rst/guide_reliability.rst"


def told(test: str) -> list[int]:
    """The numbers in the last cell of the row that names a test."""
    table = GUIDE.read_text().split(":header-rows: 1")[1].split("What is not promised")[0]
    (row,) = [row for row in table.split("\n   * - ") if test in row]
    return [int(number) for number in re.findall(r"\d+", row.rpartition("\n     - ")[2])]


def collected(test: str) -> int:
    """How many situations a file has."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", "", test]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return len([line for line in listed.splitlines() if line.startswith(test)])


def test_the_matrix() -> None:
    every = sampled = 0
    for flow in matrix.FLOWS:
        with Simulator(flow.scenario) as simulator:
            cases = list(matrix.cases(matrix.undisturbed(simulator, flow)))
        every += len(cases)
        for fault in matrix.FAULTS:
            sampled += math.ceil(test_matrix.SAMPLE * sum(case.fault == fault for case in cases))
    more_than, at_least = told("tests/faults/test_matrix.py")
    assert every > more_than > 0.9 * every
    assert sampled >= at_least > 0.9 * sampled
    troubles, flows = re.findall(r"each of (\d+) troubles at each request of (\w+) flows", GUIDE.read_text())[0]
    assert (int(troubles), flows) == (len(matrix.FAULTS), "fourteen")
    assert len(matrix.FLOWS) == 14


def test_through_ansible() -> None:
    sizes = [test_faults.SAMPLED + test_faults.SAMPLED_WHEN_SLOW, test_faults.SAMPLED]
    assert told("tests/integration/test_faults.py") == sizes


def test_kills() -> None:
    at_once = dict.fromkeys(("operation_seconds", "remote_topic_seconds", "active_topic_seconds"), 0.0)
    with Simulator(scenario(timing=at_once)) as simulator:
        Stage(simulator).mirror()
        boundaries = sweep.boundaries(simulator.journal)
    worlds_and_victims = 4
    more_than, sampled = told("tests/integration/test_crash_sweep.py")
    assert worlds_and_victims * len(boundaries) > more_than > 0.9 * worlds_and_victims * len(boundaries)
    assert sampled == len(test_crash_sweep.SAMPLED_WORLDS) * (test_crash_sweep.SAMPLED + 1)


def test_kills_of_recovery() -> None:
    every = 0
    for state, verb, options in recovery_flows.VERBS:
        with Simulator(recovery_flows.at_once(state)) as simulator:
            Stage(simulator).recover(verb, **options)
            every += len(sweep.boundaries(simulator.journal))
    more_than, sampled = told("tests/integration/test_recovery_killed.py")
    assert every > more_than > 0.8 * every
    assert sampled == len(test_recovery_killed.SAMPLED_JOURNEYS) * (test_recovery_killed.SAMPLED + 1)


def test_runs_at_the_same_moment() -> None:
    assert told("tests/faults/test_joining.py") == [len(test_joining.WORLDS) * test_joining.LEAD]


def test_secrets_and_transport() -> None:
    files = ("tests/integration/test_secrets.py", "tests/integration/test_tls.py")
    assert told(files[0]) == [collected(file) for file in files]


@pytest.mark.parametrize(
    "test",
    [
        "tests/faults/test_long_waits.py",
        "tests/faults/test_propagation.py",
        "tests/faults/test_reads.py",
        "tests/faults/test_replicas.py",
    ],
)
def test_situations(test: str) -> None:
    assert told(test) == [collected(test)]


def test_generated_inputs() -> None:
    (more_than,) = told("tests/faults/test_bad_input.py")
    assert sum(test_bad_input.LEAST.values()) > more_than


def test_generated_answers() -> None:
    clients = len(test_hostile_answers.CASES) * test_hostile_answers.CLIENT_EXAMPLES
    modules = len(test_hostile_answers.RUNS) * test_hostile_answers.MODULE_EXAMPLES
    (more_than,) = told("tests/faults/test_hostile_answers.py")
    assert clients + modules > more_than
