# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.mirrorops.event_streams.plugins.filter.pair_outcomes import FilterModule
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.outcomes import STEPS, outcome, report

ROLES = pathlib.Path(__file__).parents[5] / "roles"
READY = {"setup_result": {"ready": True, "aliases": {"source": "a", "target": "b"}}}
SUBMITTED = {**READY, "bindings_result": {}, "enable_result": {"waiting": True}}
DONE = {**READY, "bindings_result": {}, "enable_result": {"waiting": False}}


def looked(verdict: str, problems: str = "") -> dict[str, t.Any]:
    return {"validate_result": {"verdict": verdict, "problems": problems, "accepted": not problems}}


def audited(verdict: str, problems: str = "", now: str | None = None) -> dict[str, t.Any]:
    aliases = {"source": "a", "target": "b"}
    return {"audit_result": {"verdict": verdict, "problems": problems, "direction": {"now": now}, "aliases": aliases}}


def recovered(verb: str, outcome: str, now: str = "a -> b, with no topics selected") -> dict[str, t.Any]:
    return {
        f"{verb}_result": {"outcome": outcome, "accepted": True, "problems": "", "now": now, "direction": "forward"}
    }


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({**DONE, **looked("mirroring")}, "x: a -> b: mirroring"),
        (looked("mirroring"), "x: mirroring"),
        (
            {**DONE, **looked("not_mirroring", "A topic is missing.")},
            "x: a -> b: failed in validate: A topic is missing.",
        ),
        ({**DONE, **looked("predicted")}, "x: a -> b: predicted"),
        ({**SUBMITTED, **looked("pending")}, "x: a -> b: submitted and not waited for; validate waits and looks"),
        ({**SUBMITTED, **looked("unknown")}, "x: a -> b: submitted and not waited for; validate waits and looks"),
        ({**DONE, **looked("unknown", "Who knows?")}, "x: a -> b: failed in validate: Who knows?"),
        ({**SUBMITTED, **looked("mirroring")}, "x: a -> b: mirroring"),
        ({"__setup_task": {"failed": True, "msg": "No such instance."}}, "x: failed in setup: No such instance."),
        (
            {"setup_result": {**READY["setup_result"], "ready": False, "problems": "Too small."}},
            "x: a -> b: failed in setup: Too small.",
        ),
        ({**DONE, "__validate_task": {"skipped": True}}, "x: a -> b: stopped after enable, see above"),
        ({"__setup_task": {"skipped": True}}, "x: nothing was done: not begun, or stopped at the start"),
        ({**READY, "__enable_submit": {"failed": True, "msg": "No."}}, "x: a -> b: failed in enable: No."),
        ({**READY, "__enable_submit": {"failed": True}}, "x: a -> b: failed in enable: see above"),
        ({**SUBMITTED, "__enable_wait": {"skipped": True}}, "x: a -> b: stopped after enable, see above"),
        ({}, "x: nothing was done: not begun, or stopped at the start"),
        (audited("ready", now="a -> b"), "x: a -> b: ready"),
        (recovered("failover", "done"), "x: a -> b, with no topics selected: failover done"),
        (
            {**audited("ready", now="a -> b"), **recovered("reverse", "under way", "b -> a")},
            "x: b -> a: reverse under way",
        ),
        (
            {"reverse_result": {"accepted": False, "outcome": "refused", "problems": "Too early.", "now": "a -> b"}},
            "x: a -> b: failed in reverse: Too early.",
        ),
        (
            {"__recovery_before": {"failed": True, "msg": "No such instance."}},
            "x: failed in recovery: No such instance.",
        ),
        ({"cleanup_result": {"deleted": ["orders.a"], "problems": ""}}, "x: cleaned up"),
        ({"cleanup_result": {"deleted": [], "problems": ""}}, "x: listed"),
        ({"cleanup_result": {"problems": "Still fed."}}, "x: failed in cleanup: Still fed."),
        ({"cleanup_result": {"problems": "", "awaits_confirmation": True}}, "x: failed in cleanup: not confirmed"),
        (audited("not_ready", "Too small.", now="b -> a"), "x: b -> a: not ready in audit: Too small."),
        (audited("unknown", "Who knows?"), "x: a -> b: unknown in audit: Who knows?"),
        ({**DONE, **looked("mirroring"), **audited("ready", now="a -> b")}, "x: a -> b: ready"),
        (
            {**DONE, **looked("not_mirroring", "No."), **audited("ready", now="a -> b")},
            "x: a -> b: failed in validate: No.",
        ),
        ({"__audit_task": {"failed": True, "msg": "No such instance."}}, "x: failed in audit: No such instance."),
    ],
)
def test_outcomes(variables: dict[str, t.Any], line: str) -> None:
    assert outcome(variables).line("x") == line


def test_the_report_counts_and_puts_trouble_last() -> None:
    hostvars = {
        "one": {},
        "two": {**DONE, **looked("mirroring")},
        "three": {"__setup_task": {"failed": True, "msg": "No."}},
        "four": looked("mirroring"),
    }
    expected = [
        "4 pairs: 2 mirroring, 1 nothing, 1 failed",
        "two: a -> b: mirroring",
        "four: mirroring",
        "one: nothing was done: not begun, or stopped at the start",
        "three: failed in setup: No.",
    ]
    assert report(hostvars, hostvars) == expected
    assert FilterModule().filters()["pair_outcomes"](hostvars, list(hostvars)) == expected


def test_pairs_that_are_not_ready_come_last() -> None:
    hostvars = {"one": audited("not_ready", "No."), "two": audited("ready"), "three": audited("unknown", "Who knows?")}
    assert report(hostvars, hostvars) == [
        "3 pairs: 1 not ready, 1 ready, 1 unknown",
        "two: a -> b: ready",
        "one: a -> b: not ready in audit: No.",
        "three: a -> b: unknown in audit: Who knows?",
    ]


def test_every_result_that_a_role_registers_is_known() -> None:
    """Else a pair that fails there would be told as stopped, without a reason."""
    for role, names in STEPS.items():
        tasks = yaml.safe_load((ROLES / role / "tasks/main.yml").read_text())
        assert {task["register"] for task in tasks if "register" in task} == set(names)
        assert re.search(rf"^ +(__)?{role}_result:", (ROLES / role / "tasks/main.yml").read_text(), re.MULTILINE)
