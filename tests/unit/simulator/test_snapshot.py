# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots that are none, broken or foreign end in one message; on the command line, too."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from simulator import ScenarioError, Simulator, SnapshotError, load_scenario, load_snapshot, scenario_of

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
SOURCE, TARGET = "11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002"


def instance(guid: str, name: str, region: str) -> dict[str, Any]:
    return {
        "crn": f"crn:v1:bluemix:public:messagehub:{region}:a/{ACCOUNT}:{guid}::",
        "guid": guid,
        "name": name,
        "region": region,
        "account_id": ACCOUNT,
        "resource_group_id": "5c49eabcf5e85881a37e2d100a33b3df",
        "plan": "enterprise",
        "resource_plan_id": "ibm.message.hub.enterprise.3nodes.2tb",
        "state": "active",
        "locked": False,
        "throughput": 150,
        "storage_size": 2048,
        "admin_url": "https://mh-a.us-south.containers.appdomain.cloud",
        "service_endpoints": "public",
        "private_addresses": ["166.9.14.10"],
        "last_operation": {"type": "create", "state": "succeeded", "description": "", "updated_at": None},
        "updated_at": None,
    }


def mirroring(guid: str, **changes: Any) -> dict[str, Any]:
    names = ("source_crn", "source_alias", "target_alias", "topic_name_transform", "group_id_transform", "schemas")
    known = dict.fromkeys(("enabled", *names), "unknown")
    off = {**dict.fromkeys(names), "enabled": False, "known": known, "topics": None, "active_topics": None}
    return {"instance": guid, **off, **changes}


def attributes(guid: str) -> list[dict[str, Any]]:
    values = {"accountId": ACCOUNT, "serviceName": "messagehub", "serviceInstance": guid}
    return [{"key": key, "operator": "stringEquals", "value": value} for key, value in values.items()]


GOOD: dict[str, Any] = {
    "format": 1,
    "taken_at": "2026-01-01T00:00:00Z",
    "accounts": [ACCOUNT],
    "pairs": [{"name": "localhost", "source": SOURCE, "target": TARGET, "declared": {"topics": ["^orders$"]}}],
    "instances": [instance(SOURCE, "es-source", "us-south"), instance(TARGET, "es-target", "us-east")],
    "policies": [
        {
            "id": "d0806031-8905-4832-a948-205aed4b4fd4",
            "version": "v1",
            "state": "active",
            "description": None,
            "roles": ["Reader"],
            "subject": attributes(TARGET),
            "resource": attributes(SOURCE),
            "created_at": None,
        }
    ],
    "mirroring": [mirroring(SOURCE), mirroring(TARGET)],
    "topics": {SOURCE: [{"name": "orders", "partitions": 6, "internal": False}], TARGET: []},
    "metrics": [
        {
            "instance": SOURCE,
            "monitoring_instance": "33333333-aaaa-4bbb-8ccc-000000000001",
            "at": "2026-01-01T00:00:00Z",
            "latency": {},
            "traffic": {"orders": {"bytes_in": 1e6}},
            "mirroring_throughput": None,
        }
    ],
    "unknown": [
        {"pair": "localhost", "instance": TARGET, "name": "es-target", "what": "metrics", "reason": "nothing there"}
    ],
}


def test_a_good_one() -> None:
    rehearsal = scenario_of(GOOD)
    with Simulator(rehearsal.scenario) as simulator:
        assert simulator.instance("es-source").topics["orders"].partitions == 6
        assert simulator.environment()["IC_API_KEY"] == f"simulated-{ACCOUNT}"
    assert [line for line in rehearsal.assumed if "metrics" in line] == [
        "es-target: metrics: nothing there. The rehearsal has no IBM Cloud Monitoring for it."
    ]


