# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.snapshot import (
    SETTINGS,
    fleet_snapshot,
    pair_snapshot,
    snapshot_lines,
)
from ansible_collections.mirrorops.event_streams.tests.unit.plugins.support import (
    ACCOUNT,
    OTHER_ACCOUNT,
    SOURCE,
    TARGET,
)

POLICY = {
    "id": "p1",
    "version": "v1",
    "state": "active",
    "description": None,
    "roles": ["Reader"],
    "subject": [],
    "resource": [],
    "created_at": None,
    "covers": True,
}
REFUSED = {"failed": False, "msg": "Failed to ...", "failure": {"status": 403, "reason": "no right to do that."}}
SILENT = {"failure": {"status": None, "reason": "no answer"}}


def instance(guid: str, name: str, **changes: t.Any) -> dict[str, t.Any]:
    known = {"plan": "enterprise", "state": "active", "throughput": 150, "storage_size": 2048}
    return {"guid": guid, "name": name, "account_id": ACCOUNT, **known, **changes}


def mirroring(enabled: bool | None, topics: list[str] | None = None, how: str = "echoed") -> dict[str, t.Any]:
    known = {"enabled": "observed", **dict.fromkeys(SETTINGS, how)}
    return {
        "mirroring": {"enabled": enabled, **dict.fromkeys(SETTINGS), "known": known},
        "topics": topics,
        "active_topics": topics,
        "evidence": {"started_at": "2026-01-01T00:00:00Z"},
        "findings": [],
    }


def metrics() -> dict[str, t.Any]:
    return {
        "monitoring_instance": "m",
        "at": "2026-01-01T00:00:00Z",
        "topics": [{"topic": "orders", "bytes_in": {"now": 5.0}, "bytes_out": {"now": None}}],
        "lag": {"topics": [{"topic": "orders", "seconds": 1.5}]},
        "mirroring_throughput": {"now": None, "peak": 1.0},
    }


def read(**changes: t.Any) -> dict[str, t.Any]:
    topics = [{"name": "orders", "partitions": 6, "internal": False}]
    return {
        "source": instance(SOURCE, "s"),
        "target": instance(TARGET, "t"),
        "source_policies": {"policies": [POLICY, {**POLICY, "id": "somebody else's", "covers": False}]},
        "target_policies": {"policies": [{**POLICY, "covers": False}]},
        "source_mirroring": mirroring(False),
        "target_mirroring": mirroring(True, ["^orders$"]),
        "source_topics": {"topics": topics},
        "target_topics": {"topics": []},
        "source_metrics": metrics(),
        "target_metrics": metrics(),
        "declared": {"topics": ["^orders$"], "schemas": None},
        **changes,
    }


def unknown(**changes: t.Any) -> list[tuple[str, str, str]]:
    return [(one["name"], one["what"], one["reason"]) for one in pair_snapshot(read(**changes), "p")["unknown"]]


def test_a_pair() -> None:
    document = pair_snapshot(read(), "p")
    assert document["pairs"] == [
        {"name": "p", "source": SOURCE, "target": TARGET, "declared": {"topics": ["^orders$"]}}
    ]
    assert [one["id"] for one in document["policies"]] == ["p1"]
    assert "covers" not in document["policies"][0]
    assert document["mirroring"][1]["topics"] == ["^orders$"]
    assert "findings" not in document["mirroring"][1]
    assert document["topics"][SOURCE][0]["partitions"] == 6
    assert document["metrics"][0]["traffic"] == {"orders": {"bytes_in": 5.0}}
    assert document["metrics"][1]["latency"] == {"orders": 1.5}
    assert document["unknown"] == []


def test_what_could_not_be_read() -> None:
    assert unknown(source_topics=REFUSED) == [("s", "topics", "no right to do that (HTTP 403)")]
    assert unknown(target_metrics=SILENT) == [("t", "metrics", "no answer")]
    assert unknown(source_policies=REFUSED) == [("s", "policies", "no right to do that (HTTP 403)")]
    (empty,) = unknown(target_policies={"policies": []})
    assert (empty[0], empty[1], "may only mean" in empty[2]) == ("t", "policies", True)
    assert [one[:2] for one in unknown(target_mirroring=mirroring(None))] == [("t", "mirroring")]
    hidden = unknown(target_mirroring=mirroring(True, how="unknown"))
    assert [one[1] for one in hidden] == ["selection", *SETTINGS]
    odd = unknown(source=instance(SOURCE, "s", throughput=None, plan="unknown", state="unknown"))
    assert [one[1] for one in odd] == ["throughput", "plan", "state"]


def test_pairs_that_share_an_instance() -> None:
    earlier = {**mirroring(True), "evidence": {"started_at": "2025-12-31T00:00:00Z"}}
    target = instance(TARGET, "t", account_id=OTHER_ACCOUNT)
    other = read(
        source_mirroring=mirroring(None), source=instance(SOURCE, "later"), target=target, target_mirroring=earlier
    )
    variables = {name: {"snapshot_result": {"read": one}} for name, one in (("a", read()), ("b", other))}
    document = fleet_snapshot(["a", "b", "lost"], {**variables, "lost": {}})
    assert [one["name"] for one in document["instances"]] == ["later", "t"]
    assert document["mirroring"][0]["enabled"] is False
    assert document["accounts"] == sorted([ACCOUNT, OTHER_ACCOUNT])
    assert document["taken_at"] == "2025-12-31T00:00:00Z"
    assert len(document["policies"]) == 1
    lines = snapshot_lines(document)
    assert lines[:3] == [
        "pairs: 2, instances: 2, topics: 1, authorizations: 1, unknown: 3",
        "a: later -> t",
        "b: later -> t",
    ]
    assert lines[-1].startswith("[unknown] lost: pair: it could not be read")
