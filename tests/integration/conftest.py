# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-playbook` against a simulator that lives in the test's own process.

What the simulator saw and became is what counts, never what a module says of itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator import Simulator, load_scenario
from simulator.scenario import chosen_switches

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCE, TARGET = "es-source-us-south", "es-target-us-east"
PATIENCE = 150
AGES = 1000.0
FAST = {
    "operation_seconds": 0.4,
    "remote_topic_seconds": 0.1,
    "active_topic_seconds": 0.1,
    "enabling_visibility_seconds": 0.4,
}
PAIR: dict[str, Any] = {
    "mirroring_source": SOURCE,
    "mirroring_target": TARGET,
    "mirroring_topics": ["^orders$", "^payments$"],
    "mirroring_poll_interval": 0.1,
    "mirroring_wait_timeout": 60,
    "mirroring_settle_timeout": 3,
    "mirroring_topics_timeout": 20,
    "mirroring_authorization_timeout": 10,
}
ALL_RESULTS = ("setup_result", "bindings_result", "enable_result", "validate_result")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is an integration test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.integration)


@dataclass
class Run:
    """What came out of one `ansible-playbook`."""

    rc: int
    stdout: str
    stderr: str
    tasks: list[dict[str, Any]] = field(default_factory=list)
    stats: dict[str, dict[str, int]] = field(default_factory=dict)
    artifacts: dict[str, Any] = field(default_factory=dict)

    @property
    def output(self) -> str:
        """Everything that a terminal would show."""
        return self.stdout + self.stderr

    @property
    def facts(self) -> dict[str, Any]:
        """The facts that were set."""
        found: dict[str, Any] = {}
        for entry in self.tasks:
            found.update(entry["result"].get("ansible_facts") or {})
        return found

    @property
    def changed(self) -> int:
        """How many tasks changed something, as the recap says."""
        return sum(host["changed"] for host in self.stats.values())

    @property
    def changes(self) -> list[tuple[str, str | None, str, bool]]:
        """What each task said, in order."""
        return [
            (entry["host"], entry["role"], entry["task"], bool(entry["result"].get("changed"))) for entry in self.tasks
        ]

    @property
    def failures(self) -> list[str]:
        """The messages of the tasks that failed."""
        return [str(entry["result"].get("msg")) for entry in self.tasks if entry["status"] == "failed"]

    @property
    def failure(self) -> str:
        """The one message of a run that failed as it should: one task, in words for people, no traceback."""
        assert self.rc == 2, self.output
        assert len(self.failures) == 1, self.output
        assert "Traceback" not in self.output
        assert "Unexpected" not in self.failures[0]
        return self.failures[0]

    def results(self, action: str) -> list[dict[str, Any]]:
        """The results of one of our modules, in order."""
        return [entry["result"] for entry in self.tasks if entry["action"].rpartition(".")[2] == action]

    def worked(self) -> Run:
        """This run, if nothing failed."""
        assert self.rc == 0, self.output
        assert "Traceback" not in self.output
        return self


