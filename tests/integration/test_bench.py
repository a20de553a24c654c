# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark compares what it says it does: `make bench`, with tiny fleets and nothing about time."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[1] / "bench"
PAIRS = 2
BY_ITSELF = ("id", "href", "created_at", "created_by_id", "last_modified_at", "last_modified_by_id", "description")


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


def settled(state: dict[str, Any], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A state of the cloud without what nobody chooses."""
    policies = [{name: policy[name] for name in policy if name not in BY_ITSELF} for policy in state["policies"]]
    instances = [
        {name: value for name, value in instance.items() if name not in without}
        for instance in state["instances"].values()
    ]
    return {"policies": sorted(policies, key=json.dumps), "instances": instances}


def converged(case: str, folder: Path) -> dict[str, Any]:
    """The state after a case was run twice on fresh pairs; the second time nothing changes and nothing is written."""
    from cases import CASES, Scene, run
    from cloud import Cloud

    with Cloud(folder, PAIRS, mirrored=False) as cloud:
        scene = Scene(folder / case, cloud, PAIRS)
        assert run(CASES[case], scene, 1).changed == 3 * PAIRS
        second = run(CASES[case], scene, 2)
        assert second.changed == 0
        writes = {name for name in second.endpoints if not name.startswith("GET ")}
        assert writes == {"POST /identity/token"}
        assert second.endpoints["POST /identity/token"] == 1
        return cloud.state()


@pytest.mark.slow
def test_all_ways_end_in_the_same_state(tmp_path: Path) -> None:
    """The playbook with plain HTTP calls, the collection's, and the scenario that the benchmark starts with."""
    from cloud import Cloud

    mine, theirs = converged("collection", tmp_path), converged("uri", tmp_path)
    assert settled(theirs) == settled(mine)
    with Cloud(tmp_path, PAIRS) as cloud:
        start = cloud.state()
    history = ("operation", "parameters")
    assert settled(start, without=history) == settled(mine, without=history)


def test_the_benchmark(tmp_path: Path) -> None:
    options = ["--sizes", f"1,{PAIRS}", "--rounds", "1", "--only", "floor,limit,empty", "--write", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(BENCH / "bench.py"), *options], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr

    measured = json.loads((tmp_path / "measurements.json").read_text())
    (mine, floor, limit) = (one for one in measured if one["pairs"] == PAIRS)
    assert [one["case"] for one in (mine, floor, limit)] == ["collection", "floor", "limit"]
    assert floor["tasks"] == mine["tasks"] > 0
    assert floor["requests"] == 0
    assert limit["endpoints"] == mine["endpoints"]
    assert sum(mine["endpoints"].values()) == mine["requests"] > PAIRS
    for one in measured:
        assert one["cpu"] > 0
        assert one["wall"] > 0
        assert one["memory"] > 5

    text = (tmp_path / "README.md").read_text()
    assert text in done.stdout
    row = next(line for line in text.splitlines() if line.startswith("| CPU, collection / floor"))
    assert f"{mine['cpu'] / floor['cpu']:.2f}" in row
    assert str(tmp_path) not in text
    drawn = xml.etree.ElementTree.fromstring((tmp_path / "benchmark.svg").read_text())
    assert len([one for one in drawn.iter() if one.tag.endswith("polyline")]) == 2 * 3
