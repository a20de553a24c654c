# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `mirror`: predicted, done, and done again."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.every_core

WRITERS = ("authorization_policy", "mirroring", "topic_selection")


def assert_differences(run: Any) -> None:
    """Every task that writes shows before and after, in its result and to people."""
    for writer in WRITERS:
        (result,) = [one for one in run.results(writer) if one.get("changed")]
        assert result["diff"]["before"] != result["diff"]["after"], writer
    shown = [line.strip() for line in run.stdout.splitlines() if line.startswith(("-", "+"))]
    assert any(line.startswith("+") and '"^orders$"' in line for line in shown)
    assert any(line.startswith("-") and '"enabled": false' in line for line in shown)
    assert any(line.startswith("+") and '"enabled": true' in line for line in shown)
    assert any(line.startswith("+") and "Reader" in line for line in shown)


def test_predicted_done_and_done_again(simulator: Any, playbook: Any, observe: Any) -> None:
    seen = observe(simulator)

    predicted = playbook.mirror("--check", "--diff").worked()
    seen.untouched()
    assert_differences(predicted)

    done = playbook.mirror("--diff").worked()
    assert predicted.changes == done.changes
    assert done.changed == len(WRITERS)
    seen.mirrored()
    assert done.facts["validate_result"]["verdict"] == "mirroring"
    assert_differences(done)

    simulator.clear_journal()
    again = playbook.mirror("--diff").worked()
    assert again.changed == 0
    assert [line for line in again.stdout.splitlines() if line.startswith(("-  ", "+  "))] == []
    seen.untouched()


def test_progress_is_shown_while_it_waits(simulate: Any, playbook: Any) -> None:
    simulate(timing={"operation_seconds": 2.5})
    run = playbook.mirror().worked()
    shown = [line for line in run.stdout.splitlines() if line.startswith("us-south -> us-east: ")]
    told = [line.rpartition("0:00:")[2][3:] for line in shown]
    assert told[:3] == [
        "update accepted",
        "update in progress: Update in progress.",
        "update succeeded: Update succeeded.",
    ]
    assert told[3:] in ([], ["waiting for what is selected to appear on the target"])


def test_another_selection(simulator: Any, playbook: Any, observe: Any) -> None:
    """Only the selection is written, as a whole."""
    playbook.mirror(mirroring_topics=["^audit$"]).worked()
    simulator.clear_journal()
    run = playbook.mirror().worked()
    assert run.changed == 1
    (write,) = simulator.writes()
    assert write["body"] == {"includes": ["^orders$", "^payments$"]}
    names = {"audit": "audit.us-south", "orders": "orders.us-south", "payments": "payments.us-south"}
    observe(simulator).mirrored(names=names, updates=0)


def test_what_somebody_changed_is_put_right(simulator: Any, playbook: Any, observe: Any) -> None:
    """The authorization is deleted and the selection emptied behind our back."""
    playbook.mirror().worked()
    (policy,) = simulator.state.policies.by_id.values()
    policy.state = "deleted"
    simulator.instance("es-target-us-east").selection = []
    simulator.clear_journal()
    run = playbook.mirror().worked()
    assert run.changed == 2
    observe(simulator).mirrored(updates=0)