class Playbook:
    """Runs playbooks in a directory of their own, with an environment that holds nothing of the developer's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._printed: dict[Path, tuple[Any, ...]] = {}
        self.simulator: Simulator | None = None
        self.pair = PAIR
        self.processes: list[subprocess.Popen[str]] = []

    def environment(self, simulator: Simulator | None, **settings: bool) -> dict[str, str]:
        """The environment of a run."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),
            "ANSIBLE_HOME": str(self._folder / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self._folder / "ansible/local"),
            "ANSIBLE_REMOTE_TEMP": str(self._folder / "ansible/remote"),
            "ANSIBLE_ASYNC_DIR": str(self._folder / "ansible/async"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cl"),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"),
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "connection"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(simulator.environment(**settings) if simulator else {}),
        }

    def start(
        self,
        what: str | list[dict[str, Any]],
        variables: dict[str, Any] | None = None,
        *,
        simulator: Simulator | None = None,
        environment: dict[str, str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> tuple[subprocess.Popen[str], Path]:
        """Starts one; what is given is the name of a playbook, or plays."""
        self._number += 1
        name = f"{self._number:02}"
        if not isinstance(what, str):
            path = self._folder / f"{name}-play.yml"
            path.write_text(json.dumps(what, indent=1))
            what = str(path)
        given = self._folder / f"{name}-variables.json"
        given.write_text(json.dumps(variables or {}))
        record = self._folder / f"{name}-record.jsonl"
        settings = self.environment(simulator or self.simulator) if environment is None else environment
        # Files, not pipes: nobody reads while the test does something else, and a run must not wait for that.
        self._printed[record] = tuple(tempfile.TemporaryFile("w+") for _dummy in range(2))  # noqa: SIM115  # closed in finish()
        process = subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", what, "-e", f"@{given}", *arguments],
            cwd=self._folder,
            env={**settings, "RECORD_FILE": str(record)},
            stdin=subprocess.DEVNULL,
            stdout=self._printed[record][0],
            stderr=self._printed[record][1],
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process, record

    def finish(self, process: subprocess.Popen[str], record: Path) -> Run:
        """Waits for one that was started."""
        try:
            process.wait(PATIENCE)
            ended = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            ended = False
        printed = []
        for file in self._printed.pop(record):
            with file:
                file.seek(0)
                printed.append(file.read())
        stdout, stderr = printed
        if not ended:
            pytest.fail(f"ansible-playbook did not end within {PATIENCE} s:\n{stdout}{stderr}")
        run = Run(process.returncode, stdout, stderr)
        for line in record.read_text().splitlines() if record.exists() else []:
            entry = json.loads(line)
            if entry["event"] == "stats":
                run.stats, run.artifacts = entry["hosts"], entry["artifacts"]
            else:
                run.tasks.append(entry)
        return run

    def __call__(
        self,
        what: str | list[dict[str, Any]],
        variables: dict[str, Any] | None = None,
        *,
        meanwhile: Callable[[], Any] | None = None,
        **options: Any,
    ) -> Run:
        """Runs one to its end; meanwhile something else may happen."""
        process, record = self.start(what, variables, **options)
        if meanwhile:
            meanwhile()
        return self.finish(process, record)

    def mirror(
        self, *arguments: str, play: str = "mirror", meanwhile: Callable[[], Any] | None = None, **variables: Any
    ) -> Run:
        """Runs one of the collection's playbooks for the pair; a variable that is None is left out."""
        given = {name: value for name, value in {**PAIR, **variables}.items() if value is not None}
        return self(f"mirrorops.event_streams.{play}", given, arguments=arguments, meanwhile=meanwhile)


@pytest.fixture
def playbook(tmp_path: Path) -> Iterator[Playbook]:
    """Runs `ansible-playbook`; what it left behind ends with the test."""
    runner = Playbook(tmp_path)
    yield runner
    for process in runner.processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def simulate(playbook: Playbook) -> Iterator[Callable[..., Simulator]]:
    """Starts a simulator; at the end no request may have broken the documented contract."""
    running: list[Simulator] = []

    def start(
        scenario: str = "friendly",
        *,
        switches: dict[str, str] | None = None,
        timing: dict[str, float] | None = None,
        source: dict[str, Any] | None = None,
        target: dict[str, Any] | None = None,
        **members: Any,
    ) -> Simulator:
        chosen = {**load_scenario(scenario), **members}
        chosen["timing"] = {**chosen.get("timing", {}), **FAST, **(timing or {})}
        chosen["switches"] = {**chosen_switches(chosen), **(switches or {})}
        for name, changes in ((SOURCE, source), (TARGET, target)):
            next(entry for entry in chosen["instances"] if entry["name"] == name).update(changes or {})
        simulator = Simulator(chosen).start()
        running.append(simulator)
        playbook.simulator = simulator
        return simulator

    yield start
    for simulator in running:
        simulator.stop()
    for simulator in running:
        assert simulator.violations() == []


@pytest.fixture
def simulator(simulate: Callable[..., Simulator]) -> Simulator:
    """A simulator where everything is friendly."""
    return simulate()


@dataclass
class Observed:
    """What the simulator knows, in the words of the tests."""

    simulator: Simulator
    ages = AGES

    def patches(self, *, accepted: bool = True) -> list[dict[str, Any]]:
        """The updates of instances: those that started an operation, or all."""
        sent = [entry for entry in self.simulator.journal if entry["method"] == "PATCH"]
        return [entry for entry in sent if entry["processed"]] if accepted else sent

    def policies(self) -> list[tuple[str, str]]:
        """The authorizations, as (GUID that asks, GUID that is asked)."""
        found = []
        for policy in self.simulator.state.policies.by_id.values():
            if policy.state == "active":
                sides = [{one.key: one.value for one in side} for side in (policy.subject, policy.resource)]
                found.append((sides[0]["serviceInstance"], sides[1]["serviceInstance"]))
        return found

    def mirrored(
        self,
        topics: list[str] | None = None,
        names: dict[str, str] | None = None,
        *,
        updates: int = 1,
        failback: bool = False,
    ) -> None:
        """The target mirrors the source as PAIR asks, unless something else is given."""
        source, target = self.simulator.instance(SOURCE), self.simulator.instance(TARGET)
        assert target.mirroring is not None
        assert target.mirroring.source == source.crn
        assert target.selection == (PAIR["mirroring_topics"] if topics is None else topics)
        wanted = {"orders": "orders.us-south", "payments": "payments.us-south"} if names is None else names
        copies = {topic.remote_of: topic.name for topic in target.live_topics() if topic.remote_of}
        assert copies == wanted
        assert len(self.patches()) == updates
        expected = [(target.guid, source.guid), *([(source.guid, target.guid)] if failback else [])]
        assert sorted(self.policies()) == sorted(expected)

    def later(self) -> None:
        """Lets a long time pass: whatever was under way has ended."""
        self.simulator.clock.advance(AGES)

    def untouched(self) -> None:
        """Nothing that could write was sent."""
        assert [(entry["method"], entry["path"]) for entry in self.simulator.writes()] == []

    def polled(self, times: int = 8) -> None:
        """Waits until somebody has looked at the target again and again."""
        path = f"/v2/resource_instances/{self.simulator.instance(TARGET).guid}"

        def looks() -> int:
            return sum(entry["method"] == "GET" and entry["path"] == path for entry in self.simulator.journal)

        enough = looks() + times
        self.until(lambda: looks() >= enough)

    def until(self, condition: Callable[[], Any], seconds: float = 30) -> None:
        """Waits for something that is about to happen."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "this did not happen in time"
            time.sleep(0.02)


@pytest.fixture
def observe() -> Callable[[Simulator], Observed]:
    """Looks into a simulator."""
    return Observed
