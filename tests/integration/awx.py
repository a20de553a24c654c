# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs jobs as AWX does, with ansible-runner: the files of extensions/awx say which playbook, with which variables and which environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.mirrorops.event_streams.tests import controller
from ansible_collections.mirrorops.event_streams.tests.integration import runner

ROOT = Path(__file__).parents[2]
PATIENCE = 150


@dataclass
class Job:
    """One job that has ended."""

    rc: int
    stdout: str
    events: list[dict[str, Any]]

    @property
    def shown(self) -> str:
        """Everything that the platform keeps and shows of it."""
        return self.stdout + json.dumps(self.events)

    def artifacts(self) -> dict[str, Any]:
        """What the job hands to those who asked for it."""
        (stats,) = [one["event_data"] for one in self.events if one["event"] == "playbook_on_stats"]
        found: dict[str, Any] = stats.get("artifact_data", {})
        return found


class Awx:
    """A platform that was configured, whose credential was filled in, and whose inventory was synchronised."""

    def __init__(self, folder: Path, environment: dict[str, str], credential: dict[str, str]) -> None:
        self._folder = folder
        self._number = 0
        programs = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        own = {name: value for name, value in environment.items() if not name.startswith(("IC_", "IBMCLOUD_"))}
        self._environment = {**own, "PATH": programs, **controller.injected(credential)}
        self._inventory: dict[str, Any] = {}

    def synchronise(self, path: Path, **variables: Any) -> dict[str, Any]:
        """What an update of the inventory's source finds, with the variables of the inventory and more. Returns the hosts' variables."""
        (inventory,) = controller.wanted()["controller_inventories"]
        done = subprocess.run(
            [sys.executable, "-m", "ansible", "inventory", "-i", str(path), "--list"],
            env={**self._environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout, object_hook=lambda one: one.get("__ansible_unsafe", one))
        found["all"]["vars"] = {**inventory["variables"], **variables}
        self._inventory = found
        hosts: dict[str, Any] = found["_meta"]["hostvars"]
        return hosts

    def launch(
        self,
        name: str,
        job_type: str = "run",
        *,
        ignore: bool = False,
        meanwhile: Callable[[], Any] | None = None,
        **answers: Any,
    ) -> Job:
        """Runs a job template with answers to its survey; meanwhile something else may happen."""
        template = controller.named("templates", f"Event Streams: {name}")
        self._number += 1
        folder = self._folder / f"job-{self._number:02}"
        extra = {
            **template.get("extra_vars", {}),
            **controller.accepted(template["survey_spec"], answers, ignore=ignore),
        }
        hosts = folder / "inventory/hosts"
        for path, text in {
            hosts: f"#!/bin/sh\ncat <<'END'\n{json.dumps(self._inventory)}\nEND\n",
            folder / "env/extravars": json.dumps(extra),
            folder / "env/cmdline": "--check" if job_type == "check" else "",
            folder / "env/envvars": json.dumps({**self._environment, "ANSIBLE_INVENTORY_ENABLED": "script"}),
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        hosts.chmod(0o700)
        options = ("--project-dir", str(ROOT), "--ident", "job")
        process = runner.start(folder, template["playbook"], self._environment, *options)
        try:
            if meanwhile:
                meanwhile()
            printed, _nothing = process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        events = [json.loads(path.read_text()) for path in (folder / "artifacts/job/job_events").glob("*-*.json")]
        assert events, printed
        return Job(process.returncode, printed, sorted(events, key=lambda one: int(one["counter"])))

    def run(
        self,
        name: str,
        approve: Callable[[list[str]], bool],
        meanwhile: dict[str, Callable[[], Any]] | None = None,
        **answers: Any,
    ) -> list[tuple[str, Job | None]]:
        """Runs a workflow: each node once, when one before it has ended the right way. Returns the nodes in order, with their jobs.
        ``approve`` is asked with the nodes that have run; during some nodes something else may happen."""
        workflow = controller.named("workflows", f"Event Streams: {name}")
        given = controller.accepted(workflow["survey_spec"], answers)
        nodes = {one["identifier"]: one for one in workflow["workflow_nodes"]}
        due = [next(iter(nodes))]
        done: list[tuple[str, Job | None]] = []
        while due:
            node = nodes[due.pop(0)]
            job = None
            if node["unified_job_template"]["type"] == "workflow_approval":
                worked = approve([one for one, _job in done])
            else:
                template = node["unified_job_template"]["name"].removeprefix("Event Streams: ")
                extra = {**given, **node.get("extra_data", {})}
                during = (meanwhile or {}).get(node["identifier"])
                job = self.launch(template, node.get("job_type", "run"), ignore=True, meanwhile=during, **extra)
                worked = job.rc == 0
            done.append((node["identifier"], job))
            related = node.get("related", {})
            after = related.get("success_nodes" if worked else "failure_nodes", []) + related.get("always_nodes", [])
            due += [one["identifier"] for one in after]
        return done
