# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compared, and how one run of it is made and measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cloud import PATTERNS, ROOT, SOURCE_REGION, TARGET_REGION, Cloud, names

HERE = Path(__file__).parent
PLAYBOOK = "mirrorops.event_streams.mirror"
RECAP = re.compile(r"^(pair-\d+) .*?: +(.*)$", re.MULTILINE)
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Measurement:
    """One run. CPU and wall time in seconds, memory in MiB; ``cloud`` is the CPU time of the simulator."""

    case: str
    pairs: int
    number: int
    wall: float
    cpu: float
    memory: float
    cloud: float
    tasks: int
    changed: int
    requests: int
    endpoints: dict[str, int]


@dataclass
class Scene:
    """A fleet, its cloud, and what its last run of the collection did: so many tasks for a host, and these reads."""

    folder: Path
    cloud: Cloud
    pairs: int
    tasks: int = 0
    reads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.inventory = self._write("inventory.json", {"pairs": {"hosts": self._hosts(), "vars": self._variables()}})

    def _hosts(self) -> dict[str, dict[str, str]]:
        sides = map(names, range(self.pairs))
        return {
            f"pair-{number:04}": {"mirroring_source": source, "mirroring_target": target}
            for number, (source, target) in enumerate(sides)
        }

    def _variables(self) -> dict[str, Any]:
        return {
            "mirroring_source_alias": SOURCE_REGION,
            "mirroring_target_alias": TARGET_REGION,
            "mirroring_topics": PATTERNS,
            "mirroring_poll_interval": 0.2,
        }

    def _write(self, name: str, what: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(what))
        return str(path)

    def ansible(self, play: str | Path, **variables: str) -> list[str]:
        """The command that runs a play for all pairs."""
        given = json.dumps({"mirroring_hosts": "pairs", **variables})
        return [sys.executable, "-m", "ansible", "playbook", str(play), "-i", self.inventory, "-e", given]

    def no_work(self, tasks: int) -> list[str]:
        """The command that runs a play of so many tasks that do nothing."""
        task = {"ansible.builtin.assert": {"that": True, "quiet": True}}
        play = {"hosts": "pairs", "connection": "local", "gather_facts": False}
        named = [{"name": f"Nothing {number}", **task} for number in range(tasks)]
        return self.ansible(self._write(f"nothing-{tasks}.json", [{**play, "tasks": named}]))

    def replay(self) -> list[str]:
        """The command that only reads what the collection has read."""
        return [sys.executable, str(HERE / "limit.py"), self._write("reads.json", self.reads)]

    def environment(self) -> dict[str, str]:
        """Nothing of the developer's; Ansible's defaults except for places."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "ansible/remote"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cl"),
            "ANSIBLE_CONNECTION_PLUGINS": str(ROOT / "tests/integration/connection"),
            "PYTHONPYCACHEPREFIX": str(self.folder.parent / "bytecode"),
            **self.cloud.environment,
        }


@dataclass(frozen=True)
class Case:
    """One way to do the work. ``most`` is the largest fleet it is tried with."""

    name: str
    description: str
    command: Callable[[Scene], list[str]]
    most: int | None = None


CASES = {
    case.name: case
    for case in (
        Case("collection", f"`{PLAYBOOK}`, its tasks in process", lambda scene: scene.ansible(PLAYBOOK)),
        Case("floor", "as many `assert` tasks that do nothing", lambda scene: scene.no_work(scene.tasks)),
        Case(
            "modules",
            "the same playbook, its tasks as ordinary modules",
            lambda scene: scene.ansible(PLAYBOOK, ansible_connection="elsewhere"),
            100,
        ),
        Case(
            "uri",
            "`tests/bench/uri_mirror.yml`, written with `ansible.builtin.uri`",
            lambda scene: scene.ansible(HERE / "uri_mirror.yml"),
            100,
        ),
        Case("limit", "the collection's requests again, from one small Python program", Scene.replay),
        Case("empty", "a play without tasks", lambda scene: scene.no_work(0), 1),
    )
}


def run(case: Case, scene: Scene, number: int) -> Measurement:
    """Runs a case once. A run of the collection tells the other cases what to do."""
    output, report = scene.folder / f"{case.name}.txt", scene.folder / f"{case.name}.json"
    before = scene.cloud.cpu()
    with output.open("w") as file:
        done = subprocess.run(
            [sys.executable, str(HERE / "measure.py"), str(report), *case.command(scene)],
            cwd=scene.folder,
            env=scene.environment(),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    cloud = scene.cloud.cpu() - before
    text, journal = output.read_text(), scene.cloud.journal()
    recap = [dict(pair.split("=") for pair in counts.split()) for _host, counts in RECAP.findall(text)]
    wrong = [entry["violation"] for entry in journal if entry["violation"]]
    if done.returncode or wrong:
        raise RuntimeError(f"{case.name} with {scene.pairs} pairs failed: {wrong}\n{text[-5000:]}")
    tasks = round(sum(int(counts["ok"]) + int(counts["skipped"]) for counts in recap) / scene.pairs)
    if case.name == "collection":
        scene.tasks, scene.reads = tasks, [_target(entry) for entry in journal if entry["method"] == "GET"]
    return Measurement(
        case.name,
        scene.pairs,
        number,
        **json.loads(report.read_text()),
        cloud=cloud,
        tasks=tasks,
        changed=sum(int(counts["changed"]) for counts in recap),
        requests=len(journal),
        endpoints=dict(Counter(map(_endpoint, journal))),
    )


def _target(entry: dict[str, Any]) -> str:
    query = urlencode(entry["query"])
    return f"{entry['path']}?{query}" if query else str(entry["path"])


def _endpoint(entry: dict[str, Any]) -> str:
    """A request without what differs from pair to pair."""
    path = re.sub(r"^/es/[^/]+", "", entry["path"])
    parts = ["{id}" if GUID.fullmatch(part) or part.startswith("crn") else part for part in path.split("/")]
    return f"{entry['method']} {'/'.join(parts)}"