def changed(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The good one with another value in one place."""
    snapshot = copy.deepcopy(GOOD)
    holder: Any = snapshot
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return snapshot


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("format",), 2, "the format 2, and only 1 is known"),
        (("format",), True, "the format True"),
        (("surprise",), 1, "unknown member 'surprise'"),
        (("pairs",), [], "snapshot.pairs is empty"),
        (("pairs", 0, "source"), "x", "snapshot.instances lacks 'x'"),
        (("accounts",), ["x"], "'x' is not 32 hexadecimal digits"),
        (("accounts",), ["0" * 32], "is in the unknown account"),
        (("instances", 0, "guid"), TARGET, "an instance twice"),
        (("instances", 0, "crn"), "crn:v1", "ten segments"),
        (("instances", 0, "region"), "eu-de", "its CRN names another"),
        (("instances", 0, "throughput"), 0, "throughput is out of range"),
        (("instances", 0, "last_operation"), None, "last_operation must be an object"),
        (("policies", 0, "subject", 0, "operator"), "timeOfDay", "operator must be one of"),
        (("policies", 0, "resource"), [], "does not belong to one of the accounts"),
        (("policies", 0, "state"), "deleted", "state must be one of active"),
        (("mirroring", 1), mirroring(SOURCE), "an instance twice"),
        (("mirroring",), [mirroring(SOURCE)], f"snapshot.mirroring lacks '{TARGET}'"),
        (("topics", SOURCE, 0, "partitions"), -1, "partitions is out of range"),
        (("topics", TARGET), [{"name": "a", "partitions": 1}] * 2, "a topic of"),
        (("metrics", 0, "monitoring_instance"), "x", "'x' is not a GUID"),
        (("metrics", 0, "traffic"), {"orders": {"bytes_in": -1}}, "must be a number"),
        (("unknown", 0, "reason"), None, "reason must be a string"),
    ],
)
def test_what_is_wrong_is_told(place: tuple[Any, ...], value: Any, words: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        load_snapshot(changed(place, value))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"format": NaN}', "NaN is no number"),
        ("[]", "this is no snapshot"),
        ('{"instances": []}', "this is no snapshot"),
        ('{"format": 1}', "snapshot lacks 'taken_at'"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "file.json"
    path.write_text(text)
    with pytest.raises(SnapshotError, match=words):
        load_snapshot(path)
    with pytest.raises(SnapshotError, match="cannot read snapshot"):
        load_snapshot(tmp_path / "nothing")


PLACES = [
    ("format",), ("accounts", 0), ("pairs", 0), ("pairs", 0, "declared"), ("pairs", 0, "declared", "topics"),
    ("instances", 0), ("instances", 1, "crn"), ("instances", 1, "state"), ("instances", 1, "resource_plan_id"),
    ("instances", 1, "last_operation", "state"), ("policies", 0), ("policies", 0, "roles"),
    ("policies", 0, "subject", 0, "value"), ("policies", 0, "created_at"), ("mirroring", 1),
    ("mirroring", 1, "enabled"), ("mirroring", 1, "source_crn"), ("mirroring", 1, "topic_name_transform"),
    ("mirroring", 1, "topics"), ("topics", SOURCE), ("topics", SOURCE, 0, "name"), ("metrics", 0, "latency"),
    ("unknown", 0, "what"),
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(place=st.sampled_from(PLACES), value=values, enabled=st.booleans())
def test_whatever_it_holds_it_is_refused_or_becomes_a_cloud(place: tuple[Any, ...], value: Any, enabled: bool) -> None:
    snapshot = changed(place, value)
    if enabled and place[:2] != ("mirroring", 1):
        snapshot["mirroring"][1] = mirroring(TARGET, enabled=True, topics=["^orders$"])
    try:
        Simulator(scenario_of(snapshot).scenario).snapshot()
    except (SnapshotError, ScenarioError) as error:
        assert str(error)


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "simulator", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "extensions")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_scenario_to_edit(tmp_path: Path) -> None:
    (tmp_path / "estate.json").write_text(json.dumps(GOOD))
    done = command("--snapshot", tmp_path / "estate.json", "--write-scenario", tmp_path / "scenario.json")
    assert done.returncode == 0, done.stderr
    assert "simulator: es-target: metrics: nothing there." in done.stderr
    assert load_scenario(tmp_path / "scenario.json") == scenario_of(GOOD).scenario
    assert (tmp_path / "scenario.json").stat().st_mode & 0o777 == 0o600


def test_bad_command_lines(tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("{}")
    done = command("--snapshot", tmp_path / "none.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "simulator: this is no snapshot" in done.stderr
    assert command("--snapshot", "x", "--scenario", "demo").returncode == 2
    assert "goes with --snapshot" in command("--scenario", "demo", "--write-scenario", "x").stderr
