# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failover as it is handed over to be recorded: what was seen before and after, and what the steps returned."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import ACCOUNT, SOURCE, TARGET

BEGAN = "2026-01-01T10:00:00Z"
FORWARD = "us-south -> us-east"


def crn(region: str, guid: str) -> str:
    """The CRN of an instance."""
    return f"crn:v1:bluemix:public:messagehub:{region}:a/{ACCOUNT}:{guid}::"


def _side(name: str, region: str, guid: str, mirroring: dict[str, t.Any], topics: list[str] | None) -> dict[str, t.Any]:
    return {
        "name": name,
        "crn": crn(region, guid),
        "guid": guid,
        "region": region,
        "alias": region,
        "asked": True,
        "state": "active",
        "operation": {
            "type": "update",
            "state": "succeeded",
            "description": "Update succeeded.",
            "updated_at": "2026-01-01T09:12:00.123Z",
        },
        "mirroring": mirroring,
        "topics": topics,
        "authorized": True if mirroring["enabled"] else None,
        "unreadable": None,
    }


OFF: dict[str, t.Any] = {"enabled": False, "known": {"enabled": "observed"}}
ON: dict[str, t.Any] = {
    "enabled": True,
    "source_crn": crn("us-south", SOURCE),
    "source_alias": "us-south",
    "target_alias": "us-east",
    "topic_name_transform": {"type": "rename", "rename": {"add_prefix": "dr."}},
    "group_id_transform": {"type": "none"},
    "schemas": "inactive",
    "known": {"enabled": "observed", "source_crn": "echoed", "source_alias": "inferred"},
}
PLAN: list[dict[str, t.Any]] = [
    {
        "action": action,
        "side": side,
        "instance": f"es-{side}",
        "direction": FORWARD,
        "words": words,
        "seconds": seconds,
        "final": final,
    }
    for action, side, words, seconds, final in (
        ("wait_for_lag", "target", "wait until es-target has everything", 0, False),
        ("clear_selection", "target", "select no topics on es-target", 0, True),
        ("disable", "target", "disable mirroring on es-target", 7200, True),
        ("revoke", "target", "delete the authorization of es-target", 0, True),
        ("validate", "target", "see that nothing is mirrored", 300, False),
    )
]
BEFORE: dict[str, t.Any] = {
    "requested": {"source": "es-source", "target": "es-target"},
    "verb": "failover",
    "mode": "planned",
    "at": BEGAN,
    "direction": "forward",
    "now": FORWARD,
    "normal": FORWARD,
    "identity": "IBMid-550000ABCD",
    "sides": {
        "source": _side("es-source", "us-south", SOURCE, OFF, None),
        "target": _side("es-target", "us-east", TARGET, ON, ["^orders$", "^payments$"]),
    },
    "lag": {"known": True, "worst": {"topic": "orders", "seconds": 12.0}, "at": "2026-01-01T09:58:00Z", "reason": ""},
    "steps": PLAN,
    "actions": [step["action"] for step in PLAN],
    "findings": [
        {"rule": "network", "status": "warn", "message": "Nobody knows.", "remedy": "Try it.", "evidence": {}},
        {"rule": "operation", "status": "pass", "message": "No update is running.", "remedy": "", "evidence": {}},
    ],
    "notes": ["Mirroring to es-target is charged until it is disabled."],
    "manual": ["After: Start producers on us-east."],
    "continues": None,
}
AFTER: dict[str, t.Any] = {
    **BEFORE,
    "at": "2026-01-01T10:44:10Z",
    "direction": "none",
    "now": "nothing is mirrored",
    "sides": {**BEFORE["sides"], "target": _side("es-target", "us-east", TARGET, OFF, None)},
    "lag": None,
    "steps": [],
    "findings": [],
    "notes": [],
}


def evidence(start: str, end: str, *writes: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a task says of itself; times of day."""
    return {"started_at": f"2026-01-01T{start}Z", "ended_at": f"2026-01-01T{end}Z", "writes": list(writes)}


def write(at: str, method: str, path: str, status: int | None, transaction: str | None) -> dict[str, t.Any]:
    """A request that was to write something."""
    return {
        "at": f"2026-01-01T{at}Z",
        "method": method,
        "path": path,
        "status": status,
        "transaction_id": transaction,
    }


WAITED: dict[str, t.Any] = {
    "changed": False,
    "accepted": True,
    "summary": ["us-south -> us-east: mirroring", "12 checks"],
    "lag": {
        "state": "within",
        "accepted": 60.0,
        "at": "2026-01-01T10:02:00Z",
        "worst": {"topic": "payments", "seconds": 1.5},
        "silent": ["audit"],
    },
    "evidence": evidence("10:01:00", "10:02:05"),
}
CLEARED: dict[str, t.Any] = {
    "changed": True,
    "evidence": evidence(
        "10:02:06", "10:02:09", write("10:02:07", "POST", "/admin/mirroring/topic-selection", 202, "5e0f2c1a")
    ),
}
SUBMITTED: dict[str, t.Any] = {
    "changed": True,
    "deferred": True,
    "left_running": False,
    "evidence": evidence(
        "10:02:10",
        "10:02:40",
        write("10:02:11", "PATCH", f"/v2/resource_instances/{TARGET}", None, "bss-one"),
        write("10:02:39", "PATCH", f"/v2/resource_instances/{TARGET}", 202, "bss-two"),
    ),
}
DISABLED: dict[str, t.Any] = {"changed": False, "evidence": evidence("10:02:41", "10:43:22")}
SKIPPED: dict[str, t.Any] = {"changed": False, "skipped": True, "skip_reason": "Conditional result was False"}
LOOKED: dict[str, t.Any] = {
    "changed": False,
    "accepted": True,
    "summary": ["nothing is mirrored"],
    "evidence": evidence("10:43:23", "10:44:00"),
}
FAILED: dict[str, t.Any] = {
    "changed": True,
    "failed": True,
    "msg": "Failed to disable mirroring: no answer.",
    "failure": {"kind": "no_answer"},
    "evidence": evidence(
        "10:02:10", "10:03:00", write("10:02:11", "PATCH", f"/v2/resource_instances/{TARGET}", None, None)
    ),
}
STEPS: list[dict[str, t.Any]] = [
    {"action": "wait_for_lag", "results": [WAITED]},
    {"action": "clear_selection", "results": [CLEARED]},
    {"action": "disable", "results": [SUBMITTED, DISABLED]},
    {"action": "revoke", "results": [SKIPPED]},
    {"action": "validate", "results": [LOOKED]},
]
STEPS_OF_A_FAILURE: list[dict[str, t.Any]] = [
    *STEPS[:2],
    {"action": "disable", "results": [FAILED, {}]},
    {"action": "revoke", "results": [{}]},
    {"action": "validate", "results": [{}]},
]


def changed(document: dict[str, t.Any], **changes: t.Any) -> dict[str, t.Any]:
    """A copy with other members."""
    return {**copy.deepcopy(document), **changes}
